import type { Condition } from '../condition.ts';
import { CUBE, KEYED } from '../measures.ts';
import { ROLLUPS } from '../schema.ts';
import { isHeatmap } from '../statistics-plan.ts';
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
} from '../store.ts';
import type { Days } from './days.ts';

/** Up to so many rows are counted one by one; more only where rollups do not have the answer. */
export const COUNTED_ROWS = 100_000;

/** A part of the range, [from, to) ms, and where it is counted. */
export interface Piece {
  table: 'hours' | 'minutes' | 'hours_by_key' | 'transactions';
  from: number;
  to: number;
}

/** How a question is answered. */
export interface Plan {
  query: StatisticsQuery;
  group: readonly Dimension[];
  condition: Condition;
  pieces: readonly Piece[];
  counts: readonly Count[];
  distincts: readonly Distinct[];
  distributions: readonly DistributionName[];
  /** Index into KEYED + 1, 0 = the cube. */
  kind: number;
}

/**
 * Decides where each part of the range is counted. Rollups of the cube are written with the rows, so they are always complete;
 * those by key are of the hours in `counted` (begins, ms), which have not changed since.
 */
export function planOf(
  days: Days,
  counted: readonly number[],
  query: StatisticsQuery,
  condition: Condition,
  countedRows = COUNTED_ROWS,
): Plan {
  const group = query.group ?? [];
  const measures = new Set<Measure>(query.measures);
  if (query.order !== undefined) measures.add(query.order.by);
  const has = <T extends Measure>(list: readonly T[]) => list.filter((name) => measures.has(name));
  const kind = KEYED.findIndex((name) => group.length === 1 && group[0] === name) + 1;
  const distincts = has(DISTINCTS);
  const isOfCube = kind === 0 && (group.every((name) => name in CUBE) || isHeatmap(query));
  const isRolledUp =
    condition.sql === 'true' && (kind > 0 || isOfCube) && (distincts.length === 0 || group.length === 0);
  const { from, to, step } = query;
  const raw = (a: number, b: number): Piece[] => (a < b ? [{ table: 'transactions', from: a, to: b }] : []);
  const rolledUp = (a: number, b: number) => (kind > 0 ? byKey(counted, a, b, raw) : byTime(days, step, a, b, raw));
  const kept = (a: number, b: number) => (days.rowsBetween(a, b) <= countedRows ? raw(a, b) : rolledUp(a, b));
  // What rows were given up of, rollups still know.
  const cut = Math.max(from, Math.min(to, days.heldFrom));
  const pieces =
    !isRolledUp || (step !== undefined && step % (kind > 0 ? 3600 : 60) !== 0)
      ? raw(from, to)
      : [...(cut > from ? rolledUp(from, cut) : []), ...kept(cut, to)];
  return { query, group, condition, pieces, kind, counts: has(COUNTS), distincts, distributions: has(DISTRIBUTIONS) };
}

type Rest = (from: number, to: number) => Piece[];

/** Whole hours, at the ends whole minutes, at their ends rows. */
function byTime(days: Days, step: number | undefined, from: number, to: number, raw: Rest): Piece[] {
  // Nothing lies behind the last row: its bucket counts as a whole.
  const last = days.list.reduce((max, day) => Math.max(max, day.last), Number.NEGATIVE_INFINITY);
  const split = (table: 'hours' | 'minutes', a: number, b: number, rest: Rest): Piece[] => {
    const size = ROLLUPS[table];
    const begin = Math.ceil(a / size) * size;
    const end = b > last ? Math.ceil(b / size) * size : Math.floor(b / size) * size;
    if (begin >= end) return rest(a, b);
    return [...rest(a, begin), { table, from: begin, to: end }, ...rest(Math.min(b, end), b)];
  };
  const byMinute = (a: number, b: number) => split('minutes', a, b, raw);
  return step !== undefined && step % 3600 !== 0 ? byMinute(from, to) : split('hours', from, to, byMinute);
}

/** Hours whose keys are counted, and rows in between. */
function byKey(counted: readonly number[], from: number, to: number, raw: Rest): Piece[] {
  const pieces: Piece[] = [];
  let at = from;
  for (const hour of counted) {
    if (hour < at || hour + ROLLUPS.hours > to) continue;
    pieces.push(...raw(at, hour));
    const before = pieces.at(-1);
    if (before?.table === 'hours_by_key' && before.to === hour) before.to += ROLLUPS.hours;
    else pieces.push({ table: 'hours_by_key', from: hour, to: hour + ROLLUPS.hours });
    at = hour + ROLLUPS.hours;
  }
  return [...pieces, ...raw(at, to)];
}
