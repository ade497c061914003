import { characterString } from '../wire/field.ts';
import { rrType } from './define.ts';

export const X25 = rrType(19, 'X25', 'RFC 1183', 'X.25 address.', {
  address: characterString.as('dns.x25.psdn_address', 'PSDN address'),
});
