import { ipv4, u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const L32 = rrType(105, 'L32', 'RFC 6742', '32-bit locator (ILNP).', {
  preference: u16.as('dns.ilnp.l32.preference', 'Lower is preferred'),
  locator: ipv4.as('dns.ilnp.l32', 'Locator'),
});
