import type { StatisticsResult, StatisticsRow } from '../store/store.ts';
import { type Band, countBand, isOutside, ratioBand, usualOver } from './bands.ts';
import type { Share } from './schema/common.ts';
import type { LatencyHeatmap, OverviewSeries } from './schema/overview.ts';
import { type Range, timeOf } from './times.ts';
import { ratioOf, type UsualNumbers } from './usual.ts';

/** A breakdown as shares of its sum. */
export function sharesOf(
  rows: readonly StatisticsRow[],
  dimension: 'type' | 'rcode' | 'outcome' | 'client' | 'server' | 'domain' | 'name',
  filter: (key: string) => string | null,
): Share[] {
  const sum = rows.reduce((total, { transactions = 0 }) => total + transactions, 0);
  return rows.flatMap((row) => {
    const key = row[dimension];
    if (key === null || key === undefined) return [];
    return [{ key, count: row.transactions ?? 0, ratio: ratioOf(row.transactions, sum), f: filter(key) }];
  });
}

/** Begins of all buckets of a range, ms. */
export function bucketsOf({ from, to }: Range, step: number): number[] {
  const width = step * 1000;
  const first = Math.floor(from / width) * width;
  return Array.from({ length: Math.max(1, Math.ceil((to - first) / width)) }, (_, i) => first + i * width);
}

/** Rows by the begin of their bucket. */
export function rowsByTime(rows: readonly StatisticsRow[]): Map<number, StatisticsRow> {
  return new Map(rows.map((row) => [row.time ?? 0, row]));
}

/** The charts of the first screen, with what is expected, and ticks where that was not kept. */
export function seriesOf(
  { rows }: StatisticsResult,
  { step, ...range }: Range & { step: number },
  usual: UsualNumbers | null,
): OverviewSeries {
  const times = bucketsOf(range, step);
  const byTime = rowsByTime(rows);
  const at = times.map((time): StatisticsRow => byTime.get(time) ?? {});
  const series: OverviewSeries = {
    step,
    time: times.map(timeOf),
    transactions: at.map(({ transactions = 0 }) => transactions),
    nxdomain_ratio: at.map((row) => ratioOf(row.nxdomain, row.transactions)),
    servfail_ratio: at.map((row) => ratioOf(row.servfail, row.transactions)),
    unanswered_ratio: at.map((row) => ratioOf(row.unanswered, row.transactions)),
    expected: { transactions: null, nxdomain_ratio: null },
    anomalies: [],
  };
  if (usual === null) return series;
  const expect = (name: 'transactions' | 'nxdomain_ratio', band: (time: number, i: number) => Band | null) => {
    const bands = times.map(band);
    if (bands.every((one) => one === null)) return;
    series.expected[name] = { low: bands.map((one) => one?.low ?? null), high: bands.map((one) => one?.high ?? null) };
    bands.forEach((one, i) => {
      const value = series[name][i];
      // The bucket at the edge of now is not full yet.
      const isWhole = times[i] >= range.from && times[i] + step * 1000 <= range.to;
      if (isWhole && value !== null && isOutside(value, one)) {
        series.anomalies.push({ time: series.time[i], series: name, value });
      }
    });
  };
  expect('transactions', (time) => {
    const like = usualOver(usual.transactions, time, time + step * 1000);
    return like && countBand(like, step / 3600);
  });
  expect('nxdomain_ratio', (time, i) => {
    const like = usualOver(usual.nxdomain_ratio, time, time + step * 1000);
    return like && series.transactions[i] > 0 ? ratioBand(like, series.transactions[i]) : null;
  });
  return series;
}

/** Rows of the buckets of latency, as columns. */
export function heatmapOf({ rows }: StatisticsResult, step: number, range: Range): LatencyHeatmap {
  const times = bucketsOf(range, step);
  const indexOf = new Map(times.map((time, i) => [time, i]));
  const cells = rows.flatMap(({ time = 0, latency_bucket: edge, transactions = 0 }) =>
    edge === null || edge === undefined ? [] : [{ i: indexOf.get(time), edge: Number(edge), transactions }],
  );
  const edges = [...new Set(cells.map(({ edge }) => edge))].sort((a, b) => a - b);
  const counts = times.map(() => edges.map(() => 0));
  for (const { i, edge, transactions } of cells) {
    if (i !== undefined) counts[i][edges.indexOf(edge)] += transactions;
  }
  return { time: times.map(timeOf), bucket_ms: edges, counts };
}
