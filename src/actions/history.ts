import { Latest } from './latest.ts';

/** What was blocked so long ago does not count any more. */
const MEMORY_MS = 30 * 86_400_000;
const MOST_KEYS = 20_000;
const MOST_TIMES = 16;

/** How often what was blocked lately: it decides for how long next time. */
export class History {
  readonly #times = new Latest<number[]>(MOST_KEYS);

  add(key: string, time: number): void {
    const times = this.#times.get(key) ?? [];
    times.push(time);
    if (times.length > MOST_TIMES) times.shift();
    this.#times.set(key, times);
  }

  times(key: string, now: number): number {
    return (this.#times.get(key) ?? []).filter((time) => now - time < MEMORY_MS).length;
  }
}
