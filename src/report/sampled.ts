import { FATE, type Ledger } from '../core/ledger.ts';
import type { ReportValue } from './value.ts';

/** Numbers of the report that count what was seen; `n` of a statistic stays how many values it is of. */
const COUNTS = new Set(
  (
    'count queries responses per_second queries_per_second copies duplicates late followed_by_tcp not_followed ' +
    'nxdomain failed unanswered up_to_512 up_to_1232 above_1232 floor'
  ).split(' '),
);
/** Left as they were counted: the ledger is of frames, the map and the statistics of what was seen. */
const AS_SEEN = new Set(['source', 'period', 'ledger', 'latency', 'ttl', 'answers', 'map']);

/** What becomes of frames of DNS that were looked at. */
const LOOKED_AT = [
  'carried',
  'held',
  'no_payload',
  'cut',
  'segment_repeated',
  'stream_evicted',
  'stream_gap',
  'stream_unfinished',
] as const;

/**
 * One in how many frames of DNS a run has looked at, on the average of the run; 1 where nothing was left out. It is
 * what was, not what was asked for: clients are not equally busy, and a full ring changes the part.
 */
export function sampledRate({ frames }: Ledger): number {
  const seen = LOOKED_AT.reduce((sum, fate) => sum + frames[FATE[fate]], 0);
  return seen === 0 ? 1 : 1 + frames[FATE.sampled] / seen;
}

/** One in how many, with two decimals where it is no whole number. */
export function rateText(rate: number): string {
  return String(Math.round(rate * 100) / 100);
}

/**
 * The report of a run that saw one in `rate` of the traffic, with its counts scaled to all of it and marked as such.
 * Ratios, statistics, distinct counts, the ledger and the map are of the part that was seen.
 */
export function scaledReport(value: ReportValue, rate: number): ReportValue {
  if (rate === 1) return value;
  const scaled: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) scaled[key] = AS_SEEN.has(key) ? part : scale(part, rate);
  return { ...(scaled as unknown as ReportValue), sampled: { rate, scaled: true } };
}

function scale(part: unknown, rate: number): unknown {
  if (Array.isArray(part)) return part.map((one) => scale(one, rate));
  if (typeof part !== 'object' || part === null) return part;
  const scaled: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(part)) {
    if (typeof value === 'number') scaled[key] = COUNTS.has(key) ? scaledCount(key, value, rate) : value;
    else if (key === 'timeline')
      scaled[key] = { ...value, queries: value.queries.map((n: number) => Math.round(n * rate)) };
    else scaled[key] = scale(value, rate);
  }
  return scaled;
}

function scaledCount(key: string, value: number, rate: number): number {
  return key.endsWith('per_second') ? value * rate : Math.round(value * rate);
}
