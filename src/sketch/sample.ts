/** Most values a `Sample` keeps. */
export const SAMPLE_SIZE = 256;

/**
 * A uniform sample of at most 256 of the values offered: those with the smallest hashes of their rows. It depends neither
 * on order nor on how rows were spread over workers, and is complete as long as no more than 256 were offered.
 */
export class Sample {
  /** Values offered. */
  offered = 0;
  #size = 0;
  // A heap with the largest hash on top, so that the one to give up is at hand.
  #hashes: Uint32Array;
  #values: Uint32Array;

  constructor(state?: SampleState) {
    this.offered = state?.offered ?? 0;
    this.#size = state?.hashes.length ?? 0;
    this.#hashes = state?.hashes ?? new Uint32Array(8);
    this.#values = state?.values ?? new Uint32Array(8);
  }

  add(hash: number, value: number): void {
    this.offered++;
    this.#keep(hash >>> 0, value);
  }

  #keep(hash: number, value: number): void {
    if (this.#size === SAMPLE_SIZE) {
      if (hash < this.#hashes[0]) this.#sink(hash, value);
      return;
    }
    if (this.#size === this.#hashes.length) this.#grow();
    const hashes = this.#hashes;
    let i = this.#size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (hashes[parent] >= hash) break;
      hashes[i] = hashes[parent];
      this.#values[i] = this.#values[parent];
      i = parent;
    }
    hashes[i] = hash;
    this.#values[i] = value;
  }

  #sink(hash: number, value: number): void {
    const hashes = this.#hashes;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && hashes[child + 1] > hashes[child]) child++;
      if (hashes[child] <= hash) break;
      hashes[i] = hashes[child];
      this.#values[i] = this.#values[child];
      i = child;
    }
    hashes[i] = hash;
    this.#values[i] = value;
  }

  #grow(): void {
    const length = Math.min(SAMPLE_SIZE, Math.max(8, this.#hashes.length * 2));
    const hashes = new Uint32Array(length);
    const values = new Uint32Array(length);
    hashes.set(this.#hashes);
    values.set(this.#values);
    this.#hashes = hashes;
    this.#values = values;
  }

  /** The values kept, in no order that means anything. */
  get values(): Uint32Array {
    return this.#values.subarray(0, this.#size);
  }

  merge(other: Sample): void {
    this.offered += other.offered;
    for (let i = 0; i < other.#size; i++) this.#keep(other.#hashes[i], other.#values[i]);
  }

  state(): SampleState {
    return {
      offered: this.offered,
      hashes: this.#hashes.slice(0, this.#size),
      values: this.#values.slice(0, this.#size),
    };
  }
}

export interface SampleState {
  offered: number;
  hashes: Uint32Array;
  values: Uint32Array;
}
