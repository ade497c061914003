// The upper half of a double holds its exponent and the first 20 bits of its fraction: a logarithm for free.
const FLOAT = new Float64Array(1);
const HIGH = new Uint32Array(FLOAT.buffer);
const HIGH_AT = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/**
 * Counts in buckets whose width grows with the value: 2^`precision` buckets for every doubling.
 *
 * Whole numbers below 2^(precision+1) are counted exactly; above, a percentile is off by at most 2^−(precision+1) of its
 * value (0.39 % at the default 7, 3.1 % at 4). Values below 1 (zero, and responses stamped before their query) share the
 * first bucket, values of 2^`bits` and more the last. Mergeable; the result does not depend on order.
 */
export class LogHistogram {
  readonly precision: number;
  readonly bits: number;
  readonly counts: Float64Array;
  n = 0;

  constructor(bits: number, precision = 7, counts?: Float64Array) {
    this.precision = precision;
    this.bits = bits;
    this.counts = counts ?? new Float64Array((bits << precision) + 1);
    for (let i = 0; counts !== undefined && i < counts.length; i++) this.n += counts[i];
  }

  add(value: number): void {
    this.n++;
    this.counts[logBucket(value, this.bits, this.precision)]++;
  }

  /** Adds many values at once. */
  addAll(values: Float64Array): void {
    const { counts, bits, precision } = this;
    for (let i = 0; i < values.length; i++) counts[logBucket(values[i], bits, precision)]++;
    this.n += values.length;
  }

  /** Largest relative error of `percentile`. */
  get error(): number {
    return 2 ** -(this.precision + 1);
  }

  /** The ⌈q·n⌉-th smallest value (nearest rank), as the middle of its bucket; NaN when empty. */
  percentile(q: number): number {
    if (this.n === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(q * this.n));
    let seen = 0;
    for (let i = 0; i < this.counts.length; i++) {
      seen += this.counts[i];
      if (seen >= rank) return this.middle(i);
    }
    return this.middle(this.counts.length - 1);
  }

  /** Lower edge of bucket `i`. */
  lower(i: number): number {
    return i === 0 ? 0 : bucketLower(i, this.precision);
  }

  /** The value that stands for bucket `i`: itself where the bucket holds one whole number. */
  middle(i: number): number {
    return bucketMiddle(i, this.precision);
  }

  merge(other: LogHistogram): void {
    this.n += other.n;
    for (let i = 0; i < this.counts.length; i++) this.counts[i] += other.counts[i];
  }
}

/** Bucket of a value: 0 below 1, else 1 + its logarithm in steps of 2^−precision octaves. */
export function logBucket(value: number, bits: number, precision: number): number {
  if (value < 1) return 0;
  FLOAT[0] = value;
  const i = (HIGH[HIGH_AT] >>> (20 - precision)) - (1023 << precision);
  const last = (bits << precision) - 1;
  return 1 + (i > last ? last : i);
}

/** Lower edge of a bucket of `logBucket`, from 1 on. */
export function bucketLower(i: number, precision: number): number {
  const steps = 1 << precision;
  const octave = (i - 1) >> precision;
  return 2 ** octave * (1 + ((i - 1) & (steps - 1)) / steps);
}

/** The value that stands for a bucket of `logBucket`. */
export function bucketMiddle(i: number, precision: number): number {
  if (i === 0) return 0;
  const lower = bucketLower(i, precision);
  const upper = bucketLower(i + 1, precision);
  return upper - lower <= 1 ? Math.ceil(lower) : (lower + upper) / 2;
}
