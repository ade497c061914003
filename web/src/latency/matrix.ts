/** A cell of the store's answer: which bucket of time, which of latency (null = no answer came), how many. */
export interface Cell {
  time: number;
  /** Lower edge of the log2 bucket, ms; null: unanswered. */
  bucket: number | null;
  count: number;
}

export interface Matrix {
  /** Starts of the columns, ms since 1970; every step of the range, also the empty ones. */
  time: number[];
  /** Lower edges of the rows, ms, ascending without a hole. */
  bucketMs: number[];
  /** `counts[column][row]`. */
  counts: number[][];
  /** Unanswered per column: a row of its own, above the slowest. */
  unanswered: number[];
  total: number;
}

/** Time × log2 latency with no hole in either axis. */
export function latencyMatrix(cells: readonly Cell[], from: number, to: number, stepMs: number): Matrix {
  const time: number[] = [];
  for (let at = Math.floor(from / stepMs) * stepMs; at < to; at += stepMs) time.push(at);
  const exponents = cells.flatMap(({ bucket }) =>
    bucket === null || bucket <= 0 ? [] : [Math.round(Math.log2(bucket))],
  );
  const low = exponents.length === 0 ? -3 : Math.min(...exponents);
  const high = exponents.length === 0 ? 10 : Math.max(...exponents);
  const bucketMs = Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i));
  const counts = time.map(() => bucketMs.map(() => 0));
  const unanswered = time.map(() => 0);
  let total = 0;
  for (const { time: at, bucket, count } of cells) {
    const column = Math.floor((at - (time[0] ?? 0)) / stepMs);
    if (column < 0 || column >= time.length) continue;
    total += count;
    if (bucket === null) unanswered[column] += count;
    else counts[column][bucket <= 0 ? 0 : Math.round(Math.log2(bucket)) - low] += count;
  }
  return { time, bucketMs, counts, unanswered, total };
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 604800];

/** Seconds of a bucket such that a range shows about `columns` of them. */
export function stepFor(rangeMs: number, columns: number): number {
  const wanted = rangeMs / 1000 / columns;
  return STEPS.find((step) => step >= wanted) ?? STEPS[STEPS.length - 1];
}
