import { base32hex8, hex8 } from '../wire/bytes-field.ts';
import { u16, u8 } from '../wire/field.ts';
import { typeBitmap } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const NSEC3 = rrType(50, 'NSEC3', 'RFC 5155', 'Next hashed name of the zone and the types at this one.', {
  hashAlgorithm: u8.as('dns.nsec3.algo', '1 SHA-1'),
  flags: u8.as('dns.nsec3.flags', '1 opt-out'),
  iterations: u16.as('dns.nsec3.iterations', 'Extra hash rounds'),
  salt: hex8.as('dns.nsec3.salt_value', 'Salt'),
  next: base32hex8.as('dns.nsec3.hash_value', 'Hash of the next owner'),
  types: typeBitmap.as('', 'Types present'),
});
