import { Field, ipv4, listOf, u32 } from '../wire/field.ts';
import { rrType } from './define.ts';
import { UserError } from '../core/errors.ts';

const list = listOf('ipv4', ipv4);

/** A count of 32 bits, then as many addresses: the count must be what is there. */
const servers = new Field<readonly string[]>('ipv4', {
  read: (r, siblings) => {
    if (r.u32() * 4 !== r.left) r.fail();
    return list.read(r, siblings);
  },
  write: (w, value, siblings) => {
    if (value.length > 16_000) throw new UserError(`${value.length} WINS servers do not fit a record.`);
    w.u32(value.length);
    list.write(w, value, siblings);
  },
  show: list.show,
  parse: list.parse,
});

export const WINS = rrType(65281, 'WINS', 'MS-DNSP 2.2.2.2.4.11', 'Where to ask WINS for names of the zone.', {
  local: u32.as('dns.wins.local_flag', '65536 not replicated'),
  lookupTimeout: u32.as('dns.wins.lookup_timeout', 'Seconds'),
  cacheTimeout: u32.as('dns.wins.cache_timeout', 'Seconds'),
  servers: servers.as('dns.wins.wins_server', 'WINS servers'),
});
