import { plainName, u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const KX = rrType(36, 'KX', 'RFC 2230', 'Key exchanger of the name.', {
  preference: u16.as('dns.kx.preference', 'Lower is tried first'),
  exchanger: plainName.as('dns.kx.key_exchange', 'Host'),
});
