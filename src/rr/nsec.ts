import { plainName } from '../wire/field.ts';
import { typeBitmap } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const NSEC = rrType(
  47,
  'NSEC',
  'RFC 4034',
  'Next name of the zone and the types at this one: proof of absence.',
  {
    next: plainName.as('dns.nsec.next_domain_name', 'Next name in canonical order'),
    types: typeBitmap.as('', 'Types present'),
  },
);
