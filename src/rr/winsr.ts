import { fullName, u32 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const WINSR = rrType(65282, 'WINS-R', 'MS-DNSP 2.2.2.2.4.12', 'Reverse look-up through NetBIOS node status.', {
  local: u32.as('dns.winsr.local_flag', '65536 not replicated'),
  lookupTimeout: u32.as('dns.winsr.lookup_timeout', 'Seconds'),
  cacheTimeout: u32.as('dns.winsr.cache_timeout', 'Seconds'),
  domain: fullName.as('dns.winsr.name_result_domain', 'Domain appended to names found'),
});
