import { restBase64 } from '../wire/bytes-field.ts';
import { u16, u8 } from '../wire/field.ts';
import { algorithm } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const DNSKEY = rrType(48, 'DNSKEY', 'RFC 4034', 'Public key of a zone.', {
  flags: u16.as('dns.dnskey.flags', '256 zone key, 257 entry point, 128 revoked'),
  protocol: u8.as('dns.dnskey.protocol', 'Always 3'),
  algorithm: algorithm.as('dns.dnskey.algorithm', 'DNSSEC algorithm'),
  publicKey: restBase64.as('dns.dnskey.public_key', 'Public key'),
});
