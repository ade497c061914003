import { characterStrings } from '../wire/field.ts';
import { rrType } from './define.ts';

export const TXT = rrType(16, 'TXT', 'RFC 1035', 'Text in one or more strings.', {
  strings: characterStrings.as('dns.txt', 'Character-strings, boundaries kept'),
});
