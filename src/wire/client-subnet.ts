import { ipv4Text } from '../core/address.ts';
import { UserError } from '../core/errors.ts';
import { Field, ipv6, parseIpv4, parseIpv6, u16, u8 } from './field.ts';
import { RdataReader } from './rdata.ts';
import { structure } from './structure.ts';

const SIZES = [0, 4, 16];
const whole = new RdataReader();

/** As many octets of the address as the source prefix needs, the rest is zero (RFC 7871 §6). */
const address = new Field<string>('string', {
  read: (r, siblings) => {
    const family = siblings.family as number;
    const size = SIZES[family] ?? 0;
    const count = Math.ceil((siblings.source as number) / 8);
    if (count > size) r.fail();
    const given = r.take(count);
    if (!r.sound || size === 0) return '';
    const octets = new Uint8Array(size);
    octets.set(given);
    whole.bare(octets);
    return family === 1 ? ipv4Text(whole.u32()) : ipv6.read(whole, {});
  },
  write: (w, value, siblings) => {
    const count = Math.ceil((siblings.source as number) / 8);
    if (value !== '') w.put((siblings.family === 1 ? parseIpv4(value) : parseIpv6(value)).subarray(0, count));
  },
  show: (value) => value,
  parse: (words) => words.next('an address'),
});

/** Client subnet: `192.0.2.0/24/0` is address, source prefix, scope prefix; the address of family 0 is `0`. */
export const clientSubnet = structure(
  'ECS',
  {
    family: u16.as('dns.opt.client.family', '1 IPv4, 2 IPv6'),
    source: u8.as('dns.opt.client.netmask', 'Bits of the address the client gives away'),
    scope: u8.as('dns.opt.client.scope', 'Bits the answer holds for'),
    address: address.as('dns.opt.client.addr', 'Network of the client'),
  },
  {
    show: (value) => `${value.address === '' ? value.family : value.address}/${value.source}/${value.scope}`,
    parse: (words) => {
      const text = words.next('a network');
      const parts = /^([0-9a-f.:]+)\/([0-9]{1,3})(?:\/([0-9]{1,3}))?$/i.exec(text);
      if (parts === null) throw new UserError(`'${text}' is not a client subnet such as 192.0.2.0/24/0.`);
      const plain = /^[0-9]+$/.test(parts[1]);
      const family = plain ? Number(parts[1]) : parts[1].includes(':') ? 2 : 1;
      return { family, source: Number(parts[2]), scope: Number(parts[3] ?? 0), address: plain ? '' : parts[1] };
    },
  },
);
