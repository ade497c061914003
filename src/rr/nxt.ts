import { Field, fullName } from '../wire/field.ts';
import { readBits, typeNumberOf } from '../wire/type-field.ts';
import { TYPES } from '../wire/iana.ts';
import { UserError } from '../core/errors.ts';
import { rrType } from './define.ts';

/** One bit per type below 128, without windows (RFC 2535 §5.2). */
const bitmap = new Field<readonly string[]>('types', {
  read: (r) => {
    const list: string[] = [];
    if (r.left > 16) r.fail();
    for (let type = 0; r.left > 0; type += 8) readBits(r.u8(), type, list);
    return list;
  },
  write: (w, value) => {
    const bits = new Uint8Array(16);
    for (const name of value) {
      const type = typeNumberOf(name);
      if (type > 127) throw new UserError(`NXT holds types below 128 only; ${name} is ${type}.`);
      bits[type >> 3] |= 0x80 >> (type & 7);
    }
    w.put(bits.subarray(0, bits.findLastIndex((octet) => octet !== 0) + 1));
  },
  show: (value) => value.join(' '),
  parse: (words) => {
    const list: string[] = [];
    while (words.more) list.push(TYPES.name(typeNumberOf(words.next('an RR type'))));
    return list;
  },
});

export const NXT = rrType(30, 'NXT', 'RFC 2535', 'Next name of the zone (obsolete: NSEC).', {
  next: fullName.as('dns.nxt.next_domain_name', 'Next name'),
  types: bitmap.as('', 'Types present'),
});
