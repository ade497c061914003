import { fullName } from '../wire/field.ts';
import { rrType } from './define.ts';

export const RP = rrType(17, 'RP', 'RFC 1183', 'Responsible person.', {
  mbox: fullName.as('dns.rp.mailbox', 'Mailbox'),
  txt: fullName.as('dns.rp.txt_rr', 'Name with TXT records about the person'),
});
