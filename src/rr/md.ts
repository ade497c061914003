import { name } from '../wire/field.ts';
import { rrType } from './define.ts';

export const MD = rrType(3, 'MD', 'RFC 1035', 'Mail destination (obsolete: MX).', {
  target: name.as('dns.md', 'Host'),
});
