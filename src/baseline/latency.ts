import type { UsualLatency } from '../core/usual.ts';
import { bucketLower, bucketMiddle, logBucket } from '../sketch/histogram.ts';

/** Latencies are counted in units of 10 µs, eight buckets to a doubling (± 6 %), up to 42 s. */
const UNIT_MS = 0.01;
const BITS = 22;
const PRECISION = 3;
export const BUCKETS = (BITS << PRECISION) + 1;

/** Milliseconds that stand for each bucket. */
const MIDDLE = Float64Array.from({ length: BUCKETS }, (_, i) => bucketMiddle(i, PRECISION) * UNIT_MS);

export function bucketOf(ms: number): number {
  return logBucket(ms / UNIT_MS, BITS, PRECISION);
}

/** Milliseconds at which a bucket begins and ends. */
export function edgesOf(bucket: number): [number, number] {
  const from = bucket === 0 ? 0 : bucketLower(bucket, PRECISION) * UNIT_MS;
  return [from, bucketLower(bucket + 1, PRECISION) * UNIT_MS];
}

/** `BUCKETS` weights from `at`; weights fade, so they are no whole numbers. */
export type Weights = Float32Array | Float64Array;

export function weightOf(weights: Weights, at: number): number {
  let n = 0;
  for (let i = at, end = at + BUCKETS; i < end; i++) n += weights[i];
  return n;
}

/** The bucket of a quantile, −1 when there is nothing. */
export function quantileBucket(weights: Weights, at: number, q: number, n: number = weightOf(weights, at)): number {
  if (!(n > 0)) return -1;
  const rank = q * n;
  let sum = 0;
  let last = -1;
  for (let i = 0; i < BUCKETS; i++) {
    const weight = weights[at + i];
    if (weight <= 0) continue;
    sum += weight;
    last = i;
    if (sum >= rank && sum > 0) return i;
  }
  return last;
}

/** Milliseconds at a quantile; NaN when there is nothing. */
export function quantile(weights: Weights, at: number, q: number): number {
  const bucket = quantileBucket(weights, at, q);
  return bucket < 0 ? Number.NaN : MIDDLE[bucket];
}

/** Share of the weights below a value, 0 … 1, its own bucket counted half; NaN when there is nothing. */
export function rankOf(weights: Weights, at: number, ms: number): number {
  const bucket = bucketOf(ms);
  let below = 0;
  let n = 0;
  for (let i = 0; i < BUCKETS; i++) {
    const weight = weights[at + i];
    n += weight;
    if (i < bucket) below += weight;
    else if (i === bucket) below += weight / 2;
  }
  return n > 0 ? below / n : Number.NaN;
}

/** Chance that a usual latency is at least this long: never 0, as only so many were seen. */
export function tailOf(weights: Weights, at: number, ms: number): number {
  const bucket = bucketOf(ms);
  let above = 0;
  let n = 0;
  for (let i = 0; i < BUCKETS; i++) {
    n += weights[at + i];
    if (i >= bucket) above += weights[at + i];
  }
  return (above + 1) / (n + 1);
}

/** What is known of a distribution; null when there is nothing. */
export function usualOf(weights: Weights, at: number): UsualLatency | null {
  const n = weightOf(weights, at);
  if (!(n > 0)) return null;
  let sum = 0;
  for (let i = 0; i < BUCKETS; i++) sum += weights[at + i] * MIDDLE[i];
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < BUCKETS; i++) squares += weights[at + i] * (MIDDLE[i] - mean) ** 2;
  const variance = squares / n;
  const p = (q: number) => MIDDLE[quantileBucket(weights, at, q, n)];
  const median = p(0.5);
  return {
    n,
    mean,
    variance,
    stddev: Math.sqrt(variance),
    median,
    mad: madOf(weights, at, median, n),
    p5: p(0.05),
    p25: p(0.25),
    p75: p(0.75),
    p90: p(0.9),
    p95: p(0.95),
    p99: p(0.99),
    p999: p(0.999),
  };
}

function madOf(weights: Weights, at: number, median: number, n: number): number {
  const distances: [number, number][] = [];
  for (let i = 0; i < BUCKETS; i++) {
    if (weights[at + i] > 0) distances.push([Math.abs(MIDDLE[i] - median), weights[at + i]]);
  }
  distances.sort((a, b) => a[0] - b[0]);
  let sum = 0;
  for (const [distance, weight] of distances) {
    sum += weight;
    if (sum >= n / 2) return distance;
  }
  return 0;
}

/** Answers of two kinds: from a cache, and by way of other servers. */
export interface Valley {
  /** Milliseconds between the two. */
  at: number;
  /** Share of the fast ones, and the medians of both. */
  share: number;
  fast: number;
  slow: number;
}

/** Weights on each side of a valley, and how much deeper than the lower hill it must be. */
const LEAST_SHARE = 0.02;
const DEPTH = 0.5;
/** Half the width over which weights are smoothed, in buckets. */
const SMOOTH = 3;

/** The valley between the two hills of a resolver's latencies; null when there is one hill only. */
export function valleyOf(weights: Weights, at: number): Valley | null {
  const n = weightOf(weights, at);
  if (n < 50) return null;
  const smooth = smoothed(weights, at);
  let best: { i: number; depth: number } | undefined;
  for (let i = 1; i < BUCKETS - 1; i++) {
    if (smooth[i] > smooth[i - 1] || smooth[i] > smooth[i + 1]) continue;
    const left = Math.max(...smooth.subarray(0, i));
    const right = Math.max(...smooth.subarray(i + 1));
    const lower = Math.min(left, right);
    if (lower <= 0 || smooth[i] > lower * DEPTH) continue;
    const depth = lower - smooth[i];
    if (best === undefined || depth > best.depth) best = { i, depth };
  }
  if (best === undefined) return null;
  const fastHalf = new Float64Array(BUCKETS);
  const slowHalf = new Float64Array(BUCKETS);
  for (let i = 0; i < BUCKETS; i++) (i <= best.i ? fastHalf : slowHalf)[i] = weights[at + i];
  const share = weightOf(fastHalf, 0) / n;
  if (share < LEAST_SHARE || share > 1 - LEAST_SHARE) return null;
  return { at: MIDDLE[best.i], share, fast: quantile(fastHalf, 0, 0.5), slow: quantile(slowHalf, 0, 0.5) };
}

function smoothed(weights: Weights, at: number): Float64Array {
  const smooth = new Float64Array(BUCKETS);
  for (let i = 0; i < BUCKETS; i++) {
    let sum = 0;
    for (let k = -SMOOTH; k <= SMOOTH; k++) {
      const j = i + k;
      if (j >= 0 && j < BUCKETS) sum += weights[at + j] * (SMOOTH + 1 - Math.abs(k));
    }
    smooth[i] = sum;
  }
  return smooth;
}

/** Share of usual answers that may be below the floor: what lies there was stamped wrongly, or came from nearer. */
const BELOW_FLOOR = 0.005;

/** Milliseconds below which answers of this server hardly ever come; NaN when little is known. */
export function floorOf(weights: Weights, at: number): number {
  const n = weightOf(weights, at);
  return n < 100 ? Number.NaN : MIDDLE[quantileBucket(weights, at, BELOW_FLOOR, n)];
}

/** Answers that teach, at least, for the spread of a latency to be known. */
const MEMORY = 200;

/** Learns the `n`th latency, ln(ms), into the mean at `at`, and the variance after it. */
export function learnTypical(floats: Float32Array, at: number, n: number, value: number): void {
  const weight = Math.min(MEMORY, n);
  const distance = value - floats[at];
  floats[at] += distance / weight;
  floats[at + 1] += (distance * (value - floats[at]) - floats[at + 1]) / weight;
}

/** Mean and standard deviation of ln(ms) that were learnt at `at`. */
export function typicalOf(floats: Float32Array, at: number): { mean: number; deviation: number } {
  return { mean: floats[at], deviation: Math.sqrt(Math.max(0, floats[at + 1])) };
}

/** Largest distance of two distributions' sums (Kolmogorov, Smirnov), 0 … 1; 0 when either is empty. */
export function distanceOf(a: Weights, aAt: number, b: Weights, bAt: number): number {
  const an = weightOf(a, aAt);
  const bn = weightOf(b, bAt);
  if (!(an > 0) || !(bn > 0)) return 0;
  let most = 0;
  let sum = 0;
  for (let i = 0; i < BUCKETS; i++) {
    sum += a[aAt + i] / an - b[bAt + i] / bn;
    if (Math.abs(sum) > most) most = Math.abs(sum);
  }
  return most;
}

/** Chance of `k` or more of `n` when each happens with `p`: an upper bound (Chernoff), exact enough for alarms. */
export function binomialTail(k: number, n: number, p: number): number {
  if (k <= n * p || n === 0) return 1;
  if (k > n || p <= 0) return 0;
  const share = k / n;
  const rest = share >= 1 ? 0 : (1 - share) * Math.log((1 - share) / (1 - p));
  return Math.exp(-n * (share * Math.log(share / p) + rest));
}
