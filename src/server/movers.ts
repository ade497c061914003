import type { StatisticsRow } from '../store/store.ts';
import type { Mover } from './schema/overview.ts';

/** Below so many transactions nothing is called a change. */
const LEAST = 10;

/**
 * Who changed most: `now` counts of the range, `before` counts of a longer time before it, `scale` makes the one as long
 * as the other. In order of how unlikely the change is by chance, not of volume.
 */
export function moversOf(now: Counted, before: Counted, scale: number, filter: (key: string) => string): Mover[] {
  const usual = new Map(before.rows.map(({ key, count }) => [key, count * scale]));
  const movers: { mover: Mover; score: number }[] = [];
  const add = (key: string, count: number, expected: number) => {
    if (Math.max(count, expected) < LEAST) return;
    // Difference over its chance: a count varies by its root.
    const score = Math.abs(count - expected) / Math.sqrt(expected + 1);
    if (score < 3) return;
    const change = expected > 0 ? (count - expected) / expected : null;
    movers.push({ mover: { key, now: count, usual: expected, change, f: filter(key) }, score });
  };
  const seen = new Set<string>();
  for (const { key, count } of now.rows) {
    seen.add(key);
    add(key, count, usual.get(key) ?? before.floor * scale);
  }
  for (const [key, expected] of usual) if (!seen.has(key)) add(key, Math.min(now.floor, expected), expected);
  return movers
    .sort((a, b) => b.score - a.score)
    .slice(0, 10)
    .map(({ mover }) => mover);
}

/** Counts of the most frequent keys; a key that is not among them was seen at most `floor` times. */
export interface Counted {
  rows: { key: string; count: number }[];
  floor: number;
}

/** The counts of a table that was asked for with a limit. */
export function countsBy(rows: readonly StatisticsRow[], dimension: 'domain' | 'client', limit: number): Counted {
  const counts = rows.flatMap((row) => {
    const key = row[dimension];
    return key === null || key === undefined ? [] : [{ key, count: row.transactions ?? 0 }];
  });
  return { rows: counts, floor: rows.length < limit ? 0 : (counts.at(-1)?.count ?? 0) };
}
