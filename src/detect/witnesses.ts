import { type Evidence, MOST_EVIDENCE } from '../core/alert.ts';
import type { Observation } from './observation.ts';

/** The transactions that show an incident: the first few of them, and the one at hand when it is spoken of. */
export class Witnesses {
  readonly #kept: Evidence[] = [];
  readonly #most: number;

  constructor(most: number = 5) {
    this.#most = Math.min(most, MOST_EVIDENCE - 1);
  }

  /** Keeps the transaction while there is room. */
  note(seen: Observation, note?: string): void {
    if (this.#kept.length < this.#most) this.#kept.push(seen.evidence(note));
  }

  /** Those kept, and the one at hand if there is one. */
  with(seen?: Observation, note?: string): Evidence[] {
    if (seen === undefined) return [...this.#kept];
    const last = seen.evidence(note);
    return [...this.#kept.filter(({ transaction }) => transaction !== last.transaction), last];
  }

  /** Gives up those before a time: they show nothing of what is spoken of now. */
  forget(before: number): void {
    while (this.#kept.length > 0 && this.#kept[0].time < before) this.#kept.shift();
  }

  clear(): void {
    this.#kept.length = 0;
  }
}
