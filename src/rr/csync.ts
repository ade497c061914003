import { u16, u32 } from '../wire/field.ts';
import { typeBitmap } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const CSYNC = rrType(62, 'CSYNC', 'RFC 7477', 'Types the parent should copy from the child.', {
  serial: u32.as('dns.csync.soa', 'SOA serial it holds for'),
  flags: u16.as('dns.csync.flags', '1 immediate, 2 soaminimum'),
  types: typeBitmap.as('', 'Types to copy'),
});
