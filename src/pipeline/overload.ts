/** A ring this full is about to overflow, one this empty is in no danger. */
const FULL = 0.75;
const CALM = 0.25;
/** How long it has to stay so (ms): less of the traffic is looked at soon, more of it again with patience. */
const FULL_MS = 200;
const CALM_MS = 5000;
const MOST = 1024;

/**
 * Decides which part of the clients a live capture looks at: half as many each time the ring stays nearly full, twice
 * as many each time it stays nearly empty, never more than asked for.
 */
export class Overload {
  readonly #base: number;
  #rate: number;
  /** Since when the ring is full, or calm; NaN while it is neither. */
  #fullSince = Number.NaN;
  #calmSince = Number.NaN;

  /** @param base one in so many clients where there is no overload. */
  constructor(base = 1) {
    this.#base = base;
    this.#rate = base;
  }

  /** Takes how full the ring is (0 … 1) at a time in ms; gives one in how many clients to look at from here on. */
  look(fill: number, now: number): number {
    if (!(fill >= FULL)) this.#fullSince = Number.NaN;
    else if (Number.isNaN(this.#fullSince)) this.#fullSince = now;
    if (!(fill <= CALM)) this.#calmSince = Number.NaN;
    else if (Number.isNaN(this.#calmSince)) this.#calmSince = now;
    if (now - this.#fullSince >= FULL_MS) {
      this.#fullSince = now;
      this.#rate = Math.min(MOST * this.#base, this.#rate * 2);
    } else if (now - this.#calmSince >= CALM_MS) {
      this.#calmSince = now;
      this.#rate = Math.max(this.#base, this.#rate / 2);
    }
    return this.#rate;
  }
}
