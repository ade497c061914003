import { ipv6 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const AAAA = rrType(28, 'AAAA', 'RFC 3596', 'An IPv6 address of the host.', {
  address: ipv6.as('dns.aaaa', 'IPv6 address'),
});
