import { plainName, u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const LP = rrType(107, 'LP', 'RFC 6742', 'Pointer to locators (ILNP).', {
  preference: u16.as('dns.ilnp.lp.preference', 'Lower is preferred'),
  target: plainName.as('dns.ilnp.lp', 'Name with L32 or L64'),
});
