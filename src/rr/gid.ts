import { u32 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const GID = rrType(102, 'GID', 'reserved (BIND)', 'Group number.', {
  gid: u32.as('', 'Number'),
});
