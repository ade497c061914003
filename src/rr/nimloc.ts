import { restHexSome } from '../wire/bytes-field.ts';
import { rrType } from './define.ts';

export const NIMLOC = rrType(32, 'NIMLOC', 'draft-ietf-nimrod-dns', 'Nimrod locator.', {
  data: restHexSome.as('', 'Octets'),
});
