import { UserError } from '../core/errors.ts';
import { group, span, whole } from '../core/settings.ts';
import { hashOf, KeyTable } from '../sketch/key-table.ts';
import { nameText } from '../wire/name.ts';
import { parseName } from '../wire/writer.ts';
import { type Counted, noteTable } from './bounded.ts';
import { detector } from './detector.ts';
import type { Domain } from './entities.ts';

const HOUR = 3600;

export const newDom = detector({
  id: 'NEW-DOM',
  title: 'Age of domains',
  summary:
    'Remembers when each domain was first asked for, over restarts. It raises nothing: others give what is new more weight.',
  attack: ['T1583.001'],
  needs: ['names'],
  rows: 'names',
  settings: group('What is remembered.', {
    domains: whole('Domains, those that were asked for last.', { default: 100_000, least: 1000, most: 2_000_000 }),
    forget: span('A domain that was not asked for so long is new again.', { default: '90d', least: 86_400_000 }),
  }),
  create: ({ domains, forget }) => {
    const ages = new Ages(domains);
    return {
      inspect({ domain, time }) {
        if (domain === null) return;
        // Written down once an hour at most; between that, the domain's own object knows.
        const hour = Math.floor(time / HOUR);
        if (domain.agedAt === hour) return;
        domain.agedAt = hour;
        const age = ages.take(domain.key, domain.keyAt, domain.keyWords);
        const { doubles, double } = age;
        const last = doubles[double + LAST];
        if (last === 0) doubles[double + FIRST] = domain.firstSeen;
        else if (time - last > forget / 1000) doubles[double + FIRST] = time;
        doubles[double + LAST] = time;
        if (doubles[double + FIRST] < domain.firstSeen) domain.firstSeen = doubles[double + FIRST];
      },
      save: () => [...ages.entries()],
      load(state) {
        if (!Array.isArray(state)) return;
        for (const row of state as unknown[]) {
          if (!Array.isArray(row)) continue;
          const [domain, first, last] = row as unknown[];
          if (typeof domain !== 'string' || typeof first !== 'number' || typeof last !== 'number') continue;
          ages.load(domain, first, last);
        }
      },
    };
  },
});

const FIRST = 0;
const LAST = 1;

/** When domains were first and last asked for, by their wire form: two tables take turns, as in `Bounded`. */
class Ages implements Counted {
  readonly capacity: number;
  evicted = 0;
  #now: KeyTable;
  #before: KeyTable;
  /** Of those before, how many are in the other table, too. */
  #again = 0;
  readonly #half: number;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#half = capacity >> 1;
    this.#now = this.#empty();
    this.#before = this.#empty();
    noteTable(this);
  }

  get size(): number {
    return this.#now.size + this.#before.size - this.#again;
  }

  /** The table that has the domain's record at hand; a new one has zeros in it. */
  take(key: Int32Array, at: number, words: number): KeyTable {
    const hash = hashOf(key, at, words);
    const before = this.#before;
    if (this.#now.find(key, at, words, hash) >= 0) return this.#now;
    const isKnown = before.find(key, at, words, hash) >= 0;
    if (this.#now.full) {
      this.evicted += before.size - this.#again - (isKnown ? 1 : 0);
      this.#again = 0;
      this.#before = this.#now;
      this.#now = this.#empty();
    } else if (isKnown) this.#again++;
    const now = this.#now;
    now.insert(key, at, words, hash);
    if (isKnown) {
      now.doubles[now.double + FIRST] = before.doubles[before.double + FIRST];
      now.doubles[now.double + LAST] = before.doubles[before.double + LAST];
    }
    return now;
  }

  *entries(): Generator<[domain: string, first: number, last: number]> {
    for (const table of [this.#before, this.#now]) {
      for (let entry = 0; entry < table.size; entry++) {
        const { array, from, words } = table.key(entry);
        if (table === this.#before && this.#now.find(array, from, words) >= 0) continue;
        const [first, last] = table.numbers(entry);
        yield [nameText(table.bytes(entry), 0, 0), first, last];
      }
    }
  }

  /** Takes what an earlier run saved; what is no name is passed over. */
  load(domain: string, first: number, last: number): void {
    let wire: Uint8Array;
    try {
      wire = parseName(domain);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return;
    }
    const key = new Int32Array((wire.length + 3) >> 2);
    new Uint8Array(key.buffer).set(wire);
    const { doubles, double } = this.take(key, 0, key.length);
    doubles[double + FIRST] = first;
    doubles[double + LAST] = last;
  }

  #empty(): KeyTable {
    return new KeyTable(this.#half, { doubles: 2 });
  }
}

/** Weight of what is seen of a domain: half as much again on its first day, unless everybody asks for it. */
export function ageWeight(domain: Domain, now: number): number {
  return !domain.isPopular && now - domain.firstSeen < 24 * HOUR ? 1.5 : 1;
}
