import { characterStrings } from '../wire/field.ts';
import { rrType } from './define.ts';

export const AVC = rrType(258, 'AVC', 'Cisco AVC', 'Application visibility and control.', {
  strings: characterStrings.as('', 'Character-strings, boundaries kept'),
});
