import { characterString } from '../wire/field.ts';
import { rrType } from './define.ts';

export const UINFO = rrType(100, 'UINFO', 'reserved (BIND)', 'User information.', {
  text: characterString.as('', 'Text'),
});
