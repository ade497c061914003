import { restBase64 } from '../wire/bytes-field.ts';
import { plainName, u16, u32, u8 } from '../wire/field.ts';
import { algorithm, timestamp, typeCode } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const RRSIG = rrType(46, 'RRSIG', 'RFC 4034', 'Signature over an RRset.', {
  covered: typeCode.as('dns.rrsig.type_covered', 'RR type signed'),
  algorithm: algorithm.as('dns.rrsig.algorithm', 'DNSSEC algorithm'),
  labels: u8.as('dns.rrsig.labels', 'Labels of the owner, without root and wildcard'),
  originalTtl: u32.as('dns.rrsig.original_ttl', 'TTL in the zone, s'),
  expiration: timestamp.as('dns.rrsig.signature_expiration', 'Valid until'),
  inception: timestamp.as('dns.rrsig.signature_inception', 'Valid from'),
  keyTag: u16.as('dns.rrsig.key_tag', 'Tag of the key'),
  signer: plainName.as('dns.rrsig.signers_name', 'Zone that signed'),
  signature: restBase64.as('dns.rrsig.signature', 'Signature'),
});
