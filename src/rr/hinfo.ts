import { characterString } from '../wire/field.ts';
import { rrType } from './define.ts';

export const HINFO = rrType(
  13,
  'HINFO',
  'RFC 1035',
  'Machine and system of the host; `RFC8482` answers ANY minimally.',
  {
    cpu: characterString.as('dns.hinfo.cpu', 'Machine'),
    os: characterString.as('dns.hinfo.os', 'Operating system'),
  },
);
