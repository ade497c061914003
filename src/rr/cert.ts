import { restBase64 } from '../wire/bytes-field.ts';
import { u16 } from '../wire/field.ts';
import { algorithm, certificateType } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const CERT = rrType(37, 'CERT', 'RFC 4398', 'Certificate or revocation list.', {
  certificateType: certificateType.as('dns.cert.type', 'Kind of certificate'),
  keyTag: u16.as('dns.cert.key_tag', 'Tag of the key'),
  algorithm: algorithm.as('dns.cert.algorithm', 'DNSSEC algorithm'),
  certificate: restBase64.as('dns.cert.certificate', 'Certificate'),
});
