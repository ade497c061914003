import { ipv4 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const A = rrType(1, 'A', 'RFC 1035', 'An IPv4 address of the host.', {
  address: ipv4.as('dns.a', 'IPv4 address'),
});
