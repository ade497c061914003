import { hex8 } from '../wire/bytes-field.ts';
import { u16, u8 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const NSEC3PARAM = rrType(51, 'NSEC3PARAM', 'RFC 5155', 'How the zone hashes names.', {
  hashAlgorithm: u8.as('dns.nsec3.algo', '1 SHA-1'),
  flags: u8.as('dns.nsec3.flags', '1 opt-out'),
  iterations: u16.as('dns.nsec3.iterations', 'Extra hash rounds'),
  salt: hex8.as('dns.nsec3.salt_value', 'Salt'),
});
