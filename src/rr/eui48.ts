import { groups } from '../wire/bytes-field.ts';
import { rrType } from './define.ts';

export const EUI48 = rrType(108, 'EUI48', 'RFC 7043', '48-bit MAC address.', {
  address: groups(6, 1, '-').as('dns.eui48', 'Address'),
});
