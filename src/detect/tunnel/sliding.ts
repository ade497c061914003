/** Sums of a few counters over a window that slides in steps: its oldest step leaves as a whole. */
export class Sliding {
  readonly #steps: number;
  readonly #stepSeconds: number;
  readonly #bins: Float64Array;
  readonly #sums: Float64Array;
  #step = Number.NaN;

  /** `counters` of them over `seconds`, in `steps`. */
  constructor(counters: number, seconds: number, steps: number) {
    this.#steps = steps;
    this.#stepSeconds = seconds / steps;
    this.#bins = new Float64Array(counters * steps);
    this.#sums = new Float64Array(counters);
  }

  /** Moves on to a time, in seconds; a time that is past counts for the newest step. */
  advance(time: number): void {
    const step = Math.floor(time / this.#stepSeconds);
    if (Number.isNaN(this.#step)) this.#step = step;
    if (step <= this.#step) return;
    const counters = this.#sums.length;
    const leaving = Math.min(step - this.#step, this.#steps);
    for (let k = 1; k <= leaving; k++) {
      const from = ((this.#step + k) % this.#steps) * counters;
      for (let i = 0; i < counters; i++) {
        this.#sums[i] -= this.#bins[from + i];
        this.#bins[from + i] = 0;
      }
    }
    if (leaving === this.#steps) this.#sums.fill(0);
    this.#step = step;
  }

  /** Counts in the step of the last `advance`. */
  add(counter: number, amount: number): void {
    this.#bins[(this.#step % this.#steps) * this.#sums.length + counter] += amount;
    this.#sums[counter] += amount;
  }

  sum(counter: number): number {
    return this.#sums[counter];
  }
}
