/** Most values kept per entry. */
export const SAMPLE_SIZE = 256;

/**
 * For every entry of a table a uniform sample of at most 256 of the values offered: those with the smallest hashes of
 * their rows. It depends neither on order nor on how rows were spread over workers, and is complete as long as no more
 * than 256 were offered.
 */
export class Samples {
  // 256 places per entry; once they are full, a heap with the largest hash on top, the next one to give up.
  #hashes: Uint32Array = new Uint32Array(16 * SAMPLE_SIZE);
  #values: Uint32Array = new Uint32Array(16 * SAMPLE_SIZE);
  #offered: Float64Array = new Float64Array(16);

  add(entry: number, hash: number, value: number): void {
    if (entry >= this.#offered.length) this.#grow(entry);
    const offered = this.#offered[entry]++;
    this.#keep(entry * SAMPLE_SIZE, Math.min(offered, SAMPLE_SIZE), hash >>> 0, value);
  }

  #keep(base: number, size: number, hash: number, value: number): void {
    if (size < SAMPLE_SIZE) {
      this.#hashes[base + size] = hash;
      this.#values[base + size] = value;
      if (size === SAMPLE_SIZE - 1) this.#heapify(base);
    } else if (hash < this.#hashes[base]) this.#sink(base, 0, hash, value);
  }

  #heapify(base: number): void {
    for (let i = (SAMPLE_SIZE >> 1) - 1; i >= 0; i--) {
      this.#sink(base, i, this.#hashes[base + i], this.#values[base + i]);
    }
  }

  #sink(base: number, from: number, hash: number, value: number): void {
    const hashes = this.#hashes;
    const values = this.#values;
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= SAMPLE_SIZE) break;
      if (child + 1 < SAMPLE_SIZE && hashes[base + child + 1] > hashes[base + child]) child++;
      if (hashes[base + child] <= hash) break;
      hashes[base + i] = hashes[base + child];
      values[base + i] = values[base + child];
      i = child;
    }
    hashes[base + i] = hash;
    values[base + i] = value;
  }

  #grow(entry: number): void {
    let length = this.#offered.length;
    while (length <= entry) length *= 2;
    const hashes = new Uint32Array(length * SAMPLE_SIZE);
    const values = new Uint32Array(length * SAMPLE_SIZE);
    const offered = new Float64Array(length);
    hashes.set(this.#hashes);
    values.set(this.#values);
    offered.set(this.#offered);
    this.#hashes = hashes;
    this.#values = values;
    this.#offered = offered;
  }

  /** How many values were offered for an entry. */
  offered(entry: number): number {
    return entry < this.#offered.length ? this.#offered[entry] : 0;
  }

  /** The values kept of an entry, in no order that means anything. */
  values(entry: number): Uint32Array {
    const base = entry * SAMPLE_SIZE;
    return this.#values.subarray(base, base + Math.min(SAMPLE_SIZE, this.offered(entry)));
  }

  /** Only the entries in `kept` (ascending) stay, renumbered 0, 1, 2 …. */
  compact(kept: Uint32Array): void {
    const size = this.#offered.length;
    for (let to = 0; to < kept.length; to++) {
      const from = kept[to];
      if (to >= size) break;
      const base = from * SAMPLE_SIZE;
      this.#offered[to] = from < size ? this.#offered[from] : 0;
      if (from === to || from >= size) continue;
      this.#hashes.copyWithin(to * SAMPLE_SIZE, base, base + SAMPLE_SIZE);
      this.#values.copyWithin(to * SAMPLE_SIZE, base, base + SAMPLE_SIZE);
    }
    this.#offered.fill(0, kept.length);
  }

  /** Adds what another kept for its entry `theirs` to my entry `mine`. */
  merge(mine: number, other: Samples, theirs: number): void {
    const offered = other.offered(theirs);
    if (offered === 0) return;
    if (mine >= this.#offered.length) this.#grow(mine);
    const from = theirs * SAMPLE_SIZE;
    const kept = Math.min(offered, SAMPLE_SIZE);
    let size = Math.min(this.#offered[mine], SAMPLE_SIZE);
    for (let i = 0; i < kept; i++) {
      this.#keep(mine * SAMPLE_SIZE, size, other.#hashes[from + i], other.#values[from + i]);
      if (size < SAMPLE_SIZE) size++;
    }
    this.#offered[mine] += offered;
  }

  /** Plain value of the first `entries` for another thread. */
  state(entries: number): SamplesState {
    return {
      hashes: this.#hashes.slice(0, entries * SAMPLE_SIZE),
      values: this.#values.slice(0, entries * SAMPLE_SIZE),
      offered: this.#offered.slice(0, entries),
    };
  }

  static from(state: SamplesState): Samples {
    const samples = new Samples();
    if (state.offered.length === 0) return samples;
    samples.#hashes = state.hashes;
    samples.#values = state.values;
    samples.#offered = state.offered;
    return samples;
  }
}

export interface SamplesState {
  hashes: Uint32Array;
  values: Uint32Array;
  offered: Float64Array;
}
