import { restBase64 } from '../wire/bytes-field.ts';
import { u16, u8 } from '../wire/field.ts';
import { algorithm } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const CDNSKEY = rrType(60, 'CDNSKEY', 'RFC 7344', 'DNSKEY the child wants at its parent.', {
  flags: u16.as('dns.dnskey.flags', 'Flags; 0 3 0 AA== asks for removal'),
  protocol: u8.as('dns.dnskey.protocol', 'Always 3'),
  algorithm: algorithm.as('dns.dnskey.algorithm', 'DNSSEC algorithm'),
  publicKey: restBase64.as('dns.dnskey.public_key', 'Public key'),
});
