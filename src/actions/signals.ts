import type { Finding } from '../core/alert.ts';
import { Latest } from './latest.ts';

/** What speaks against a domain or address counts for so long. */
const SIGNAL_MS = 24 * 3_600_000;
const MOST_KEYS = 20_000;
const MOST_DETECTORS = 32;

/** Which detectors have spoken against what, lately. Bounded: what was longest not spoken of is forgotten. */
export class Signals {
  readonly #by = new Latest<Map<string, number>>(MOST_KEYS);

  /** Notes what a finding speaks against (`keys`, as of `targetKey`). `now`: ms since 1970. */
  add({ detector, severity }: Finding, keys: readonly string[], now: number): void {
    // What is only worth knowing is no reason to block.
    if (severity === 'low') return;
    for (const key of keys) this.#note(key, detector, now);
  }

  /** Detectors that speak against it, in order. */
  of(key: string, now: number): string[] {
    const known = this.#by.get(key) ?? new Map<string, number>();
    return [...known].filter(([, time]) => now - time < SIGNAL_MS).map(([detector]) => detector);
  }

  #note(key: string, detector: string, now: number): void {
    const known = this.#by.get(key) ?? new Map<string, number>();
    if (known.has(detector) || known.size < MOST_DETECTORS) known.set(detector, now);
    this.#by.set(key, known);
  }
}
