import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import type { TransactionBatch } from '../core/transactions.ts';

/** Most flows that wait for the rows before them; more go on out of order. */
const MOST_WAITING = 65_536;

/**
 * Puts encrypted flows among the rows of a run, each behind the rows that had closed when it was seen: whoever takes both
 * sees the same order however many threads there were. Rows come in their order; a flow comes before any row behind it.
 */
export class FlowOrder {
  readonly #rows: (batch: TransactionBatch, from: number, to: number) => void;
  readonly #flows: (flow: EncryptedFlow) => void;
  /** In order; those before `#next` are gone. */
  #waiting: EncryptedFlow[] = [];
  #next = 0;

  constructor(rows: (batch: TransactionBatch, from: number, to: number) => void, flows: (flow: EncryptedFlow) => void) {
    this.#rows = rows;
    this.#flows = flows;
  }

  add(flow: EncryptedFlow): void {
    const waiting = this.#waiting;
    if (waiting.length - this.#next >= MOST_WAITING) this.#flows(waiting[this.#next++]);
    // Those of several threads come nearly in order.
    let at = waiting.length;
    while (at > this.#next && compare(flow, waiting[at - 1]) < 0) at--;
    waiting.splice(at, 0, flow);
  }

  /** Hands on rows [from, to), and the flows before each of them. */
  rows(batch: TransactionBatch, from: number, to: number): void {
    let begun = from;
    const last = to - 1;
    while (this.#isWaiting() && compareRow(this.#waiting[this.#next], batch, last) < 0) {
      const flow = this.#waiting[this.#next];
      let row = begun;
      while (compareRow(flow, batch, row) >= 0) row++;
      if (row > begun) this.#rows(batch, begun, row);
      begun = row;
      this.#flows(flow);
      this.#next++;
    }
    this.#forget();
    if (to > begun) this.#rows(batch, begun, to);
  }

  /** No row that closes before this (seconds, as rows have it) is still to come. */
  advance(closeSeconds: number): void {
    while (this.#isWaiting() && this.#waiting[this.#next].closeSeconds < closeSeconds) {
      this.#flows(this.#waiting[this.#next++]);
    }
    this.#forget();
  }

  /** The run has ended. */
  end(): void {
    this.advance(Number.POSITIVE_INFINITY);
  }

  #isWaiting(): boolean {
    return this.#next < this.#waiting.length;
  }

  #forget(): void {
    if (this.#next === 0) return;
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
  }
}

function compare(a: EncryptedFlow, b: EncryptedFlow): number {
  return a.closeSeconds - b.closeSeconds || a.closeNanos - b.closeNanos || a.closeNumber - b.closeNumber;
}

function compareRow(flow: EncryptedFlow, { col }: TransactionBatch, row: number): number {
  return (
    flow.closeSeconds - col.closeSeconds[row] ||
    flow.closeNanos - col.closeNanos[row] ||
    flow.closeNumber - col.closeNumber[row]
  );
}
