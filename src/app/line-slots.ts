import type { RenderedRows } from './rendered.ts';

/** Lines of a batch that wait, per worker, and the memory of each; longer ones travel in memory of their own. */
const SLOTS = 8;
const SLOT_BYTES = 1 << 20;
/** Rows of a batch at most. */
const SLOT_ROWS = 512;
/** Columns before the bytes of a slot: two of doubles, two of words. */
const COLUMN_BYTES = SLOT_ROWS * (8 + 8 + 4 + 4);
const HEADER_BYTES = 64;
const FREE = 0;
const TAKEN = 1;

/**
 * Memory in which a worker leaves rendered rows for the main thread, the same again and again: buffers that are sent
 * would have to be allocated, and collected, for every batch on both sides.
 */
export class LineSlots {
  readonly memory: SharedArrayBuffer;
  readonly #states: Int32Array;
  #next = 0;

  constructor(memory = new SharedArrayBuffer(HEADER_BYTES + SLOTS * (COLUMN_BYTES + SLOT_BYTES))) {
    this.memory = memory;
    this.#states = new Int32Array(memory, 0, SLOTS);
  }

  /** Worker: puts rows into the next slot, waiting until it is free; its number, −1 when they do not fit or `stopped`. */
  put(rows: RenderedRows, stopped: () => boolean): number {
    const { count, bytes, ends, col } = rows;
    if (count > SLOT_ROWS || bytes.length > SLOT_BYTES) return -1;
    const slot = this.#next;
    while (Atomics.load(this.#states, slot) === TAKEN) {
      if (stopped()) return -1;
      Atomics.wait(this.#states, slot, TAKEN, 100);
    }
    this.#next = (slot + 1) % SLOTS;
    const place = this.rows(slot, count, bytes.length);
    place.bytes.set(bytes);
    place.ends.set(ends);
    place.col.closeSeconds.set(col.closeSeconds);
    place.col.closeNanos.set(col.closeNanos);
    place.col.closeNumber.set(col.closeNumber);
    Atomics.store(this.#states, slot, TAKEN);
    return slot;
  }

  /** The rows in a slot, views of it. */
  rows(slot: number, count: number, length: number): RenderedRows {
    const { memory } = this;
    const at = HEADER_BYTES + slot * (COLUMN_BYTES + SLOT_BYTES);
    return {
      count,
      col: {
        closeSeconds: new Float64Array(memory, at, count),
        closeNumber: new Float64Array(memory, at + SLOT_ROWS * 8, count),
        closeNanos: new Uint32Array(memory, at + SLOT_ROWS * 16, count),
      },
      ends: new Uint32Array(memory, at + SLOT_ROWS * 20, count),
      bytes: new Uint8Array(memory, at + COLUMN_BYTES, length),
      done: () => this.#free(slot),
    };
  }

  #free(slot: number): void {
    Atomics.store(this.#states, slot, FREE);
    Atomics.notify(this.#states, slot);
  }
}
