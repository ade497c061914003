import type { LogHistogram } from '../sketch/histogram.ts';
import { emptySummary, type Summary } from '../sketch/summary.ts';
import type { Row, SqlValue } from './duckdb.ts';
import { DIMENSION_SQL, dimensionText, DISTRIBUTION, MEASURE_COLUMNS } from './measures.ts';
import type { Count, Dimension, Distinct, DistributionName, StatisticsRow } from './store.ts';

/** A row on its way: as it came from the database, and as it is answered. */
export interface Found {
  row: Row;
  out: StatisticsRow;
}

export const MOMENTS = ['n', 'sum', 'squares', 'min', 'max'] as const;

export function columnsNamed(names: readonly string[]) {
  return MEASURE_COLUMNS.filter(({ name }) => names.includes(name)).map(({ name, from }) => ({ name, from }));
}

/** Exact where rows are few: the estimate of the database is far off for small numbers. */
export function distinctSql(name: Distinct, isExact: boolean): string {
  const value = { clients: 'client', servers: 'server', names: DIMENSION_SQL.name, domains: DIMENSION_SQL.domain }[
    name
  ];
  return isExact ? `count(DISTINCT ${value})` : `approx_count_distinct(${value})`;
}

export function keyText(value: SqlValue | undefined): string {
  if (value === null || value === undefined) return '';
  return value instanceof Uint8Array ? `x${Buffer.from(value).toString('hex')}` : `${typeof value} ${String(value)}`;
}

export function outputOf(
  row: Row,
  group: readonly Dimension[],
  counts: readonly Count[],
  distributions: readonly DistributionName[],
): StatisticsRow {
  const out: StatisticsRow = {};
  if (row.t !== undefined && row.t !== null) out.time = Number(row.t);
  group.forEach((name, k) => {
    out[name] = dimensionText(name, row[`d${k}`]);
  });
  for (const name of counts) out[name] = Number(row[name] ?? 0);
  for (const name of distributions) out[name] = summaryOf(row, name);
  return out;
}

/** Moments are exact: whole numbers until the last division. */
function summaryOf(row: Row, name: DistributionName): Summary {
  const { unit, scale } = DISTRIBUTION[name];
  const n = Number(row[`${name}_n`] ?? 0);
  if (n === 0) return emptySummary(unit);
  const sum = BigInt(String(row[`${name}_sum`] ?? 0));
  const squares = BigInt(String(row[`${name}_squares`] ?? 0));
  const variance = Number(BigInt(n) * squares - sum * sum) / (n * n);
  return {
    ...emptySummary(unit),
    n,
    mean: Number(sum) / n / scale,
    variance: variance / (scale * scale),
    stddev: Math.sqrt(variance) / scale,
    min: Number(row[`${name}_min`]) / scale,
    max: Number(row[`${name}_max`]) / scale,
  };
}

export function addPercentiles(summary: Summary, histogram: LogHistogram, scale: number): void {
  const { min, max } = summary;
  const at = (q: number) => Math.min(max ?? 0, Math.max(min ?? 0, histogram.percentile(q) / scale));
  summary.p50 = at(0.5);
  summary.p90 = at(0.9);
  summary.p95 = at(0.95);
  summary.p99 = at(0.99);
  summary.error = histogram.error;
}
