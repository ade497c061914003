import type { TransactionBatch } from '../core/transactions.ts';

/** Rows of batches in order of time: they compress better and are found faster than in order of closing. */
export class TimeOrder {
  #order = new Uint32Array(0);
  #keys = new Float64Array(0);

  /** Places of the rows, the earliest first; valid until the next call. */
  of({ count, col: { openSeconds, openNanos } }: TransactionBatch): Uint32Array {
    if (this.#order.length < count) {
      this.#order = new Uint32Array(count);
      this.#keys = new Float64Array(count);
    }
    const order = this.#order.subarray(0, count);
    const keys = this.#keys.subarray(0, count);
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      if (openSeconds[i] < least) least = openSeconds[i];
      if (openSeconds[i] > most) most = openSeconds[i];
    }
    for (let i = 0; i < count; i++) order[i] = i;
    // Time in units of 64 ns and the row fit into one exact number, unless the batch covers more than an hour.
    if (most - least < 3600 && count <= 65_536) {
      for (let i = 0; i < count; i++) {
        keys[i] = Math.floor(((openSeconds[i] - least) * 1e9 + openNanos[i]) / 64) * 65_536 + i;
      }
      keys.sort();
      for (let i = 0; i < count; i++) order[i] = keys[i] % 65_536;
    } else order.sort((a, b) => openSeconds[a] - openSeconds[b] || openNanos[a] - openNanos[b]);
    return order;
  }
}
