import type { Overview } from '../../../src/server/schema/overview.ts';

type Heatmap = Overview['latency_heatmap'];

/** Rows beyond the lowest and highest that hold anything: a scale with room. */
const BEYOND = 3;

/** The same with every doubling between its lowest and highest bucket, some beyond; only buckets that occur are sent. */
export function everyDoubling({ time, bucket_ms, counts }: Heatmap): Heatmap {
  const exponents = bucket_ms.map((ms) => (ms > 0 ? Math.round(Math.log2(ms)) : null));
  const known = exponents.filter((exponent) => exponent !== null);
  if (known.length === 0) return { time, bucket_ms, counts };
  const low = Math.min(...known) - BEYOND;
  const high = Math.max(...known) + BEYOND;
  const rows = high - low + 1;
  return {
    time,
    bucket_ms: Array.from({ length: rows }, (_, row) => 2 ** (low + row)),
    counts: counts.map((column) => {
      const cells = new Array<number>(rows).fill(0);
      for (const [index, n] of column.entries()) {
        // Below any doubling, such as 0: just under the lowest.
        const exponent = exponents[index] ?? low + BEYOND - 1;
        cells[exponent - low] += n;
      }
      return cells;
    }),
  };
}
