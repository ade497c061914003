import { base64Counted16 } from '../wire/bytes-field.ts';
import { plainName, u16 } from '../wire/field.ts';
import { timestamp, tsigError } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const TKEY = rrType(249, 'TKEY', 'RFC 2930', 'Agreement on a shared key.', {
  algorithm: plainName.as('dns.tkey.algo_name', 'Algorithm'),
  inception: timestamp.as('dns.tkey.signature_inception', 'Valid from'),
  expiration: timestamp.as('dns.tkey.signature_expiration', 'Valid until'),
  mode: u16.as('dns.tkey.mode', '1 server, 2 Diffie-Hellman, 3 GSS-API, 4 resolver, 5 delete'),
  error: tsigError.as('dns.tkey.error', 'Error'),
  key: base64Counted16.as('dns.tkey.key_data', 'Key exchange data'),
  other: base64Counted16.as('dns.tkey.other_data', 'Other data'),
});
