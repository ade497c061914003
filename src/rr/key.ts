import { restBase64 } from '../wire/bytes-field.ts';
import { u16, u8 } from '../wire/field.ts';
import { algorithm } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const KEY = rrType(25, 'KEY', 'RFC 2535', 'Public key for SIG(0) and TKEY.', {
  flags: u16.as('dns.key.flags', 'Flags'),
  protocol: u8.as('dns.key.protocol', 'Protocol'),
  algorithm: algorithm.as('dns.key.algorithm', 'DNSSEC algorithm'),
  publicKey: restBase64.as('dns.key.public_key', 'Public key'),
});
