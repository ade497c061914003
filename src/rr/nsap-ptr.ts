import { plainName } from '../wire/field.ts';
import { rrType } from './define.ts';

export const NSAP_PTR = rrType(23, 'NSAP-PTR', 'RFC 1706', 'Name of an NSAP address (obsolete).', {
  owner: plainName.as('dns.nsap_ptr.owner', 'Owner name'),
});
