import { plainName } from '../wire/field.ts';
import { rrType } from './define.ts';

export const TALINK = rrType(58, 'TALINK', 'draft-ietf-dnsop-dnssec-trust-history', 'Link between trust anchors.', {
  previous: plainName.as('', 'Previous name'),
  next: plainName.as('', 'Next name'),
});
