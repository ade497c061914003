import { restBase64Some } from '../wire/bytes-field.ts';
import { rrType } from './define.ts';

export const BRID = rrType(68, 'BRID', 'RFC 9886', 'Broadcast remote id (drone id), CBOR.', {
  data: restBase64Some.as('', 'CBOR'),
});
