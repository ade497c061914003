import { binomialTail } from '../baseline/latency.ts';
import { Bounded } from './bounded.ts';
import type { Domain } from './entities.ts';
import type { Observation } from './observation.ts';
import { Witnesses } from './witnesses.ts';

/** Seconds over which answers to one domain's names are counted together. */
const WINDOW = 60;
const MOST_DOMAINS = 4096;
const MOST_IDS = 64;
/** So unlikely has it to be that the capture lost as many queries. */
const UNLIKELY = 1e-9;
/** Transactions over which the share of lost queries is remembered, and what is believed before any was seen. */
const MEMORY = 65_536;
const LEAST_SHARE = 0.001;

/** Answers for names of a domain that fit no query, within a window. */
export interface Unasked {
  began: number;
  count: number;
  /** Ids and ports, mixed. */
  guesses: Set<number>;
  witnesses: Witnesses;
  /** What had been seen before: transactions of the domain and of all, and answers that fitted none. */
  before: { domain: number; all: number; unasked: number };
  isTold: boolean;
}

/**
 * Guesses that come too slowly to stand out in a second: more answers without a query for one domain than a capture loses
 * queries elsewhere at the same time. A capture that loses much, or sees one direction only, finds none.
 */
export class SlowGuesses {
  readonly #by = new Bounded<Domain, Unasked>(MOST_DOMAINS);
  /** Answers without a query, and when which transaction was the last. */
  #unasked = 0;
  #share = LEAST_SHARE;
  #mark = { all: 0, unasked: 0 };

  /** Takes an answer without a query; what is known of its domain where that is no chance, and has not been said. */
  note(seen: Observation): Unasked | null {
    this.#unasked++;
    this.#learn(seen.serial);
    const { domain, time } = seen;
    if (domain === null) return null;
    const found = this.#by.take(domain, () => this.#begin(seen, domain));
    if (time - found.began > WINDOW) Object.assign(found, this.#begin(seen, domain));
    found.count++;
    const { id, clientPort } = seen.batch.col;
    if (found.guesses.size < MOST_IDS) found.guesses.add(id[seen.row] * 65_536 + clientPort[seen.row]);
    found.witnesses.note(seen);
    return !found.isTold && this.#isNoChance(found, domain, seen.serial) ? found : null;
  }

  #isNoChance({ count, before }: Unasked, domain: Domain, serial: number): boolean {
    const own = Math.max(count, domain.queries - before.domain);
    const others = serial - before.all - own;
    const lost = this.#unasked - before.unasked - count;
    const share = Math.max(this.#share, others > 0 ? lost / others : 0);
    // The first one is why anybody looks.
    return count > 1 && binomialTail(count - 1, own, Math.min(0.99, share)) < UNLIKELY;
  }

  #begin({ serial, time }: Observation, domain: Domain): Unasked {
    const before = { domain: domain.queries - 1, all: serial - 1, unasked: this.#unasked - 1 };
    return { began: time, count: 0, guesses: new Set(), witnesses: new Witnesses(), before, isTold: false };
  }

  /** What share of answers has had no query, of late. */
  #learn(serial: number): void {
    const all = serial - this.#mark.all;
    if (all < MEMORY) return;
    this.#share = Math.max(LEAST_SHARE, (this.#unasked - this.#mark.unasked) / all);
    this.#mark = { all: serial, unasked: this.#unasked };
  }
}
