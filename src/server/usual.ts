import type { Baselines } from '../core/usual.ts';
import type { StatisticsRow } from '../store/store.ts';
import type { Api } from './api.ts';
import { LikeHours, type PastHour, type UsualHours } from './bands.ts';

/** How far back like hours are looked for. */
const PAST_MS = 28 * 24 * 3_600_000;
const HOUR_MS = 3_600_000;

const SERIES = [
  'transactions',
  'nxdomain_ratio',
  'servfail_ratio',
  'unanswered_ratio',
  'latency_p50',
  'latency_p95',
  'latency_p99',
  'clients',
] as const;
/** What is usual of the first screen's numbers, by hour. Counts are per hour. */
export type UsualNumbers = Record<(typeof SERIES)[number], UsualHours>;
const LEARNT = ['transactions', 'nxdomain_ratio', 'servfail_ratio', 'unanswered_ratio'] as const;

/** As the baseline expects it in hours that are not over; while it warms up, and in other hours, as like hours were. */
export function withExpected(hours: UsualNumbers, baselines: Baselines | null): UsualNumbers {
  if (baselines === null) return hours;
  const learnt = LEARNT.map((series) => {
    const at = (time: number) => {
      const found = baselines.expected(series, Math.floor(time / HOUR_MS));
      return found === null ? hours[series].at(time) : { median: found.level, sigma: found.sigma };
    };
    return [series, { at }] as const;
  });
  return { ...hours, ...Object.fromEntries(learnt) };
}

/** Reads the hours before `before` (ms): whole ones, that hold something. */
export async function usualHours(api: Api, before: number): Promise<UsualNumbers> {
  const to = Math.floor(before / HOUR_MS) * HOUR_MS;
  const { rows } = await api.statistics({
    from: to - PAST_MS,
    to,
    step: 3600,
    measures: ['transactions', 'nxdomain', 'servfail', 'unanswered', 'latency', 'clients'],
  });
  // The first hour is not whole, it began in the middle; and the time before it says nothing.
  const hours = rows.filter(({ transactions = 0 }) => transactions > 0).slice(1);
  const series = (value: (row: StatisticsRow) => number | null) =>
    new LikeHours(hours.map((row): PastHour => ({ time: row.time ?? 0, value: value(row) })));
  return {
    transactions: series((row) => row.transactions ?? 0),
    nxdomain_ratio: series((row) => ratioOf(row.nxdomain, row.transactions)),
    servfail_ratio: series((row) => ratioOf(row.servfail, row.transactions)),
    unanswered_ratio: series((row) => ratioOf(row.unanswered, row.transactions)),
    latency_p50: series((row) => row.latency?.p50 ?? null),
    latency_p95: series((row) => row.latency?.p95 ?? null),
    latency_p99: series((row) => row.latency?.p99 ?? null),
    clients: series((row) => row.clients ?? null),
  };
}

/** Part of the whole; null of nothing. */
export function ratioOf(part: number | undefined, whole: number | undefined): number | null {
  return whole === undefined || whole === 0 ? null : (part ?? 0) / whole;
}
