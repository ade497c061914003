import { characterStrings } from '../wire/field.ts';
import { rrType } from './define.ts';

export const RESINFO = rrType(261, 'RESINFO', 'RFC 9606', 'What a resolver can do.', {
  strings: characterStrings.as('', 'Character-strings, boundaries kept'),
});
