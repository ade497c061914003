/** `open`: the receiver failed several times in a row and is left alone for a while; `half_open`: one attempt is made. */
export const CIRCUIT_STATES = ['closed', 'half_open', 'open'] as const;
export type CircuitState = (typeof CIRCUIT_STATES)[number];

/** Milliseconds between attempts: doubled from the first to the longest. */
export interface Pauses {
  firstMs: number;
  longestMs: number;
}

/** Failures in a row that open it. */
const OPENS_AT = 3;

/** When a receiver that failed is tried again: ever more slowly, and not by all at the same moment. */
export class Circuit {
  state: CircuitState = 'closed';
  /** Attempts that failed, in all. */
  failed = 0;
  readonly #pauses: Pauses;
  #inARow = 0;

  constructor(pauses: Pauses) {
    this.#pauses = pauses;
  }

  /** An attempt begins. */
  attempt(): void {
    if (this.state === 'open') this.state = 'half_open';
  }

  /** It failed. Gives the pause before the next one, ms: between half and all of what is due. */
  fails(): number {
    this.failed++;
    const { firstMs, longestMs } = this.#pauses;
    const due = Math.min(firstMs * 2 ** Math.min(this.#inARow, 40), longestMs);
    this.#inARow++;
    if (this.#inARow >= OPENS_AT) this.state = 'open';
    return due * (0.5 + Math.random() / 2);
  }

  works(): void {
    this.#inARow = 0;
    this.state = 'closed';
  }
}
