import { opaque } from '../wire/bytes-field.ts';
import { rrType } from './define.ts';

export const NULL = rrType(10, 'NULL', 'RFC 1035', 'Anything at all.', {
  data: opaque.as('dns.null', 'Octets'),
});
