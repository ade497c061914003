import { name } from '../wire/field.ts';
import { rrType } from './define.ts';

export const CNAME = rrType(5, 'CNAME', 'RFC 1035', 'The name that this one stands for.', {
  target: name.as('dns.cname', 'Canonical name'),
});
