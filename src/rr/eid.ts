import { restHexSome } from '../wire/bytes-field.ts';
import { rrType } from './define.ts';

export const EID = rrType(31, 'EID', 'draft-ietf-nimrod-dns', 'Nimrod endpoint identifier.', {
  data: restHexSome.as('', 'Octets'),
});
