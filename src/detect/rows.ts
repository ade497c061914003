import { TYPE_A, TYPE_AAAA } from '../baseline/answers.ts';
import { DNS } from '../core/carrier.ts';
import type { Domain } from './entities.ts';
import { ANSWERED, DATA, ERROR, HEADER, isUnanswered, NXDOMAIN, type Observation, ORPHAN } from './observation.ts';

/** Which rows a detector may ask for, as bits. */
const ROWS = {
  /** Every row, orphans too. */
  all: 1,
  /** Those with a query; all that follow are of these, except orphans. */
  queries: 1 << 1,
  /** Over DNS, for a name with a registrable domain; and with something in front of it. */
  names: 1 << 2,
  sub_names: 1 << 3,
  /** Answered with records in the answer section; of these over DNS, questions for an address. */
  data: 1 << 4,
  addresses: 1 << 5,
  /** NXDOMAIN, an error, or no answer at all; and NXDOMAIN alone. */
  negative: 1 << 6,
  nonexistent: 1 << 7,
  /** Responses that nobody asked for. */
  orphans: 1 << 8,
  /** With a response. */
  answered: 1 << 9,
  /** Over TCP; over UDP with a truncated response; with one in IP fragments. */
  tcp: 1 << 10,
  truncated: 1 << 11,
  fragmented: 1 << 12,
  /** Without recursion wanted, as resolvers ask authorities. */
  iterative: 1 << 13,
  /** For names that are long enough for a label of 20 letters. */
  long_names: 1 << 14,
  /** Zone transfers; names of addresses (PTR); types that are asked for to have large answers (TXT, ANY, RRSIG, DNSKEY). */
  transfers: 1 << 15,
  reverse: 1 << 16,
  bulky: 1 << 17,
  /** Sub-names that were not seen lately, or of a domain that has many. */
  new_sub_names: 1 << 18,
  /** Names of a domain that two clients ask for at most. */
  rare_names: 1 << 19,
  /** Data of other types than addresses; addresses behind an alias whose label is longer than people make them. */
  other_data: 1 << 20,
  long_aliases: 1 << 21,
  /** Responses with more in them than answers and OPT, orphans too. */
  additions: 1 << 22,
} as const;
/** Detectors are shown only what they ask for: most rows are nothing to most of them. */
export type Rows = keyof typeof ROWS;

const TCP = 6;
const RD = 0x0100;
const TC = 0x0200;
const LONG = 22;
const RARE_CLIENTS = 2;
/** A label of an alias this long is not made by people. */
const LONG_ALIAS = 40;
const TYPE_BITS = new Map<number, number>([
  [TYPE_A, ROWS.addresses],
  [TYPE_AAAA, ROWS.addresses],
  [12, ROWS.reverse],
  [251, ROWS.transfers],
  [252, ROWS.transfers],
  [16, ROWS.bulky],
  [46, ROWS.bulky],
  [48, ROWS.bulky],
  [255, ROWS.bulky],
]);
/** By type, of those below 256. */
const OF_TYPE = Int32Array.from({ length: 256 }, (_, type) => TYPE_BITS.get(type) ?? 0);

/** What a detector asks for, as a sum of bits. */
export function bitsOf(rows: Rows | readonly Rows[]): number {
  return typeof rows === 'string' ? ROWS[rows] : rows.reduce((sum, one) => sum | ROWS[one], 0);
}

function ofName({ subLength, isNewName }: Observation, { cell, clientCount }: Domain): number {
  const names = clientCount <= RARE_CLIENTS ? ROWS.names | ROWS.rare_names : ROWS.names;
  if (subLength === 0) return names;
  return names | (isNewName || cell !== undefined ? ROWS.sub_names | ROWS.new_sub_names : ROWS.sub_names);
}

function ofData(seen: Observation, addresses: number): number {
  if (addresses === 0) return ROWS.data | ROWS.other_data;
  const isLong = seen.answers.longestAlias >= LONG_ALIAS;
  return ROWS.data | (isLong ? addresses | ROWS.long_aliases : addresses);
}

/** What a transaction is, as a sum of bits. */
export function kindOf(seen: Observation): number {
  const { outcome, kind, type } = seen;
  const more = seen.responseBytes > 0 && !seen.answers.isAll ? ROWS.all | ROWS.additions : ROWS.all;
  if (outcome === ORPHAN) return more | ROWS.orphans;
  const isDns = seen.protocol === DNS;
  let is = more | ROWS.queries;
  if (seen.domain !== null && isDns) is |= ofName(seen, seen.domain);
  if (outcome === ANSWERED) is |= ROWS.answered;
  const ofType = type < 256 ? OF_TYPE[type] : 0;
  if (kind === DATA) is |= isDns ? ofData(seen, ofType & ROWS.addresses) : ROWS.data | ROWS.other_data;
  else if (kind === NXDOMAIN) is |= ROWS.negative | ROWS.nonexistent;
  else if (kind === ERROR || isUnanswered(outcome)) is |= ROWS.negative;
  is |= ofType & ~ROWS.addresses;
  if (seen.transport === TCP) is |= ROWS.tcp;
  else if ((seen.responseFlags & TC) !== 0) is |= ROWS.truncated;
  const { fragmented, queryLength } = seen.batch.col;
  if (fragmented[seen.row] !== 0) is |= ROWS.fragmented;
  if ((seen.queryFlags & RD) === 0 && queryLength[seen.row] >= HEADER) is |= ROWS.iterative;
  return seen.nameLength >= LONG ? is | ROWS.long_names : is;
}
