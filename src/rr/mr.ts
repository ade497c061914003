import { name } from '../wire/field.ts';
import { rrType } from './define.ts';

export const MR = rrType(9, 'MR', 'RFC 1035', 'New name of a mailbox.', {
  target: name.as('dns.mr', 'Mailbox'),
});
