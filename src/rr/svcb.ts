import { plainName, u16 } from '../wire/field.ts';
import { svcParams } from '../wire/svcb.ts';
import { rrType } from './define.ts';

/** The fields of SVCB and HTTPS. */
export const serviceFields = {
  priority: u16.as('dns.svcb.svcpriority', 'Lower is tried first; 0 is an alias'),
  target: plainName.as('dns.svcb.targetname', 'Host; the root means the owner itself'),
  params: svcParams.as('dns.svcb.svcparam', 'Parameters: alpn, port, ipv4hint, ech …'),
};

export const SVCB = rrType(64, 'SVCB', 'RFC 9460', 'Where and how a service is offered.', serviceFields);
