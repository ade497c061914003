import { characterStrings } from '../wire/field.ts';
import { rrType } from './define.ts';

export const NINFO = rrType(56, 'NINFO', 'draft-reid-dnsext-zs', 'Status of the zone.', {
  strings: characterStrings.as('', 'Character-strings, boundaries kept'),
});
