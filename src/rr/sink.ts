import { restBase64 } from '../wire/bytes-field.ts';
import { u8 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const SINK = rrType(40, 'SINK', 'draft-eastlake-kitchen-sink', 'Anything, with its coding.', {
  coding: u8.as('', 'Coding'),
  subcoding: u8.as('', 'Subcoding'),
  data: restBase64.as('', 'Octets'),
});
