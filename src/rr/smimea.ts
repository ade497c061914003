import { restHexSome } from '../wire/bytes-field.ts';
import { u8 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const SMIMEA = rrType(53, 'SMIMEA', 'RFC 8162', 'Certificate expected of a mail signer.', {
  usage: u8.as('', '0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE'),
  selector: u8.as('', '0 certificate, 1 public key'),
  matchingType: u8.as('', '0 whole, 1 SHA-256, 2 SHA-512'),
  data: restHexSome.as('', 'Certificate, key or digest'),
});
