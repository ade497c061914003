import { name } from '../wire/field.ts';
import { rrType } from './define.ts';

export const NS = rrType(2, 'NS', 'RFC 1035', 'A name server of the zone.', {
  target: name.as('dns.ns', 'Name server'),
});
