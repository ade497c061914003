import type { FrameBatch } from '../core/frames.ts';
import type { FrameTimes } from '../core/join.ts';

/** Times of the frames around a message, looked up only when a field asks: frames cost nothing. */
export class BatchTimes implements FrameTimes {
  #firstSeconds = Number.NaN;
  #firstNanos = 0;
  #batch: FrameBatch | null = null;
  // Last frame of the batch before.
  #lastSeconds = Number.NaN;
  #lastNanos = 0;

  /** A batch begins: its frames can be looked up until `end`. */
  begin(batch: FrameBatch): void {
    this.#batch = batch;
    if (batch.count === 0 || !Number.isNaN(this.#firstSeconds)) return;
    this.#firstSeconds = this.#lastSeconds = batch.seconds[0];
    this.#firstNanos = this.#lastNanos = batch.nanos[0];
  }

  end(): void {
    const batch = this.#batch;
    this.#batch = null;
    if (batch === null || batch.count === 0) return;
    this.#lastSeconds = batch.seconds[batch.count - 1];
    this.#lastNanos = batch.nanos[batch.count - 1];
  }

  sinceFirst(seconds: number, nanos: number): number {
    return (seconds - this.#firstSeconds) * 1e9 + nanos - this.#firstNanos;
  }

  sincePrevious(number: number): number {
    const batch = this.#batch;
    const i = batch === null ? -1 : indexOf(batch, number);
    if (batch === null || i < 0) return Number.NaN;
    const seconds = i === 0 ? this.#lastSeconds : batch.seconds[i - 1];
    const nanos = i === 0 ? this.#lastNanos : batch.nanos[i - 1];
    return (batch.seconds[i] - seconds) * 1e9 + batch.nanos[i] - nanos;
  }
}

/** Index of the frame of this number, −1 without: numbers rise within a batch. */
function indexOf({ number, count }: FrameBatch, wanted: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (number[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return count > 0 && number[low] === wanted ? low : -1;
}
