import { restBase64 } from '../wire/bytes-field.ts';
import { characterString, u32, u8 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const DOA = rrType(259, 'DOA', 'draft-durand-doa-over-dns', 'Digital object architecture.', {
  enterprise: u32.as('', 'Enterprise number'),
  objectType: u32.as('', 'Type'),
  location: u8.as('', '1 local, 2 URI, 3 handle'),
  mediaType: characterString.as('', 'Media type'),
  data: restBase64.as('', 'Octets'),
});
