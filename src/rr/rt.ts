import { fullName, u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const RT = rrType(21, 'RT', 'RFC 1183', 'Host that routes to the name.', {
  preference: u16.as('dns.rt.subtype', 'Lower is tried first'),
  host: fullName.as('dns.rt.intermediate_host', 'Intermediate host'),
});
