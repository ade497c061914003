import { showHex } from '../wire/bytes-field.ts';
import { Field, octetText, parseOctets, u8 } from '../wire/field.ts';
import { rrType } from './define.ts';

const E164 = 1;

/** ATM address: `+358400…` digits (E.164) or octets in hexadecimal (NSAP form). */
const address = new Field<string>('string', {
  read: (r, siblings) => {
    if (siblings.format === E164) return `+${r.text(r.left)}`;
    if (r.left === 0) r.fail();
    return showHex(r.take());
  },
  write: (w, value, siblings) => {
    if (siblings.format === E164) w.put(parseOctets(value.slice(1)));
    else for (let i = 0; i + 1 < value.length; i += 2) w.u8(Number.parseInt(value.slice(i, i + 2), 16));
  },
  show: (value) => value.replaceAll(' ', '\\032').replaceAll('"', '\\"'),
  parse: (words, siblings) => {
    const text = words.next('an address');
    if (siblings.format === E164 && text.startsWith('+')) return octetText(text);
    if (siblings.format === E164 || !/^(?:[0-9a-f]{2})+$/i.test(text)) throw words.wrong('an ATM address', text);
    return text.toUpperCase();
  },
});

export const ATMA = rrType(34, 'ATMA', 'ATM Forum af-dans-0152', 'ATM address.', {
  format: u8.as('', '0 NSAP form, 1 E.164 number'),
  address: address.as('', 'Address'),
});
