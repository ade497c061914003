import { ipv4Text } from '../core/address.ts';
import { Field, listOf, parseIpv4 } from '../wire/field.ts';
import { rrType } from './define.ts';

const entry = new Field<string>('string', {
  read: (r) => {
    const flags = r.u16();
    return `${flags.toString(16).padStart(4, '0')}/${ipv4Text(r.u32())}`;
  },
  write: (w, value) => {
    w.u16(Number.parseInt(value.slice(0, 4), 16));
    w.put(parseIpv4(value.slice(5)));
  },
  show: (value) => value,
  parse: (words) => {
    const text = words.next('flags and address');
    if (!/^[0-9a-f]{4}\/[0-9.]+$/i.test(text)) throw words.wrong('flags and address such as 6000/192.0.2.1', text);
    return text.toLowerCase();
  },
});

/** Type 32 on NetBIOS only; in DNS it is NIMLOC. */
export const NB = rrType(32, 'NB', 'RFC 1002', 'NetBIOS name: flags (8000 group) and address of each owner.', {
  owners: listOf('strings', entry).as('', 'Flags in hexadecimal and address'),
});
