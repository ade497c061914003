import { bareString, restText, u8 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const CAA = rrType(257, 'CAA', 'RFC 8659', 'Which authorities may issue certificates.', {
  flags: u8.as('dns.caa.flags', '128 critical'),
  tag: bareString.as('dns.caa.tag', 'issue, issuewild, iodef, contactemail …'),
  value: restText.as('dns.caa.value', 'Value of the tag'),
});
