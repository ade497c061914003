import { groups } from '../wire/bytes-field.ts';
import { u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const L64 = rrType(106, 'L64', 'RFC 6742', '64-bit locator (ILNP).', {
  preference: u16.as('dns.ilnp.l64.preference', 'Lower is preferred'),
  locator: groups(8, 2, ':').as('dns.ilnp.l64', 'Locator'),
});
