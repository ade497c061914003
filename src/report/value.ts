import { addressText } from '../core/address.ts';
import { PROTOCOL_NAMES } from '../core/carrier.ts';
import { timeText } from '../core/clock.ts';
import type { LedgerValue } from '../core/ledger.ts';
import { ANSWER_KINDS, LEGS, OUTCOMES, ROLES } from '../core/transactions.ts';
import { Cardinality } from '../sketch/cardinality.ts';
import { entropyOf } from '../sketch/entropy.ts';
import { bucketMiddle } from '../sketch/histogram.ts';
import type { Samples } from '../sketch/samples.ts';
import { Distribution, type Summary } from '../sketch/summary.ts';
import type { TopKeys } from '../sketch/top-keys.ts';
import { FAULTS } from '../wire/fault.ts';
import { opcodeName, rcodeName, TYPES } from '../wire/iana.ts';
import { nameText } from '../wire/name.ts';
import type { MapRow } from './address-map.ts';
import { type FunnelStage, funnel } from './funnel.ts';
import type { PathsValue } from './path-summary.ts';
import { SERVER_BUCKETS, SERVER_HISTOGRAM, SERVER_PRECISION, SERVER_UNIT_NANOS, TALLY } from './layout.ts';

import type { Report } from './report.ts';

/** What the report is about; the caller knows. */
export interface ReportSource {
  files?: string[];
  interfaces?: string[];
  filter?: string;
  /** Files that stopped making sense, and where. */
  damage?: { file: string; offset: number; reason: string }[];
}

/** How many, and which part of the whole (0 … 1; null when the whole is 0). */
export interface Share {
  count: number;
  ratio: number | null;
}
export interface KeyShare extends Share {
  key: string;
}

/** A distinct count; `error` is the standard error (relative) once it is an estimate. */
export interface Distinct {
  value: number;
  exact: boolean;
  error?: number;
}

/** Shannon entropy of values of queries. `of` = queries, `sampled` = those the entropy is of (a uniform sample). */
export interface Entropy {
  bits: number | null;
  /** What `sampled` random 16-bit values would have at most. */
  max_bits: number | null;
  distinct: number;
  sampled: number;
  of: number;
}

/** A key with its transactions. With `error`, `count` is too high by at most so much, and the others may be too low. */
export interface KeyRow extends Share {
  key: string;
  error?: number;
  nxdomain: number;
  failed: number;
  unanswered: number;
  latency_mean_ms: number | null;
  latency?: Pick<Summary, 'n' | 'p50' | 'p90' | 'p95' | 'p99' | 'unit' | 'error'>;
  source_port_entropy?: Entropy;
  id_entropy?: Entropy;
}
export interface KeyTop {
  distinct: Distinct;
  /** Keys counted apart; `floor`: a key that is not among them was seen at most so often. */
  tracked: number;
  floor: number;
  top: KeyRow[];
}

export interface SizeClasses {
  message: 'query' | 'response';
  transport: 'udp' | 'tcp';
  edns: boolean;
  up_to_512: number;
  up_to_1232: number;
  above_1232: number;
}

/** The report as JSON (CONTRACTS: report -T json). */
export interface ReportValue {
  source: ReportSource;
  /** Only one in `rate` pairs of addresses was seen; counts are scaled by it (see `scaledReport`). */
  sampled?: { rate: number; scaled: true };
  period: { first: string | null; last: string | null; seconds: number };
  ledger: LedgerValue & { funnel: FunnelStage[]; imbalance: string[] };
  transactions: {
    count: number;
    queries: number;
    responses: number;
    per_second: number | null;
    queries_per_second: number | null;
    outcomes: KeyShare[];
    answer_kinds: KeyShare[];
    roles: KeyShare[];
    legs: KeyShare[];
    protocols: KeyShare[];
    retransmitted: Share & { copies: number };
    duplicates: number;
    late: number;
    truncated: Share & { followed_by_tcp: number; not_followed: number };
    timeline: { start: string | null; bin_seconds: number; queries: number[] };
  };
  latency: Summary & {
    udp: Summary;
    tcp: Summary;
    from_last_copy: Summary;
    tcp_setup: Summary;
    /** [from, to, count] in ms, four buckets an octave. */
    histogram: [number, number, number][];
  };
  sizes: { query: Summary; response: Summary; classes: SizeClasses[] };
  ttl: Summary;
  answers: Summary;
  types: KeyShare[];
  rcodes: KeyShare[];
  opcodes: KeyShare[];
  transports: KeyShare[];
  servers: KeyTop;
  clients: KeyTop;
  domains: KeyTop;
  names: KeyTop;
  nxdomain: Share & { nodata: Share; by_domain: KeyShare[]; by_client: KeyShare[]; error: number };
  unanswered: Share & { by_server: KeyShare[]; by_domain: KeyShare[]; error: number };
  malformed: Share & { by_cause: KeyShare[]; cut: number };
  /** Only with `report --paths`. */
  paths?: PathsValue;
  map: { pairs: number; capacity: number; evicted: number; exact: boolean; rows?: MapRow[] };
}

const MILLI = 1e6;
const HISTOGRAM_STEP = 32;

/** Builds the plain value of a report; `top` bounds its tables. */
export function reportValue(report: Report, source: ReportSource, top: number): ReportValue {
  const { counts, rows, map } = report;
  const seconds = rows === 0 ? 0 : spanSeconds(report);
  const perSecond = (n: number) => (seconds > 0 ? n / seconds : null);
  const outcomes = named(OUTCOMES, counts.outcomes, rows);
  // Rates of failure are of what was asked: responses nobody asked for have no say.
  const asked = rows - counts.outcomes[OUTCOMES.indexOf('orphan')];
  const answered = counts.rcodes.reduce((a, b) => a + b, 0);
  const unanswered = counts.outcomes[OUTCOMES.indexOf('unanswered')];
  const cut = counts.faults[FAULTS.indexOf('cut')];
  const malformed = counts.faults.reduce((a, b) => a + b, 0) - cut;
  const udp = counts.transports[0];
  return {
    source,
    period: {
      first: rows === 0 ? null : timeText(report.firstSeconds, report.firstNanos),
      last: rows === 0 ? null : timeText(report.lastSeconds, report.lastNanos),
      seconds,
    },
    ledger: {
      ...report.ledger.toJSON(),
      funnel: funnel(report.ledger),
      imbalance: report.ledger.imbalance(),
    },
    transactions: {
      count: rows,
      queries: report.queries,
      responses: report.responses,
      per_second: perSecond(rows),
      queries_per_second: perSecond(report.queries),
      outcomes,
      answer_kinds: named(ANSWER_KINDS, counts.kinds, answered),
      roles: named(ROLES, counts.roles, rows),
      legs: named(LEGS, counts.legs, rows),
      protocols: named(PROTOCOL_NAMES, counts.protocols, rows),
      retransmitted: { ...share(report.retransmitted, asked), copies: report.retransmissions },
      duplicates: report.duplicates,
      late: report.late,
      truncated: {
        ...share(report.truncated, udp),
        followed_by_tcp: report.truncatedFollowed,
        not_followed: report.truncated - report.truncatedFollowed,
      },
      timeline: timelineValue(report),
    },
    latency: latencyValue(report),
    sizes: {
      query: Distribution.sum(report.querySize).summary('B'),
      response: Distribution.sum(report.responseSize).summary('B'),
      classes: sizeClasses(counts.sizeClasses),
    },
    ttl: report.ttl.summary('s'),
    answers: report.answers.summary('records'),
    types: byNumber(counts.types, (n) => (n === 0 ? 'none' : TYPES.name(n)), rows),
    rcodes: byNumber(counts.rcodes, rcodeName, answered),
    opcodes: byNumber(counts.opcodes, opcodeName, rows),
    transports: named(['udp', 'tcp'], counts.transports, rows),
    servers: keyTop(report.servers, report.distinctServers, addressKey, rows, top, report.serverSamples),
    clients: keyTop(report.clients, report.distinctClients, addressKey, rows, top, report.clientSamples),
    domains: keyTop(report.domains, report.distinctDomains, nameKey, rows, top),
    names: keyTop(report.names, report.distinctNames, nameKey, rows, top),
    nxdomain: {
      ...share(counts.kinds[ANSWER_KINDS.indexOf('nxdomain')], answered),
      nodata: share(counts.kinds[ANSWER_KINDS.indexOf('nodata')], answered),
      by_domain: byTally(report.domains, TALLY.nxdomain, nameKey, top),
      by_client: byTally(report.clients, TALLY.nxdomain, addressKey, top),
      error: Math.max(report.domains.floor, report.clients.floor),
    },
    unanswered: {
      ...share(unanswered, asked),
      by_server: byTally(report.servers, TALLY.unanswered, addressKey, top),
      by_domain: byTally(report.domains, TALLY.unanswered, nameKey, top),
      error: Math.max(report.domains.floor, report.servers.floor),
    },
    malformed: {
      ...share(malformed, rows),
      by_cause: byNumber(counts.faults, (n) => FAULTS[n], malformed).filter(({ key }) => key !== 'cut'),
      cut,
    },
    map: { pairs: map.size, capacity: map.capacity, evicted: map.evicted, exact: map.evicted === 0 },
  };
}

function spanSeconds(report: Report): number {
  return report.lastSeconds - report.firstSeconds + (report.lastNanos - report.firstNanos) / 1e9;
}

function share(count: number, of: number): Share {
  return { count, ratio: of > 0 ? count / of : null };
}

function named(names: readonly string[], counts: Float64Array, of: number): KeyShare[] {
  return names.map((key, i) => ({ key, ...share(counts[i], of) })).filter(({ count }) => count > 0);
}

/** Non-zero counts, highest first, then by number. */
function byNumber(counts: Float64Array, name: (n: number) => string, of: number): KeyShare[] {
  const found: number[] = [];
  for (let i = 0; i < counts.length; i++) if (counts[i] > 0) found.push(i);
  found.sort((a, b) => counts[b] - counts[a] || a - b);
  return found.map((n) => ({ key: name(n), ...share(counts[n], of) }));
}

function byTally(top: TopKeys, t: number, key: (top: TopKeys, entry: number) => string, n: number): KeyShare[] {
  return top.top(n, t).map((entry) => {
    return { key: key(top, entry), ...share(top.value(entry, t), top.count(entry)) };
  });
}

function keyTop(
  top: TopKeys,
  cardinality: Cardinality,
  key: (top: TopKeys, entry: number) => string,
  rows: number,
  n: number,
  samples?: Samples,
): KeyTop {
  return {
    distinct: distinct(top, cardinality),
    tracked: top.size,
    floor: top.floor,
    top: top.top(n).map((entry) => keyRow(top, entry, key(top, entry), rows, samples)),
  };
}

function distinct(top: TopKeys, cardinality: Cardinality): Distinct {
  if (top.exact) return { value: top.size, exact: true };
  if (cardinality.exact) return { value: cardinality.value, exact: true };
  return { value: cardinality.value, exact: false, error: Cardinality.ERROR };
}

function keyRow(top: TopKeys, entry: number, key: string, rows: number, samples: Samples | undefined): KeyRow {
  const tallies = top.keys.numbers(entry);
  const answered = tallies[TALLY.latencyCount];
  const row: KeyRow = {
    key,
    ...share(top.count(entry), rows),
    nxdomain: tallies[TALLY.nxdomain],
    failed: tallies[TALLY.failed],
    unanswered: tallies[TALLY.unanswered],
    latency_mean_ms: answered > 0 ? tallies[TALLY.latencySum] / answered / MILLI : null,
  };
  if (top.error(entry) > 0) row.error = top.error(entry);
  if (tallies.length > SERVER_HISTOGRAM) row.latency = serverLatency(tallies, SERVER_HISTOGRAM);
  if (samples !== undefined) {
    const values = Array.from(samples.values(entry));
    const offered = samples.offered(entry);
    row.source_port_entropy = sampleEntropy(
      values.map((v) => v >>> 16),
      offered,
    );
    row.id_entropy = sampleEntropy(
      values.map((v) => v & 0xffff),
      offered,
    );
  }
  return row;
}

function serverLatency(tallies: Float64Array, from: number): KeyRow['latency'] {
  let n = 0;
  for (let i = 0; i < SERVER_BUCKETS; i++) n += tallies[from + i];
  if (n === 0) return { n, p50: null, p90: null, p95: null, p99: null, unit: 'ms' };
  const percentile = (q: number) => {
    const rank = Math.max(1, Math.ceil(q * n));
    let seen = 0;
    let i = -1;
    while (seen < rank) seen += tallies[from + ++i];
    return (bucketMiddle(i, SERVER_PRECISION) * SERVER_UNIT_NANOS) / MILLI;
  };
  return {
    n,
    p50: percentile(0.5),
    p90: percentile(0.9),
    p95: percentile(0.95),
    p99: percentile(0.99),
    unit: 'ms',
    error: 2 ** -(SERVER_PRECISION + 1),
  };
}

function sampleEntropy(values: number[], of: number): Entropy {
  const sampled = values.length;
  const none = sampled === 0;
  return {
    bits: none ? null : entropyOf(values),
    max_bits: none ? null : Math.min(16, Math.log2(sampled)),
    distinct: new Set(values).size,
    sampled,
    of,
  };
}

function timelineValue(report: Report): ReportValue['transactions']['timeline'] {
  const { firstSeconds, binSeconds, counts } = report.timeline.value;
  const whole = Math.floor(firstSeconds);
  return {
    start: counts.length === 0 ? null : timeText(whole, Math.round((firstSeconds - whole) * 1e9)),
    bin_seconds: binSeconds,
    queries: counts,
  };
}

function latencyValue(report: Report): ReportValue['latency'] {
  const whole = Distribution.sum(report.latency);
  const histogram: [number, number, number][] = [];
  const { counts } = whole.histogram;
  for (let from = 1; from < counts.length; from += HISTOGRAM_STEP) {
    let n = from === 1 ? counts[0] : 0;
    for (let i = from; i < from + HISTOGRAM_STEP; i++) n += counts[i];
    if (n === 0) continue;
    histogram.push([whole.histogram.lower(from) / MILLI, whole.histogram.lower(from + HISTOGRAM_STEP) / MILLI, n]);
  }
  return {
    ...whole.summary('ms', MILLI),
    udp: report.latency[0].summary('ms', MILLI),
    tcp: report.latency[1].summary('ms', MILLI),
    from_last_copy: report.latencyLast.summary('ms', MILLI),
    tcp_setup: report.tcpSetup.summary('ms', MILLI),
    histogram,
  };
}

function sizeClasses(counts: Float64Array): SizeClasses[] {
  const classes: SizeClasses[] = [];
  for (let i = 0; i < 8; i++) {
    const [small, middle, large] = counts.subarray(i * 3, i * 3 + 3);
    if (small + middle + large === 0) continue;
    classes.push({
      message: i < 4 ? 'query' : 'response',
      transport: i % 4 < 2 ? 'udp' : 'tcp',
      edns: i % 2 === 1,
      up_to_512: small,
      up_to_1232: middle,
      above_1232: large,
    });
  }
  return classes;
}

function nameKey(top: TopKeys, entry: number): string {
  return nameText(top.keys.bytes(entry), 0, 0);
}

function addressKey(top: TopKeys, entry: number): string {
  const { array, from } = top.keys.key(entry);
  return addressText(array[from], array[from + 1], array[from + 2], array[from + 3], array[from + 4]);
}
