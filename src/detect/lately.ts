import { type Counted, noteTable } from './bounded.ts';
import type { Ahead } from './entities.ts';

/**
 * When something was last seen, by a 32-bit hash: columns where a newer one takes the place of an older one whose lowest
 * bits are the same. For what is looked up with every transaction, and may be forgotten.
 */
export class Lately implements Counted {
  readonly capacity: number;
  size = 0;
  evicted = 0;
  readonly #mask: number;
  /** Hash and time side by side; the time is 0 where nothing is. */
  readonly #slots: Float64Array;

  /** Room for `capacity` of them, a power of two. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#mask = capacity - 1;
    this.#slots = new Float64Array(capacity * 2);
    noteTable(this);
  }

  note(hash: number, time: number): void {
    const slots = this.#slots;
    const at = (hash & this.#mask) * 2;
    if (slots[at + 1] === 0) this.size++;
    else if (slots[at] !== hash) this.evicted++;
    slots[at] = hash;
    slots[at + 1] = time;
  }

  /** Reads what look-ups of rows that come next will read: by `keyOf` their name and type. */
  touch(ahead: Ahead, keyOf: (nameHash: number, type: number) => number): void {
    const { hashes, types, count } = ahead;
    let sum = 0;
    for (let k = 0; k < count; k++) sum += this.#slots[(keyOf(hashes[k], types[k]) & this.#mask) * 2];
    ahead.sum += sum;
  }

  /** Seconds since 1970 of the last time; NaN when it is not known. */
  timeOf(hash: number): number {
    const at = (hash & this.#mask) * 2;
    return this.#slots[at] === hash && this.#slots[at + 1] !== 0 ? this.#slots[at + 1] : Number.NaN;
  }
}
