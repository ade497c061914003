const BINS = 1024;
const FINEST_MILLIS = 125;

/**
 * Counts over time in at most 1024 bins. The bin width starts at 125 ms and doubles whenever the span no longer fits, so
 * the width is always the finest that holds everything, whatever the order or the worker.
 */
export class Timeline {
  /** Width of a bin. */
  binMillis = FINEST_MILLIS;
  /** Number of the first bin since 1970 (in units of the width), and bins in use. */
  #first = 0;
  #used = 0;
  readonly #counts: Float64Array;

  constructor(state?: TimelineState) {
    this.#counts = new Float64Array(BINS);
    if (state === undefined) return;
    this.binMillis = state.binMillis;
    this.#first = state.first;
    this.#used = state.counts.length;
    this.#counts.set(state.counts);
  }

  add(seconds: number, nanos: number, count = 1): void {
    this.#addMillis(seconds * 1000 + Math.floor(nanos / 1e6), count);
  }

  #addMillis(millis: number, count: number): void {
    let bin = Math.floor(millis / this.binMillis);
    let at = bin - this.#first;
    if (at >= 0 && at < this.#used) {
      this.#counts[at] += count;
      return;
    }
    if (this.#used === 0) {
      this.#first = bin;
      this.#used = 1;
      this.#counts[0] = count;
      return;
    }
    while (Math.max(bin, this.#first + this.#used - 1) - Math.min(bin, this.#first) >= BINS) {
      this.#coarsen();
      bin = Math.floor(millis / this.binMillis);
    }
    if (bin < this.#first) {
      const shift = this.#first - bin;
      this.#counts.copyWithin(shift, 0, this.#used);
      this.#counts.fill(0, 0, shift);
      this.#first = bin;
      this.#used += shift;
    }
    at = bin - this.#first;
    if (at >= this.#used) this.#used = at + 1;
    this.#counts[at] += count;
  }

  #coarsen(): void {
    const counts = this.#counts;
    const first = Math.floor(this.#first / 2);
    let used = 0;
    for (let i = 0; i < this.#used; i++) {
      const at = Math.floor((this.#first + i) / 2) - first;
      const count = counts[i];
      if (at >= used) counts[at] = 0;
      counts[at] += count;
      used = at + 1;
    }
    counts.fill(0, used);
    this.#first = first;
    this.#used = used;
    this.binMillis *= 2;
  }

  merge(other: Timeline): void {
    if (other.#used === 0) return;
    while (this.binMillis < other.binMillis && this.#used > 0) this.#coarsen();
    if (this.#used === 0) this.binMillis = other.binMillis;
    for (let i = 0; i < other.#used; i++) {
      this.#addMillis((other.#first + i) * other.binMillis, other.#counts[i]);
    }
  }

  /** Start of the first bin (seconds since 1970), width in seconds, and the counts. */
  get value(): { firstSeconds: number; binSeconds: number; counts: number[] } {
    return {
      firstSeconds: (this.#first * this.binMillis) / 1000,
      binSeconds: this.binMillis / 1000,
      counts: Array.from(this.#counts.subarray(0, this.#used)),
    };
  }

  state(): TimelineState {
    return { binMillis: this.binMillis, first: this.#first, counts: this.#counts.slice(0, this.#used) };
  }
}

export interface TimelineState {
  binMillis: number;
  first: number;
  counts: Float64Array;
}
