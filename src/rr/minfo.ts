import { name } from '../wire/field.ts';
import { rrType } from './define.ts';

export const MINFO = rrType(14, 'MINFO', 'RFC 1035', 'Who is responsible for a mailbox or list.', {
  rmailbox: name.as('dns.minfo.r', 'Mailbox in charge'),
  emailbox: name.as('dns.minfo.e', 'Mailbox for errors'),
});
