import type { Ahead, Domain, Entities } from '../entities.ts';
import type { Records } from '../generations.ts';
import { isReverse } from './traits.ts';

/** Sub-names up to which a domain costs next to nothing. */
export const FEW = 3;
/** What is kept: when the first came (or that it is of the reverse tree), then hashes and lengths. */
const TIME = 1;
const FIRST_NAME = 2;
const WIDTH = FIRST_NAME + 2 * FEW;
const REVERSE = -1;

/** The first names of a domain: hash, length, hash, length …; and when the first one came. */
export interface First {
  time: number;
  names: number[];
}

/** The first few names below every domain: most have no more. */
export class FewNames {
  readonly #records: Records<Domain>;

  constructor(entities: Entities) {
    this.#records = entities.domainRecords(WIDTH);
  }

  /** Reads what rows that come next will read. */
  touch(ahead: Ahead): void {
    ahead.sum += this.#records.touch(ahead.domains, ahead.count);
  }

  /** Takes a name of some length; all of them, and forgets them, when there are more than a few, else null. */
  note(domain: Domain, hash: number, length: number, time: number): First | null {
    const records = this.#records;
    const at = records.at(domain);
    const { numbers } = records;
    if (numbers[at + TIME] === REVERSE) return null;
    const from = at + FIRST_NAME;
    const end = at + WIDTH;
    for (let i = from; i < end; i += 2) {
      if (numbers[i + 1] === 0) {
        if (i === from) numbers[at + TIME] = time;
        numbers[i] = hash;
        numbers[i + 1] = length;
        return null;
      }
      if (numbers[i] === hash) return null;
    }
    // Names of addresses are no data.
    if (isReverse(domain.wire)) {
      numbers[at + TIME] = REVERSE;
      return null;
    }
    records.clear(domain);
    return { time: numbers[at + TIME], names: [...numbers.subarray(from, end)] };
  }
}
