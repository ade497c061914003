import type { Condition } from '../condition.ts';
import { CUBE } from '../measures.ts';
import type { RowStore } from '../session.ts';
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
import { KEPT_BY_KEY, KEYED_ROLLUPS, type Step, STEPS } from './schema.ts';

/** Up to so many rows are counted one by one: percentiles are finer then, and it takes no longer than a blink. */
export const COUNTED_ROWS = 300_000;

/** Where a piece of the range is counted. */
export interface Piece {
  step: Step | 'transactions';
  from: number;
  to: number;
}

/** How a question is answered. */
export interface Plan {
  query: StatisticsQuery;
  group: readonly Dimension[];
  condition: Condition;
  pieces: readonly Piece[];
  /** Table of a step of the rollup, where pieces are counted there. */
  table(step: Step): string;
  isHeatmap: boolean;
  isFew: boolean;
  counts: readonly Count[];
  distincts: readonly Distinct[];
  distributions: readonly DistributionName[];
}

/** Decides where each part of the range is counted. `heldFrom`: transactions before it (ms) are gone. */
export function planOf(
  rows: RowStore,
  query: StatisticsQuery,
  condition: Condition,
  { countedRows = COUNTED_ROWS, heldFrom }: { countedRows?: number | undefined; heldFrom: number },
): Plan {
  const group = query.group ?? [];
  const measures = new Set<Measure>(query.measures);
  if (query.order !== undefined) measures.add(query.order.by);
  const has = <T extends Measure>(list: readonly T[]) => list.filter((name) => measures.has(name));
  const distincts = has(DISTINCTS);
  const isCounted = [...measures].every((name) => name === 'transactions');
  const isHeatmap = group.length === 1 && group[0] === 'latency_bucket' && isCounted;
  const distributions = has(DISTRIBUTIONS);
  const isByKey = group.length === 1 && distributions.every((name) => KEPT_BY_KEY.includes(name));
  const keyed = KEYED_ROLLUPS.filter(({ key }) => isByKey && group[0] === key);
  const isRolledUp =
    condition.sql === 'true' &&
    (keyed.length > 0 || group.every((name) => name in CUBE) || isHeatmap) &&
    (distincts.length === 0 || group.length === 0);
  const steps: Step[] = keyed.length > 0 ? keyed.map(({ step }) => step) : ['minutes', 'hours'];
  const { from, to } = query;
  const few = rows.parts.rowsBetween(from, to);
  const isRaw = !isRolledUp || (few <= countedRows && from >= heldFrom);
  return {
    query,
    group,
    condition,
    pieces: isRaw ? pieceOf('transactions', from, to) : piecesOf(query, steps),
    table: (step) => keyed.find((one) => one.step === step)?.name ?? step,
    isHeatmap,
    isFew: few <= COUNTED_ROWS,
    counts: has(COUNTS),
    distincts,
    distributions,
  };
}

function pieceOf(step: Piece['step'], from: number, to: number): Piece[] {
  return from < to ? [{ step, from, to }] : [];
}

/** Whole hours, whole minutes at their edges, and single rows beyond. */
function piecesOf({ from, to, step = 3600 }: StatisticsQuery, steps: readonly Step[]): Piece[] {
  const fits = (name: Step) => steps.includes(name) && (step * 1000) % STEPS[name] === 0;
  const split = (name: Step, a: number, b: number, rest: (a: number, b: number) => Piece[]): Piece[] => {
    const begin = Math.ceil(a / STEPS[name]) * STEPS[name];
    const end = Math.floor(b / STEPS[name]) * STEPS[name];
    if (!fits(name) || begin >= end) return rest(a, b);
    return [...rest(a, begin), ...pieceOf(name, begin, end), ...rest(end, b)];
  };
  const raw = (a: number, b: number) => pieceOf('transactions', a, b);
  return split('hours', from, to, (a, b) => split('minutes', a, b, raw));
}
