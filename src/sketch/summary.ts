import { LogHistogram } from './histogram.ts';
import { Moments, type MomentsState } from './moments.ts';

/**
 * One statistic. Every number is null when n = 0; variance is the population's (÷ n) in unit²; percentiles are nearest
 * rank. `error` is the largest relative error of the percentiles, absent where they are exact.
 */
export interface Summary {
  n: number;
  mean: number | null;
  variance: number | null;
  stddev: number | null;
  min: number | null;
  max: number | null;
  p50: number | null;
  p90: number | null;
  p95: number | null;
  p99: number | null;
  unit: string;
  error?: number;
}

/** Summary of values at hand, percentiles exact. NaN values are a caller's mistake and are left out. */
export function summarize(values: Iterable<number> | Float64Array, unit = ''): Summary {
  const sorted = Float64Array.from(values)
    .filter((v) => !Number.isNaN(v))
    .sort();
  const n = sorted.length;
  if (n === 0) return emptySummary(unit);
  // Welford: stable for any magnitude; two passes would need the mean first and gain nothing.
  let mean = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const delta = sorted[i] - mean;
    mean += delta / (i + 1);
    squares += delta * (sorted[i] - mean);
  }
  const variance = squares / n;
  const rank = (q: number) => sorted[Math.max(1, Math.ceil(q * n)) - 1];
  return {
    n,
    mean,
    variance,
    stddev: Math.sqrt(variance),
    min: sorted[0],
    max: sorted[n - 1],
    p50: rank(0.5),
    p90: rank(0.9),
    p95: rank(0.95),
    p99: rank(0.99),
    unit,
  };
}

/** What a statistic without a single value looks like. */
export function emptySummary(unit: string): Summary {
  return {
    n: 0,
    mean: null,
    variance: null,
    stddev: null,
    min: null,
    max: null,
    p50: null,
    p90: null,
    p95: null,
    p99: null,
    unit,
  };
}

/** Values that wait to be counted: one loop over many keeps its sums in registers. */
const WAITING = 512;

/** A stream of whole numbers in bounded memory: exact moments, percentiles from buckets. Mergeable. */
export class Distribution {
  readonly #moments: Moments;
  readonly #histogram: LogHistogram;
  readonly #waiting = new Float64Array(WAITING);
  #count = 0;

  /** Values below 2^`bits` are told apart. */
  constructor(bits: number, moments: Moments = new Moments(), counts?: Float64Array) {
    this.#moments = moments;
    this.#histogram = new LogHistogram(bits, 7, counts);
  }

  get moments(): Moments {
    this.#settle();
    return this.#moments;
  }

  get histogram(): LogHistogram {
    this.#settle();
    return this.#histogram;
  }

  get n(): number {
    return this.moments.n;
  }

  add(value: number): void {
    this.#waiting[this.#count++] = value;
    if (this.#count === WAITING) this.#settle();
  }

  #settle(): void {
    if (this.#count === 0) return;
    const values = this.#waiting.subarray(0, this.#count);
    this.#count = 0;
    this.#moments.addAll(values);
    this.#histogram.addAll(values);
  }

  merge(other: Distribution): void {
    this.moments.merge(other.moments);
    this.histogram.merge(other.histogram);
  }

  /** Summary in `unit`, one of which is `scale` of the values added (1e6 for nanoseconds shown in milliseconds). */
  summary(unit: string, scale = 1): Summary {
    const { n, min, max, mean, variance } = this.moments;
    if (n === 0) return emptySummary(unit);
    const percentile = (q: number) => Math.min(max, Math.max(min, this.histogram.percentile(q))) / scale;
    return {
      n,
      mean: mean / scale,
      variance: variance / (scale * scale),
      stddev: Math.sqrt(variance) / scale,
      min: min / scale,
      max: max / scale,
      p50: percentile(0.5),
      p90: percentile(0.9),
      p95: percentile(0.95),
      p99: percentile(0.99),
      unit,
      error: this.histogram.error,
    };
  }

  state(): DistributionState {
    return { bits: this.histogram.bits, moments: this.moments.state(), counts: this.histogram.counts };
  }

  static from(state: DistributionState): Distribution {
    return new Distribution(state.bits, Moments.from(state.moments), state.counts);
  }

  /** The sum of several, none of them changed. */
  static sum(parts: readonly Distribution[]): Distribution {
    const whole = new Distribution(parts[0].histogram.bits);
    for (const part of parts) whole.merge(part);
    return whole;
  }
}

export interface DistributionState {
  bits: number;
  moments: MomentsState;
  counts: Float64Array;
}
