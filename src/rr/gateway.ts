import { UserError } from '../core/errors.ts';
import { Field, ipv4, ipv6, u8, plainName } from '../wire/field.ts';

const NONE = new Field<string>('string', {
  read: () => '.',
  write: () => {},
  show: () => '.',
  parse: (words) => {
    const text = words.next('a dot');
    if (text !== '.') throw words.wrong('the dot of no gateway', text);
    return text;
  },
});
const FORMS = [NONE, ipv4, ipv6, plainName];

/** A host in one of four forms, chosen by the number in field `by`: 0 none (`.`), 1 IPv4, 2 IPv6, 3 name (RFC 4025 §2.5). */
export function gateway(by: string): Field<string> {
  return new Field('string', {
    read: (r, siblings) => {
      const form = FORMS[siblings[by] as number];
      if (form !== undefined) return form.read(r, siblings);
      r.fail();
      return '';
    },
    write: (w, value, siblings) => known(siblings[by]).write(w, value, siblings),
    show: (value, dots, siblings) => known(siblings[by]).show(value, dots, siblings),
    parse: (words, siblings) => known(siblings[by]).parse(words, siblings),
  });
}

function known(form: unknown): Field<string> {
  const field = FORMS[form as number];
  if (field === undefined)
    throw new UserError(`${String(form)} is not a kind of gateway: 0 none, 1 IPv4, 2 IPv6, 3 name.`);
  return field;
}

/** The top bit of the octet that the next field reads whole (AMTRELAY's D). */
export const topBit = new Field<number>('uint', {
  read: (r) => (r.left > 0 ? r.bytes[r.at] >> 7 : r.fail()),
  write: (_, value) => {
    if (value !== 0 && value !== 1) throw new UserError(`${value} is not 0 or 1.`);
  },
  show: String,
  parse: (words) => Number(words.next('0 or 1')),
});

/** The octet's lower seven bits; written together with the bit in field `by`. */
export function lowBits(by: string): Field<number> {
  return new Field('uint', {
    read: (r) => r.u8() & 0x7f,
    write: (w, value, siblings) => u8.write(w, ((siblings[by] as number) << 7) | value, siblings),
    show: String,
    parse: (words, siblings) => u8.parse(words, siblings),
  });
}
