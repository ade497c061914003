/** Most values kept per entry unless told. */
export const SAMPLE_SIZE = 256;

/**
 * For every entry of a table a uniform sample of at most 256 (or `size`) of the values offered: those with the smallest
 * hashes of their rows. It depends neither on order nor on how rows were spread over workers, and is complete as long as
 * no more were offered.
 */
export class Samples {
  readonly size: number;
  readonly #stride: number;
  // So many places per entry; once they are full, a heap with the largest hash on top, the next one to give up.
  // Pairs of hash and value.
  #pairs: Uint32Array;
  #offered: Float64Array = new Float64Array(16);
  /** Keeps the reads of `touch` from being left out. */
  touched = 0;

  constructor(size: number = SAMPLE_SIZE) {
    this.size = size;
    this.#stride = 2 * size;
    this.#pairs = new Uint32Array(16 * this.#stride);
  }

  add(entry: number, hash: number, value: number): void {
    if (entry >= this.#offered.length) this.#grow(entry);
    const offered = this.#offered[entry]++;
    this.#keep(entry * this.#stride, Math.min(offered, this.size), hash >>> 0, value);
  }

  /**
   * Reads what `add` of `entries[from, to)` will read: many reads in a row wait for the memory together. What is no entry
   * is passed over.
   */
  touch(entries: Int32Array, from: number, to: number): void {
    const pairs = this.#pairs;
    const stride = this.#stride;
    const offered = this.#offered;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const entry = entries[i];
      if (entry < 0 || entry >= offered.length) continue;
      sum ^= pairs[entry * stride + (offered[entry] < this.size ? 2 * offered[entry] : 0)];
    }
    this.touched = sum;
  }

  #keep(base: number, size: number, hash: number, value: number): void {
    const pairs = this.#pairs;
    if (size < this.size) {
      pairs[base + 2 * size] = hash;
      pairs[base + 2 * size + 1] = value;
      if (size === this.size - 1) this.#heapify(base);
    } else if (hash < pairs[base]) this.#sink(base, 0, hash, value);
  }

  #heapify(base: number): void {
    for (let i = (this.size >> 1) - 1; i >= 0; i--) {
      this.#sink(base, i, this.#pairs[base + 2 * i], this.#pairs[base + 2 * i + 1]);
    }
  }

  #sink(base: number, from: number, hash: number, value: number): void {
    const pairs = this.#pairs;
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && pairs[base + 2 * child + 2] > pairs[base + 2 * child]) child++;
      if (pairs[base + 2 * child] <= hash) break;
      pairs[base + 2 * i] = pairs[base + 2 * child];
      pairs[base + 2 * i + 1] = pairs[base + 2 * child + 1];
      i = child;
    }
    pairs[base + 2 * i] = hash;
    pairs[base + 2 * i + 1] = value;
  }

  #grow(entry: number): void {
    let length = this.#offered.length;
    while (length <= entry) length *= 2;
    const pairs = new Uint32Array(length * this.#stride);
    const offered = new Float64Array(length);
    pairs.set(this.#pairs);
    offered.set(this.#offered);
    this.#pairs = pairs;
    this.#offered = offered;
  }

  /** How many values were offered for an entry. */
  offered(entry: number): number {
    return entry < this.#offered.length ? this.#offered[entry] : 0;
  }

  /** The values kept of an entry, in no order that means anything. */
  values(entry: number): Uint32Array {
    const base = entry * this.#stride;
    const size = Math.min(this.size, this.offered(entry));
    return Uint32Array.from({ length: size }, (_, i) => this.#pairs[base + 2 * i + 1]);
  }

  /** Only the entries in `kept` (ascending) stay, renumbered 0, 1, 2 …. */
  compact(kept: Uint32Array): void {
    const size = this.#offered.length;
    for (let to = 0; to < kept.length; to++) {
      const from = kept[to];
      if (to >= size) break;
      const base = from * this.#stride;
      this.#offered[to] = from < size ? this.#offered[from] : 0;
      if (from === to || from >= size) continue;
      this.#pairs.copyWithin(to * this.#stride, base, base + this.#stride);
    }
    this.#offered.fill(0, kept.length);
  }

  /** Adds what another kept for its entry `theirs` to my entry `mine`. */
  merge(mine: number, other: Samples, theirs: number): void {
    const offered = other.offered(theirs);
    if (offered === 0) return;
    if (mine >= this.#offered.length) this.#grow(mine);
    const from = theirs * this.#stride;
    const kept = Math.min(offered, this.size);
    let size = Math.min(this.#offered[mine], this.size);
    for (let i = 0; i < kept; i++) {
      this.#keep(mine * this.#stride, size, other.#pairs[from + 2 * i], other.#pairs[from + 2 * i + 1]);
      if (size < this.size) size++;
    }
    this.#offered[mine] += offered;
  }

  /** Plain value of the first `entries` for another thread. */
  state(entries: number): SamplesState {
    return {
      size: this.size,
      pairs: this.#pairs.slice(0, entries * this.#stride),
      offered: this.#offered.slice(0, entries),
    };
  }

  static from(state: SamplesState): Samples {
    const samples = new Samples(state.size);
    if (state.offered.length === 0) return samples;
    samples.#pairs = state.pairs;
    samples.#offered = state.offered;
    return samples;
  }
}

export interface SamplesState {
  size: number;
  pairs: Uint32Array;
  offered: Float64Array;
}
