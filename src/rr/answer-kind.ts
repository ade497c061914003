import { MDNS } from '../core/carrier.ts';
import { ANSWER_KINDS, NO_KIND, ROLES } from '../core/transactions.ts';
import { ANSWER as ANSWERS, AUTHORITY as AUTHORITIES, type MessageView } from '../wire/message.ts';

// The compiler knows its values, those of imported names it reads from memory (decision 10).
const ANSWER = ANSWERS;
const AUTHORITY = AUTHORITIES;
const TYPE_NS = 2;
const TYPE_CNAME = 5;
const TYPE_SOA = 6;
const TYPE_DNAME = 39;
const TYPE_IXFR = 251;

const DATA = ANSWER_KINDS.indexOf('data');
const NODATA = ANSWER_KINDS.indexOf('nodata');
const NXDOMAIN = ANSWER_KINDS.indexOf('nxdomain');
const REFERRAL = ANSWER_KINDS.indexOf('referral');
const ERROR = ANSWER_KINDS.indexOf('error');

const RECURSIVE = ROLES.indexOf('recursive');
const ITERATIVE = ROLES.indexOf('iterative');
const AUTHORITATIVE = ROLES.indexOf('authoritative');

/** What kind of answer a response to a question of type `asked` is: index into ANSWER_KINDS (RFC 2308 §2). */
export function answerKind(response: MessageView, asked: number, protocol: number): number {
  const rcode = response.rcode;
  if (rcode === 3) return NXDOMAIN;
  if (rcode !== 0) return ERROR;
  let alias = false;
  let ns = false;
  let soa = false;
  const { type, section, records } = response;
  for (let i = 0; i < records; i++) {
    if (section[i] === ANSWER) {
      const t = type[i];
      if (t === asked || asked >= TYPE_IXFR || asked === 0 || protocol === MDNS) return DATA;
      if (t === TYPE_CNAME || t === TYPE_DNAME) alias = true;
    } else if (section[i] === AUTHORITY) {
      if (type[i] === TYPE_NS) ns = true;
      else if (type[i] === TYPE_SOA) soa = true;
    }
  }
  // A chain whose end the server does not know is data as far as it goes; with an SOA it ends in NODATA.
  if (alias && !soa) return DATA;
  if (ns && !soa && (response.flags & 0x0400) === 0) return REFERRAL;
  // Nothing in a truncated, cut or malformed response does not mean that there is nothing.
  return (response.flags & 0x0200) !== 0 || response.fault !== 0 ? NO_KIND : NODATA;
}

/** Index into ROLES. `asked`: flags of the query; `answered`: of the response, 0 without one. */
export function roleOf(asked: number, answered: number): number {
  if ((answered & 0x0400) !== 0) return AUTHORITATIVE;
  return (asked & 0x0100) !== 0 ? RECURSIVE : ITERATIVE;
}
