import type { Beat } from '../../../src/server/schema/probes.ts';

/** Results in buckets of time, for the chart: null where nothing was checked, or nothing came back. */
export interface Smoke {
  /** Starts of the buckets, ms since 1970. */
  time: number[];
  median: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  max: (number | null)[];
  /** Share without an answer, 0 … 1; null where nothing was checked. */
  loss: (number | null)[];
}

/** Beats between two times (ms) in buckets of `stepMs`. */
export function smokeOf(beats: readonly Beat[], from: number, to: number, stepMs: number): Smoke {
  const first = Math.floor(from / stepMs);
  const n = Math.max(1, Math.ceil(to / stepMs) - first);
  const empty = (): (number | null)[] => new Array<number | null>(n).fill(null);
  const smoke: Smoke = {
    time: Array.from({ length: n }, (_, i) => (first + i) * stepMs),
    median: empty(),
    low: empty(),
    high: empty(),
    max: empty(),
    loss: empty(),
  };
  const groups = Map.groupBy(beats, ({ time }) => Math.floor(Date.parse(time) / stepMs) - first);
  for (const [i, group] of groups) {
    if (i < 0 || i >= n) continue;
    const of = (key: 'p25' | 'p50' | 'p75' | 'max') => group.map((beat) => beat[key]).filter((ms) => ms !== null);
    const medians = of('p50').sort((a, b) => a - b);
    const checks = group.reduce((sum, beat) => sum + beat.checks, 0);
    smoke.loss[i] = group.reduce((sum, beat) => sum + beat.loss * beat.checks, 0) / Math.max(1, checks);
    if (medians.length === 0) continue;
    smoke.median[i] = medians[Math.ceil(medians.length / 2) - 1];
    smoke.low[i] = Math.min(...of('p25'));
    smoke.high[i] = Math.max(...of('p75'));
    smoke.max[i] = Math.max(...of('max'));
  }
  return smoke;
}

/** Seconds of a bucket: whole minutes, at most `most` of them in the range. */
export function stepOf(spanMs: number, most: number): number {
  const steps = [60, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400];
  return steps.find((step) => spanMs / 1000 / step <= most) ?? 86_400;
}

/** How bad a loss is: a word that colours and shapes go by. */
export function lossLevel(loss: number | null): 'none' | 'ok' | 'some' | 'most' {
  if (loss === null) return 'none';
  if (loss === 0) return 'ok';
  return loss < 0.5 ? 'some' : 'most';
}
