import { name } from '../wire/field.ts';
import { rrType } from './define.ts';

export const MB = rrType(7, 'MB', 'RFC 1035', 'Host of a mailbox.', {
  target: name.as('dns.mb', 'Host'),
});
