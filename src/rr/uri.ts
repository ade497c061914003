import { restText, u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const URI = rrType(256, 'URI', 'RFC 7553', 'Service addresses as URIs.', {
  priority: u16.as('dns.srv.priority', 'Lower is tried first'),
  weight: u16.as('dns.srv.weight', 'Share among equal priorities'),
  target: restText.as('dns.srv.target', 'URI, without a length octet'),
});
