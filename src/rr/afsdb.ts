import { fullName, u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const AFSDB = rrType(18, 'AFSDB', 'RFC 1183', 'AFS cell database or DCE server.', {
  subtype: u16.as('dns.afsdb.subtype', '1 AFS, 2 DCE'),
  hostname: fullName.as('dns.afsdb.hostname', 'Server'),
});
