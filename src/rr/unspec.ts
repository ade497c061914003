import { opaque } from '../wire/bytes-field.ts';
import { rrType } from './define.ts';

export const UNSPEC = rrType(103, 'UNSPEC', 'reserved (BIND)', 'Unspecified octets.', {
  data: opaque.as('', 'Octets'),
});
