const HALF = 2097152; // 2^21
const LIMIT = 4398046511104; // 2^42
const FLUSH = 2048;

/**
 * Count, mean, population variance (÷ n), minimum and maximum of whole numbers, exactly.
 *
 * Sums are kept as exact integers, so the result depends neither on the order of the values nor on how they were spread
 * over workers, and the variance suffers no cancellation. Values are safe integers (nanoseconds, bytes, seconds, counts).
 */
export class Moments {
  n = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  // A value is a·2^21 + b: sums of a², ab and b² stay below 2^53 for 2048 values, then move to the big integers.
  #sum = 0;
  #aa = 0;
  #ab = 0;
  #bb = 0;
  #pending = 0;
  #bigSum = 0n;
  #bigSquares = 0n;

  add(value: number): void {
    this.n++;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    if (value >= 0 && value < HALF) this.#bb += value * value;
    else if (value > -LIMIT && value < LIMIT) {
      const a = Math.floor(value / HALF);
      const b = value - a * HALF;
      this.#aa += a * a;
      this.#ab += a * b;
      this.#bb += b * b;
    } else {
      this.#addWide(value);
      return;
    }
    this.#sum += value;
    if (++this.#pending === FLUSH) this.#flush();
  }

  /** Adds many values at once, fewer than 2048. */
  addAll(values: Float64Array): void {
    let { min, max } = this;
    let aa = 0;
    let ab = 0;
    let bb = 0;
    let sum = 0;
    let narrow = 0;
    if (this.#pending + values.length >= FLUSH) this.#flush();
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value < min) min = value;
      if (value > max) max = value;
      if (value >= 0 && value < HALF) bb += value * value;
      else if (value > -LIMIT && value < LIMIT) {
        const a = Math.floor(value / HALF);
        const b = value - a * HALF;
        aa += a * a;
        ab += a * b;
        bb += b * b;
      } else {
        this.#addWide(value);
        continue;
      }
      sum += value;
      narrow++;
    }
    this.n += values.length;
    this.min = min;
    this.max = max;
    this.#aa += aa;
    this.#ab += ab;
    this.#bb += bb;
    this.#sum += sum;
    this.#pending += narrow;
  }

  #addWide(value: number): void {
    const big = BigInt(value);
    this.#bigSum += big;
    this.#bigSquares += big * big;
  }

  #flush(): void {
    this.#bigSum += BigInt(this.#sum);
    this.#bigSquares += (BigInt(this.#aa) << 42n) + (BigInt(this.#ab) << 22n) + BigInt(this.#bb);
    this.#sum = this.#aa = this.#ab = this.#bb = 0;
    this.#pending = 0;
  }

  /** Mean; NaN when there are no values. */
  get mean(): number {
    this.#flush();
    return Number(this.#bigSum) / this.n;
  }

  /** Population variance (÷ n); NaN when there are no values. */
  get variance(): number {
    this.#flush();
    const n = BigInt(this.n);
    return Number(n * this.#bigSquares - this.#bigSum * this.#bigSum) / (this.n * this.n);
  }

  merge(other: Moments): void {
    this.#flush();
    other.#flush();
    this.n += other.n;
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
    this.#bigSum += other.#bigSum;
    this.#bigSquares += other.#bigSquares;
  }

  /** Plain value for another thread. */
  state(): MomentsState {
    this.#flush();
    return { n: this.n, min: this.min, max: this.max, sum: this.#bigSum, squares: this.#bigSquares };
  }

  static from(state: MomentsState): Moments {
    const moments = new Moments();
    moments.n = state.n;
    moments.min = state.min;
    moments.max = state.max;
    moments.#bigSum = state.sum;
    moments.#bigSquares = state.squares;
    return moments;
  }
}

export interface MomentsState {
  n: number;
  min: number;
  max: number;
  sum: bigint;
  squares: bigint;
}
