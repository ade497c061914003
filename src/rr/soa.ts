import { name, u32 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const SOA = rrType(
  6,
  'SOA',
  'RFC 1035',
  'Start of a zone: who is responsible, which version, how long to keep it.',
  {
    mname: name.as('dns.soa.mname', 'Primary name server'),
    rname: name.as('dns.soa.rname', 'Mailbox of the person in charge'),
    serial: u32.as('dns.soa.serial_number', 'Version of the zone'),
    refresh: u32.as('dns.soa.refresh_interval', 'Seconds between checks by secondaries'),
    retry: u32.as('dns.soa.retry_interval', 'Seconds until a failed check is tried again'),
    expire: u32.as('dns.soa.expire_limit', 'Seconds until an unchecked copy is dropped'),
    minimum: u32.as('dns.soa.minimum_ttl', 'Seconds that absence may be cached (RFC 2308)'),
  },
);
