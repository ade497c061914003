import { restText, u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const URI = rrType(256, 'URI', 'RFC 7553', 'Service addresses as URIs.', {
  priority: u16.as('', 'Lower is tried first'),
  weight: u16.as('', 'Share among equal priorities'),
  target: restText.as('', 'URI, without a length octet'),
});
