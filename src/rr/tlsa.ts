import { restHexSome } from '../wire/bytes-field.ts';
import { u8 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const TLSA = rrType(52, 'TLSA', 'RFC 6698', 'Certificate expected of a TLS server.', {
  usage: u8.as('dns.tlsa.certificate_usage', '0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE'),
  selector: u8.as('dns.tlsa.selector', '0 certificate, 1 public key'),
  matchingType: u8.as('dns.tlsa.matching_type', '0 whole, 1 SHA-256, 2 SHA-512'),
  data: restHexSome.as('dns.tlsa.certificate_association_data', 'Certificate, key or digest'),
});
