import { type Chunk, chunk } from './json-bytes.ts';

/**
 * Prepared texts by two 32-bit keys, made when first wanted. Bounded: a slot holds one text, and the next with the same
 * slot takes its place.
 */
export class ChunkCache {
  readonly #make: (low: number, high: number) => string;
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  readonly #chunks: (Chunk | undefined)[];
  readonly #mask: number;

  /** `slots` is a power of two. */
  constructor(slots: number, make: (low: number, high: number) => string) {
    this.#make = make;
    this.#mask = slots - 1;
    this.#low = new Int32Array(slots);
    this.#high = new Int32Array(slots);
    this.#chunks = new Array<Chunk | undefined>(slots).fill(undefined);
  }

  get(low: number, high: number): Chunk {
    const hash = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    const slot = (hash ^ (hash >>> 15)) & this.#mask;
    const found = this.#chunks[slot];
    if (found !== undefined && this.#low[slot] === (low | 0) && this.#high[slot] === (high | 0)) return found;
    const made = chunk(this.#make(low, high));
    this.#low[slot] = low;
    this.#high[slot] = high;
    this.#chunks[slot] = made;
    return made;
  }
}
