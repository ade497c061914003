import { ANSWER_KINDS } from '../core/transactions.ts';
import type { Seen } from './seen.ts';
import { type Counter, COUNTERS } from './servers.ts';

const DATA = ANSWER_KINDS.indexOf('data');
const NXDOMAIN = ANSWER_KINDS.indexOf('nxdomain');
const SERVFAIL = 2;
const REFUSED = 5;

/** Counters of a server as bits. */
const bit = (counter: Counter) => 1 << COUNTERS.indexOf(counter);
const ANSWER = bit('queries') | bit('answers');
/** Counters of a query without an answer, as bits. */
export const LOST = bit('queries') | bit('unanswered');
export const UNREACHED = bit('queries') | bit('unreachable');
const IS_DATA = bit('data');
const IS_NXDOMAIN = bit('nxdomain');
const IS_SERVFAIL = bit('servfail');
const IS_REFUSED = bit('refused');
const IS_TRUNCATED = bit('truncated');
const IS_AUTHORITATIVE = bit('authoritative');
const IS_VALIDATED = bit('validated');
const IS_RECURSIVE = bit('recursive');

/** EDE codes that say that DNSSEC validation failed (RFC 8914: 1, 2, 5 … 12; 27 unsupported NSEC3 iterations is none). */
const BOGUS_EDE = new Set([1, 2, 5, 6, 7, 8, 9, 10, 11, 12]);
const TYPE_OPT = 41;
const EDE = 15;

/** Which counters an answer adds to, as bits. */
export function answerCounters({ batch, row, kind, rcode }: Seen): number {
  const { arena, col } = batch;
  let bits = ANSWER;
  if (kind === DATA) bits |= IS_DATA;
  else if (kind === NXDOMAIN) bits |= IS_NXDOMAIN;
  else if (rcode === SERVFAIL) bits |= IS_SERVFAIL;
  else if (rcode === REFUSED) bits |= IS_REFUSED;
  if (col.responseLength[row] < 12) return bits;
  const at = col.responseAt[row];
  const high = arena[at + 2];
  const low = arena[at + 3];
  if ((high & 2) !== 0) bits |= IS_TRUNCATED;
  if ((high & 4) !== 0) bits |= IS_AUTHORITATIVE;
  if ((low & 0x20) !== 0) bits |= IS_VALIDATED;
  if ((low & 0x80) !== 0) bits |= IS_RECURSIVE;
  return bits;
}

/** The query's OPT record stands last, mostly without options: whether it sets DO. */
export function asksForDnssec(arena: Uint8Array, at: number, length: number): boolean {
  const opt = at + length - 11;
  if (length < 23 || arena[opt] !== 0 || arena[opt + 1] !== 0 || arena[opt + 2] !== TYPE_OPT) return false;
  return (arena[opt + 7] & 0x80) !== 0;
}

/** The extended DNS error of a response that says its data failed validation (RFC 8914), −1 without. */
export function bogusError(view: { opt: number; bytes: Uint8Array; rdata: Int32Array; rdlength: Uint16Array }): number {
  if (view.opt < 0) return -1;
  const { bytes } = view;
  const end = view.rdata[view.opt] + view.rdlength[view.opt];
  for (let at = view.rdata[view.opt]; at + 4 <= end; ) {
    const code = (bytes[at] << 8) | bytes[at + 1];
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    if (code === EDE && length >= 2 && at + 6 <= end) {
      const error = (bytes[at + 4] << 8) | bytes[at + 5];
      if (BOGUS_EDE.has(error)) return error;
    }
    at += 4 + length;
  }
  return -1;
}
