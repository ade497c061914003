import { restBase64 } from '../wire/bytes-field.ts';
import { u16, u8 } from '../wire/field.ts';
import { algorithm } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const RKEY = rrType(57, 'RKEY', 'draft-reid-dnsext-rkey', 'Key for encrypted NAPTR.', {
  flags: u16.as('', 'Flags'),
  protocol: u8.as('', 'Protocol'),
  algorithm: algorithm.as('', 'Algorithm'),
  publicKey: restBase64.as('', 'Public key'),
});
