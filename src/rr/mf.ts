import { name } from '../wire/field.ts';
import { rrType } from './define.ts';

export const MF = rrType(4, 'MF', 'RFC 1035', 'Mail forwarder (obsolete: MX).', {
  target: name.as('dns.mf', 'Host'),
});
