import { fullName, u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const PX = rrType(26, 'PX', 'RFC 2163', 'X.400 mapping.', {
  preference: u16.as('dns.px.preference', 'Lower is preferred'),
  map822: fullName.as('dns.px.map822', 'RFC 822 domain'),
  mapx400: fullName.as('dns.px.map400', 'X.400 address'),
});
