import type { TransactionBatch } from '../core/transactions.ts';
import { mix } from '../wire/name.ts';

/**
 * The line of a row: by its client, so that of a client everything stays in order and meets one reader. The same for every
 * program and version: what is partitioned by it must not move.
 */
export function lineOf(
  { col: { client0, client1, client2, client3 } }: TransactionBatch,
  i: number,
  lines: number,
): number {
  return mix(client3[i] ^ Math.imul(client0[i] ^ client1[i] ^ client2[i], 0x9e3779b1)) % lines;
}

/** Deals rows into lines; buffers are used again and again. */
export class Dealer {
  readonly #lines: number;
  readonly #rows: Uint32Array[];
  readonly #counts: Uint32Array;

  constructor(lines: number) {
    this.#lines = lines;
    this.#rows = Array.from({ length: lines }, () => new Uint32Array(256));
    this.#counts = new Uint32Array(lines);
  }

  /** Calls back with the rows of [from, to) that pass, of each line that has any, in order. */
  deal(
    batch: TransactionBatch,
    from: number,
    to: number,
    passes: (batch: TransactionBatch, row: number) => boolean,
    take: (line: number, rows: Uint32Array, count: number) => void,
  ): void {
    const counts = this.#counts.fill(0);
    for (let i = from; i < to; i++) {
      if (!passes(batch, i)) continue;
      const line = this.#lines === 1 ? 0 : lineOf(batch, i, this.#lines);
      let rows = this.#rows[line];
      if (counts[line] === rows.length) {
        const wider = new Uint32Array(2 * rows.length);
        wider.set(rows);
        this.#rows[line] = rows = wider;
      }
      rows[counts[line]++] = i;
    }
    for (let line = 0; line < this.#lines; line++) {
      if (counts[line] > 0) take(line, this.#rows[line], counts[line]);
    }
  }
}
