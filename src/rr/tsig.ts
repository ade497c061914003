import { base64Counted16 } from '../wire/bytes-field.ts';
import { plainName, u16, u48 } from '../wire/field.ts';
import { tsigError } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const TSIG = rrType(250, 'TSIG', 'RFC 8945', 'Signature of a message by a shared key.', {
  algorithm: plainName.as('dns.tsig.algorithm_name', 'Algorithm'),
  timeSigned: u48.as('dns.tsig.time_signed', 'Seconds since 1970'),
  fudge: u16.as('dns.tsig.fudge', 'Seconds of tolerance'),
  mac: base64Counted16.as('dns.tsig.mac', 'Signature'),
  originalId: u16.as('dns.tsig.original_id', 'Message id before forwarding'),
  error: tsigError.as('dns.tsig.error', 'Error'),
  other: base64Counted16.as('dns.tsig.other_data', 'Server time with BADTIME'),
});
