import { addressText } from '../core/address.ts';
import { TCP } from '../core/carrier.ts';
import { ANSWER_KINDS, LEGS, NO_KIND, NO_RCODE, OUTCOMES, ROLES, type TransactionBatch } from '../core/transactions.ts';
import { registrable } from '../enrich/public-suffix.ts';
import { questionValues } from '../rr/value.ts';
import { recordReader } from '../rr/define.ts';
import { type Summary, summarize } from '../sketch/summary.ts';
import { rcodeName } from '../wire/iana.ts';
import { ANSWER, MessageView } from '../wire/message.ts';
import { operationName, protocolTypeName } from '../wire/protocol.ts';

const HOUR_SECONDS = 3600;
const NXDOMAIN = 3;
const UNANSWERED = OUTCOMES.indexOf('unanswered');
const view = new MessageView();

/** Text of what a row can be grouped by, as the API's `/statistics` has it; null where the row has none. */
type Dimension = (batch: TransactionBatch, row: number) => string | null;

const DIMENSIONS: Readonly<Record<string, Dimension>> = {
  domain: (batch, row) => {
    const name = nameOf(batch, row);
    return name === null ? null : domainOf(name);
  },
  name: nameOf,
  client: ({ col: c }, i) => addressText(c.family[i], c.client0[i], c.client1[i], c.client2[i], c.client3[i]),
  server: ({ col: c }, i) => addressText(c.family[i], c.server0[i], c.server1[i], c.server2[i], c.server3[i]),
  type: ({ col: c }, i) => (c.type[i] === 0 ? null : protocolTypeName(c.type[i], c.protocol[i])),
  rcode: ({ col: c }, i) => (c.rcode[i] === NO_RCODE ? null : rcodeName(c.rcode[i])),
  opcode: ({ col: c }, i) => operationName(c.opcode[i] << 11, c.protocol[i]),
  transport: ({ col: c }, i) => (c.transport[i] === TCP ? 'tcp' : 'udp'),
  outcome: ({ col: c }, i) => OUTCOMES[c.outcome[i]],
  answer_kind: ({ col: c }, i) => (c.answerKind[i] === NO_KIND ? null : ANSWER_KINDS[c.answerKind[i]]),
  role: ({ col: c }, i) => ROLES[c.role[i]],
  leg: ({ col: c }, i) => LEGS[c.leg[i]],
  latency_bucket: (batch, row) => {
    const ms = batch.latencyNanos(row) / 1e6;
    return ms > 0 ? String(2 ** Math.floor(Math.log2(ms))) : null;
  },
  // 1970 began on a Thursday.
  hour_of_week: ({ col: c }, i) => String((Math.floor(c.openSeconds[i] / HOUR_SECONDS) + 72) % 168),
};

/** What a distribution is of; NaN where a row has none. */
const DISTRIBUTIONS: Readonly<
  Record<string, { unit: string; value: (batch: TransactionBatch, row: number) => number }>
> = {
  latency: { unit: 'ms', value: (batch, row) => batch.latencyNanos(row) / 1e6 },
  size: { unit: 'B', value: ({ col: c }, i) => c.responseBytes[i] || Number.NaN },
  ttl: { unit: 's', value: (batch, row) => answersOf(batch, row).ttl },
  answers: { unit: 'rec', value: (batch, row) => answersOf(batch, row).count },
};

export interface GroupsQuery {
  /** One or two of the API's dimensions. */
  group: readonly string[];
  /** `latency`, `size`, `ttl` or `answers`. */
  of: string;
  /** Groups wanted, those with the most transactions first. */
  limit: number;
}

/** A group: its keys, its counts, and its distribution under the name asked for. */
export type GroupsRow = Record<string, string | number | Summary | null>;

interface Group {
  keys: (string | null)[];
  transactions: number;
  nxdomain: number;
  unanswered: number;
  values: number[];
}

/** Counts rows by what they have in common; percentiles are exact. */
export function groupsOf(
  rows: Iterable<[batch: TransactionBatch, row: number]>,
  { group, of, limit }: GroupsQuery,
): GroupsRow[] {
  const dimensions = group.map((name) => (Object.hasOwn(DIMENSIONS, name) ? DIMENSIONS[name] : () => null));
  const { unit, value } = DISTRIBUTIONS[Object.hasOwn(DISTRIBUTIONS, of) ? of : 'latency'];
  const groups = new Map<string, Group>();
  for (const [batch, row] of rows) {
    const keys = dimensions.map((text) => text(batch, row));
    const key = keys.join('\n');
    let found = groups.get(key);
    if (found === undefined) {
      groups.set(key, (found = { keys, transactions: 0, nxdomain: 0, unanswered: 0, values: [] }));
    }
    found.transactions++;
    if (batch.col.rcode[row] === NXDOMAIN) found.nxdomain++;
    if (batch.col.outcome[row] === UNANSWERED) found.unanswered++;
    const number = value(batch, row);
    if (!Number.isNaN(number)) found.values.push(number);
  }
  const most = [...groups.values()].sort((a, b) => b.transactions - a.transactions).slice(0, limit);
  return most.map(({ keys, transactions, nxdomain, unanswered, values }) => ({
    ...Object.fromEntries(group.map((name, i) => [name, keys[i]])),
    transactions,
    nxdomain,
    unanswered,
    [of]: summarize(values, unit),
  }));
}

/** The question's name, folded; null without one. */
function nameOf(batch: TransactionBatch, row: number): string | null {
  const c = batch.col;
  const isAsked = c.queryLength[row] > 0;
  if (
    !readMessage(
      batch,
      isAsked ? c.queryAt[row] : c.responseAt[row],
      isAsked ? c.queryLength[row] : c.responseLength[row],
    )
  )
    return null;
  recordReader.begin(view);
  return questionValues(view, c.protocol[row])[0]?.name.toLowerCase() ?? null;
}

let domains = new Map<string, string | null>();
const MOST_DOMAINS = 100_000;

/** To split a name takes longer than to count it, and most names come again. */
function domainOf(name: string): string | null {
  let domain = domains.get(name);
  if (domain === undefined) {
    if (domains.size >= MOST_DOMAINS) domains = new Map();
    domains.set(name, (domain = registrable(name).domain));
  }
  return domain;
}

/** How many answers the response has, and the smallest of their TTLs; NaN without a response, or an answer. */
function answersOf(batch: TransactionBatch, row: number): { count: number; ttl: number } {
  const c = batch.col;
  if (!readMessage(batch, c.responseAt[row], c.responseLength[row])) return { count: Number.NaN, ttl: Number.NaN };
  let count = 0;
  let ttl = Number.NaN;
  for (let i = 0; i < view.records; i++) {
    if (i === view.opt || view.section[i] !== ANSWER) continue;
    count++;
    const seconds = view.ttl[i] > 0x7fffffff ? 0 : view.ttl[i];
    if (!(ttl <= seconds)) ttl = seconds;
  }
  return { count, ttl };
}

function readMessage(batch: TransactionBatch, at: number, length: number): boolean {
  if (length === 0) return false;
  view.read(batch.arena, at, length, length);
  return true;
}
