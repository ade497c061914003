import { characterString, fullName, u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const NAPTR = rrType(35, 'NAPTR', 'RFC 3403', 'Rule that rewrites a name into a service address.', {
  order: u16.as('dns.naptr.order', 'Order of the rules'),
  preference: u16.as('dns.naptr.preference', 'Preference among equal orders'),
  flags: characterString.as('dns.naptr.flags', 'Flags: S A U P'),
  service: characterString.as('dns.naptr.service', 'Services offered'),
  regexp: characterString.as('dns.naptr.regex', 'Substitution'),
  replacement: fullName.as('dns.naptr.replacement', 'Next name'),
});
