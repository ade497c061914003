import { optionList } from '../wire/edns.ts';
import { rrType } from './define.ts';

export const OPT = rrType(41, 'OPT', 'RFC 6891', 'Extended DNS: buffer size, flags and options.', {
  options: optionList.as('dns.opt', 'Options'),
});
