import { Field, characterString, octetText, quoted } from '../wire/field.ts';
import { rrType } from './define.ts';

// Absent and empty are told apart: an absent sub-address has no length octet.
const subaddress = new Field<readonly string[]>('strings', {
  read: (r) => (r.left > 0 ? [r.text(r.u8())] : []),
  write: (w, value) => {
    for (const text of value.slice(0, 1)) characterString.write(w, text, {});
  },
  show: (value) => value.map(quoted).join(' '),
  parse: (words) => (words.more ? [octetText(words.next('a text'))] : []),
});

export const ISDN = rrType(20, 'ISDN', 'RFC 1183', 'ISDN address.', {
  address: characterString.as('dns.idsn.address', 'Number'),
  subaddress: subaddress.as('dns.idsn.sa.address', 'Sub-address, none or one'),
});
