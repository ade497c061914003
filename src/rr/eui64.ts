import { groups } from '../wire/bytes-field.ts';
import { rrType } from './define.ts';

export const EUI64 = rrType(109, 'EUI64', 'RFC 7043', '64-bit MAC address.', {
  address: groups(8, 1, '-').as('dns.eui64', 'Address'),
});
