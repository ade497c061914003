import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds between two looks at the loop. */
const RESOLUTION = 10;

/** How late the event loop is: what times measured in this process may be off by. */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION });

  /** Looks from now on, a hundred times a second. Twice is once. */
  start(): void {
    this.#histogram.enable();
  }

  /** Milliseconds since the start, or since `reset`; zeros before. */
  read(): { p50: number; p99: number; max: number } {
    const histogram = this.#histogram;
    // The timer's own interval is in each value.
    const late = (nanos: number) => Math.max(0, Number.isFinite(nanos) ? nanos / 1e6 - RESOLUTION : 0);
    if (histogram.count === 0) return { p50: 0, p99: 0, max: 0 };
    return { p50: late(histogram.percentile(50)), p99: late(histogram.percentile(99)), max: late(histogram.max) };
  }

  reset(): void {
    this.#histogram.reset();
  }

  close(): void {
    this.#histogram.disable();
  }
}
