import { plainName, u16, u8 } from '../wire/field.ts';
import { typeCode } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const DSYNC = rrType(66, 'DSYNC', 'RFC 9859', 'Where to notify the parent about DNSSEC changes.', {
  covered: typeCode.as('dns.dsync.type', 'RR type it is about'),
  scheme: u8.as('dns.dsync.scheme', '1 NOTIFY'),
  port: u16.as('dns.dsync.target.port', 'Port'),
  target: plainName.as('dns.dsync.target.name', 'Host'),
});
