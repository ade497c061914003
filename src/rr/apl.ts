import { ipv4Text } from '../core/address.ts';
import { UserError } from '../core/errors.ts';
import { Field, ipv6, listOf, parseIpv4, parseIpv6 } from '../wire/field.ts';
import { RdataReader } from '../wire/rdata.ts';
import { rrType } from './define.ts';

const SIZES = [0, 4, 16];
const whole = new RdataReader();

/** One prefix, such as `1:192.0.2.0/24` or `!2:2001:db8::/32` (RFC 3123 §5). */
const prefix = new Field<string>('string', {
  read: (r) => {
    const family = r.u16();
    const length = r.u8();
    const octet = r.u8();
    const count = octet & 0x7f;
    const size = SIZES[family] ?? 0;
    if (size === 0 || count > size || length > 8 * size) r.fail();
    const given = r.take(count);
    if (!r.sound) return '';
    const address = new Uint8Array(size);
    address.set(given);
    whole.bare(address);
    return `${octet > 0x7f ? '!' : ''}${family}:${family === 1 ? ipv4Text(whole.u32()) : ipv6.read(whole, {})}/${length}`;
  },
  write: (w, value) => {
    const parts = /^(!?)([12]):([0-9a-fA-F:.]+)\/([0-9]{1,3})$/.exec(value);
    if (parts === null) throw new UserError(`'${value}' is not a prefix such as 1:192.0.2.0/24 or !2:2001:db8::/32.`);
    const family = Number(parts[2]);
    const length = Number(parts[4]);
    if (length > 8 * SIZES[family]) throw new UserError(`'${value}' has a prefix longer than its address.`);
    const address = family === 1 ? parseIpv4(parts[3]) : parseIpv6(parts[3]);
    // Trailing zero octets are left out (RFC 3123 §4).
    const count = address.findLastIndex((octet) => octet !== 0) + 1;
    w.u16(family);
    w.u8(length);
    w.u8((parts[1] === '!' ? 0x80 : 0) | count);
    w.put(address.subarray(0, count));
  },
  show: (value) => value,
  parse: (words) => words.next('a prefix'),
});

export const APL = rrType(42, 'APL', 'RFC 3123', 'List of address prefixes.', {
  prefixes: listOf('strings', prefix).as('dns.apl.coded_prefix', 'Prefixes; ! excludes'),
});
