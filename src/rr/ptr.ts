import { name } from '../wire/field.ts';
import { rrType } from './define.ts';

export const PTR = rrType(
  12,
  'PTR',
  'RFC 1035',
  'A pointer to a name: the host of an address, an instance of a service.',
  {
    target: name.as('dns.ptr.domain_name', 'Name pointed at'),
  },
);
