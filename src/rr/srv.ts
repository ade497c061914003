import { fullName, u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const SRV = rrType(33, 'SRV', 'RFC 2782', 'Host and port that offer a service.', {
  priority: u16.as('dns.srv.priority', 'Lower is tried first'),
  weight: u16.as('dns.srv.weight', 'Share among equal priorities'),
  port: u16.as('dns.srv.port', 'Port of the service'),
  target: fullName.as('dns.srv.target', 'Host; the root means no such service'),
});
