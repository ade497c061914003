import { name } from '../wire/field.ts';
import { rrType } from './define.ts';

export const MG = rrType(8, 'MG', 'RFC 1035', 'Member of a mail group.', {
  target: name.as('dns.mg', 'Mailbox'),
});
