import { characterString } from '../wire/field.ts';
import { rrType } from './define.ts';

export const GPOS = rrType(27, 'GPOS', 'RFC 1712', 'Geographical position.', {
  longitude: characterString.as('dns.gpos.longitude', 'Degrees east'),
  latitude: characterString.as('dns.gpos.latitude', 'Degrees north'),
  altitude: characterString.as('dns.gpos.altitude', 'Metres'),
});
