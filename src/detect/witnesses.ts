import { type Evidence, MOST_EVIDENCE } from '../core/alert.ts';
import type { Kept, Observation } from './observation.ts';

const NONE: Kept[] = [];

/** The transactions that show an incident: the first few of them, and the one at hand when it is spoken of. */
export class Witnesses {
  #kept = NONE;
  readonly #most: number;

  constructor(most: number = 5) {
    this.#most = Math.min(most, MOST_EVIDENCE - 1);
  }

  /** Keeps the transaction while there is room. */
  note(seen: Observation, note?: string): void {
    if (this.#kept.length >= this.#most) return;
    // Most never see one.
    if (this.#kept === NONE) this.#kept = [];
    this.#kept.push(seen.keep(note));
  }

  /** Those kept, and the one at hand if there is one. */
  with(seen?: Observation, note?: string): Evidence[] {
    const kept = this.#kept.map((one) => one.evidence());
    if (seen === undefined) return kept;
    const last = seen.evidence(note);
    return [...kept.filter(({ transaction }) => transaction !== last.transaction), last];
  }

  /** Gives up those before a time: they show nothing of what is spoken of now. */
  forget(before: number): void {
    while (this.#kept.length > 0 && this.#kept[0].time < before) this.#kept.shift();
  }

  clear(): void {
    this.#kept = NONE;
  }
}
