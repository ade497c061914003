import { restBase64Some } from '../wire/bytes-field.ts';
import { rrType } from './define.ts';

export const DHCID = rrType(49, 'DHCID', 'RFC 4701', 'Which DHCP client owns the name.', {
  data: restBase64Some.as('dns.dhcid.rdata', 'Identifier type, digest type, digest'),
});
