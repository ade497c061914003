import type { Condition } from './condition.ts';
import type { EmbeddedStore } from './embedded.ts';
import { CUBE, KEYED } from './measures.ts';
import { MANY_ROWS, type RollupTable } from './rollups.ts';
import { ROLLUPS } from './schema.ts';
import {
  COUNTS,
  type Count,
  type Dimension,
  DISTINCTS,
  type Distinct,
  DISTRIBUTIONS,
  type DistributionName,
  type Measure,
  type StatisticsQuery,
} from './store.ts';
import type { Progress } from './upkeep.ts';

/** Up to so many rows are counted one by one; more only where rollups do not have the answer. */
export const COUNTED_ROWS = 300_000;
/** The same by keys (domain …): rollups of minutes have them only from 10,000 rows a minute on, those of hours always. */
const COUNTED_KEYED_ROWS = 600_000;
const HOUR_MS = ROLLUPS.hours;
/** Where a piece of the range is counted. */
export interface Piece {
  table: RollupTable | 'transactions';
  from: number;
  to: number;
}

/** How a question is answered. */
export interface Plan {
  query: StatisticsQuery;
  group: readonly Dimension[];
  condition: Condition;
  /** How far rollups have come. */
  progress: Progress;
  pieces: readonly Piece[];
  counts: readonly Count[];
  distincts: readonly Distinct[];
  distributions: readonly DistributionName[];
  /** Index into KEYED + 1, 0 = the cube. */
  kind: number;
}

/** Transactions by latency only: histograms of rollups have them. */
export function isHeatmap({ group = [], measures, order }: StatisticsQuery): boolean {
  const isCounted = [...measures, order?.by ?? 'transactions'].every((name) => name === 'transactions');
  return group.length === 1 && group[0] === 'latency_bucket' && isCounted;
}

/** Decides where each part of the range is counted. */
export function planOf(store: EmbeddedStore, progress: Progress, query: StatisticsQuery, condition: Condition): Plan {
  const group = query.group ?? [];
  const measures = new Set<Measure>(query.measures);
  if (query.order !== undefined) measures.add(query.order.by);
  const has = <T extends Measure>(list: readonly T[]) => list.filter((name) => measures.has(name));
  const kind = KEYED.findIndex((name) => group.length === 1 && group[0] === name) + 1;
  const distincts = has(DISTINCTS);
  const isRolledUp =
    condition.sql === 'true' &&
    (kind > 0 || group.every((name) => name in CUBE) || isHeatmap(query)) &&
    (distincts.length === 0 || group.length === 0);
  const pieces = isRolledUp
    ? piecesOf(store, progress, query, kind > 0)
    : [{ table: 'transactions' as const, from: query.from, to: query.to }];
  return {
    query,
    group,
    condition,
    progress,
    pieces,
    kind,
    counts: has(COUNTS),
    distincts,
    distributions: has(DISTRIBUTIONS),
  };
}

/** Parts of the range by where they are counted. */
function piecesOf(
  store: EmbeddedStore,
  progress: Progress,
  { from, to, step }: StatisticsQuery,
  keyed: boolean,
): Piece[] {
  const raw = (a: number, b: number): Piece[] => (a < b ? [{ table: 'transactions', from: a, to: b }] : []);
  const { countedRows = keyed ? COUNTED_KEYED_ROWS : COUNTED_ROWS } = store.options;
  const split = (table: RollupTable, a: number, b: number, rest: (a: number, b: number) => Piece[]): Piece[] => {
    const size = ROLLUPS[table];
    const begin = Math.ceil(a / size) * size;
    const { until } = progress[table];
    // The bucket that is being filled holds what is before `until`, and counts as a whole when the range goes beyond.
    const end = b >= until ? until : Math.floor(b / size) * size;
    if (begin >= end) return rest(a, b);
    return [...rest(a, begin), { table, from: begin, to: end }, ...rest(end, b)];
  };
  // Minutes have keys only where there is much traffic: what is little is counted from the rows.
  const byMinute = (a: number, b: number): Piece[] => {
    const least = keyed ? Math.max(COUNTED_KEYED_ROWS, (MANY_ROWS * (b - a)) / ROLLUPS.minutes) : 0;
    return keyed && store.parts.rowsBetween(a, b) <= least ? raw(a, b) : split('minutes', a, b, raw);
  };
  const rolledUp = (a: number, b: number): Piece[] => {
    if (step !== undefined && step % 60 !== 0) return raw(a, b);
    if (step !== undefined && step % 3600 !== 0) return byMinute(a, b);
    return split('hours', a, b, byMinute);
  };
  const kept = (a: number, b: number): Piece[] =>
    store.parts.rowsBetween(a, b) <= countedRows ? raw(a, b) : rolledUp(a, b);
  // What rows were given up of, rollups still know.
  const cut = Math.min(to, Math.ceil(store.parts.heldFrom / HOUR_MS) * HOUR_MS);
  return cut > from ? [...rolledUp(from, cut), ...kept(cut, to)] : kept(from, to);
}
