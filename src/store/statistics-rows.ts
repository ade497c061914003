import type { LogHistogram } from '../sketch/histogram.ts';
import { emptySummary, type Summary } from '../sketch/summary.ts';
import type { Row, SqlValue } from './duckdb.ts';
import { DIMENSION_SQL, dimensionText, DISTRIBUTION, MEASURE_COLUMNS, ROLLUP_PRECISION } from './measures.ts';
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

/** Transactions of rollups by latency. Edges of their buckets are up to 0.06 % below those of `latency_bucket`. */
export function heatmapSql(buckets: string): string {
  const steps = 2 ** ROLLUP_PRECISION;
  const lower = `pow(2, (b - 1) // ${steps}) * (1 + (b - 1) % ${steps} / ${steps})`;
  const key = `CASE WHEN b > 0 THEN floor(log2(${lower} / 1e6) + 0.001)::INTEGER END`;
  const counts = `SELECT time, unnest(map_keys(latency_histogram))::INTEGER AS b, unnest(map_values(latency_histogram))::BIGINT AS n ${buckets}`;
  return `SELECT time, ${key} AS latency_bucket, n AS transactions FROM (${counts}) UNION ALL
    SELECT time, NULL, transactions - latency_n ${buckets} AND transactions > latency_n`;
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
