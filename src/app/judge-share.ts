import type { TransactionBatch } from '../core/transactions.ts';
import { mix } from '../wire/name.ts';

/** Judging may take this share of the time; below the other one more clients are looked at again. */
const MOST = 0.5;
const CALM = 0.15;
const MOST_LEFT_OUT = 64;

/**
 * Which clients the judge looks at when there is more live traffic than it can: all, every second, every fourth … by a
 * hash of their address, so that of a client either everything is seen or nothing.
 */
export class JudgeShare {
  /** One client in so many. */
  oneIn = 1;
  /** Rows that nobody looked at. */
  skipped = 0;
  #spent = 0;

  /** Milliseconds that judging took. */
  note(ms: number): void {
    this.#spent += ms;
  }

  /** Decides for what comes next, after `elapsed` ms; true when the share has changed. */
  decide(elapsed: number): boolean {
    const busy = this.#spent / Math.max(1, elapsed);
    this.#spent = 0;
    const before = this.oneIn;
    if (busy > MOST && before < MOST_LEFT_OUT) this.oneIn = before * 2;
    else if (busy < CALM && before > 1) this.oneIn = before / 2;
    return this.oneIn !== before;
  }

  /** Whether the row's client is looked at. */
  has({ col: { client0, client1, client2, client3 } }: TransactionBatch, i: number): boolean {
    const hash = mix(client3[i] ^ Math.imul(client0[i] ^ client1[i] ^ client2[i], 0x9e3779b1));
    return (hash & (this.oneIn - 1)) === 0;
  }
}
