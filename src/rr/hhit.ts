import { restBase64Some } from '../wire/bytes-field.ts';
import { rrType } from './define.ts';

export const HHIT = rrType(67, 'HHIT', 'RFC 9886', 'Hierarchical host identity tag (drone id), CBOR.', {
  data: restBase64Some.as('', 'CBOR'),
});
