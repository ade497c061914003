import { plainName } from '../wire/field.ts';
import { rrType } from './define.ts';

export const DNAME = rrType(39, 'DNAME', 'RFC 6672', 'The tree that this one stands for.', {
  target: plainName.as('dns.dname', 'Target of the tree'),
});
