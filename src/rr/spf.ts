import { characterStrings } from '../wire/field.ts';
import { rrType } from './define.ts';

export const SPF = rrType(99, 'SPF', 'RFC 7208', 'Sender policy (obsolete: TXT).', {
  strings: characterStrings.as('dns.spf', 'Character-strings, boundaries kept'),
});
