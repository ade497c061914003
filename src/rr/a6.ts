import { Field, fullName, ipv6, parseIpv6, u8 } from '../wire/field.ts';
import { RdataReader } from '../wire/rdata.ts';
import { rrType } from './define.ts';

const PAD = new Uint8Array(16);
const octets = new RdataReader();

/** The low bits of the address: as many octets as the prefix leaves over; '' with a prefix of 128. */
const suffix = new Field<string>('ipv6', {
  read: (r, siblings) => {
    const length = siblings.prefixLength as number;
    if (length > 128) r.fail();
    if (length >= 128) return '';
    const given = r.take(16 - (length >> 3));
    const whole = PAD.slice();
    if (r.sound) whole.set(given, length >> 3);
    return wholeText(whole);
  },
  write: (w, value, siblings) => {
    if (value !== '') w.put(parseIpv6(value).subarray((siblings.prefixLength as number) >> 3));
  },
  show: (value) => value,
  parse: (words, siblings) => ((siblings.prefixLength as number) >= 128 ? '' : words.next('an IPv6 address')),
});

function wholeText(bytes: Uint8Array): string {
  return ipv6.read(octets.bare(bytes), {});
}

/** Name with the rest of the address; '' with a prefix of 0. */
const prefixName = new Field<string>('name', {
  read: (r, siblings) => (siblings.prefixLength === 0 ? '' : fullName.read(r, siblings)),
  write: (w, value) => {
    if (value !== '') w.name(value, false);
  },
  show: (value, dots, siblings) => (value === '' ? '' : fullName.show(value, dots, siblings)),
  parse: (words, siblings) => (siblings.prefixLength === 0 ? '' : fullName.parse(words, siblings)),
});

export const A6 = rrType(38, 'A6', 'RFC 2874', 'IPv6 address in parts (historic: AAAA).', {
  prefixLength: u8.as('dns.a6.prefix_len', 'Bits the prefix name gives'),
  suffix: suffix.as('dns.a6.address_suffix', 'Low bits of the address'),
  prefixName: prefixName.as('dns.a6.prefix_name', 'Name with the prefix'),
});
