import { u32 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const UID = rrType(101, 'UID', 'reserved (BIND)', 'User number.', {
  uid: u32.as('', 'Number'),
});
