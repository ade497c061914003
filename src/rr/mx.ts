import { name, u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const MX = rrType(15, 'MX', 'RFC 1035', 'A host that takes mail for the name.', {
  preference: u16.as('dns.mx.preference', 'Lower is tried first'),
  exchange: name.as('dns.mx.mail_exchange', 'Mail host; the root means none (RFC 7505)'),
});
