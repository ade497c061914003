import { restBase64 } from '../wire/bytes-field.ts';
import { u8 } from '../wire/field.ts';
import { rrType } from './define.ts';
import { gateway } from './gateway.ts';

export const IPSECKEY = rrType(45, 'IPSECKEY', 'RFC 4025', 'Key and gateway for IPsec.', {
  precedence: u8.as('dns.ipseckey.gateway_precedence', 'Lower is tried first'),
  gatewayType: u8.as('dns.ipseckey.gateway_type', '0 none, 1 IPv4, 2 IPv6, 3 name'),
  algorithm: u8.as('dns.ipseckey.gateway_algorithm', '0 no key, 1 DSA, 2 RSA, 3 ECDSA'),
  gateway: gateway('gatewayType').as('dns.ipseckey.gateway_dns', 'Gateway'),
  publicKey: restBase64.as('dns.ipseckey.public_key', 'Public key'),
});
