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

/**
 * The report of a run that saw one in `rate` of the traffic, with its counts scaled to all of it and marked as such.
 * Ratios, statistics, distinct counts, the ledger and the map are of the part that was seen.
 */
export function scaledReport(value: ReportValue, rate: number): ReportValue {
  const scaled: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) scaled[key] = AS_SEEN.has(key) ? part : scale(part, rate);
  return { ...(scaled as unknown as ReportValue), sampled: { rate, scaled: true } };
}

function scale(part: unknown, rate: number): unknown {
  if (Array.isArray(part)) return part.map((one) => scale(one, rate));
  if (typeof part !== 'object' || part === null) return part;
  const scaled: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(part)) {
    if (typeof value === 'number') scaled[key] = COUNTS.has(key) ? value * rate : value;
    else if (key === 'timeline') scaled[key] = { ...value, queries: value.queries.map((n: number) => n * rate) };
    else scaled[key] = scale(value, rate);
  }
  return scaled;
}
