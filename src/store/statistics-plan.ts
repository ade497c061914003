import type { Condition } from './condition.ts';
import type { EmbeddedStore } from './embedded.ts';
import { CUBE, KEYED } from './measures.ts';
import type { RollupTable } from './rollups.ts';
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
export const COUNTED_ROWS = 3_000_000;
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
    (kind > 0 || group.every((name) => name in CUBE)) &&
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
  const { countedRows = COUNTED_ROWS } = store.options;
  if (store.parts.rowsBetween(from, to) <= countedRows) return raw(from, to);
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
  const byMinute = (a: number, b: number): Piece[] =>
    keyed && store.parts.rowsBetween(a, b) <= COUNTED_ROWS ? raw(a, b) : split('minutes', a, b, raw);
  if (step !== undefined && step % 60 !== 0) return raw(from, to);
  if (step !== undefined && step % 3600 !== 0) return byMinute(from, to);
  return split('hours', from, to, byMinute);
}
