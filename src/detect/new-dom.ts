import { group, span, whole } from '../core/settings.ts';
import { Bounded } from './bounded.ts';
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
    const known = new Bounded<string, { first: number; last: number }>(domains);
    let seenLast: Domain | null = null;
    return {
      inspect({ domain, time }) {
        // Written down once an hour at most; between that, the domain's own object knows.
        if (domain === null || domain === seenLast) return;
        seenLast = domain;
        const isNewHere = domain.queries <= 1;
        if (!isNewHere && time - domain.firstSeen < HOUR) return;
        const age = known.take(domain.text, ageOf, domain);
        if (time - age.last > forget / 1000) age.first = time;
        age.last = time;
        if (age.first < domain.firstSeen) domain.firstSeen = age.first;
      },
      save: () => [...known].map(([domain, { first, last }]) => [domain, first, last]),
      load(state) {
        if (!Array.isArray(state)) return;
        for (const row of state as unknown[]) {
          if (!Array.isArray(row)) continue;
          const [domain, first, last] = row as unknown[];
          if (typeof domain !== 'string' || typeof first !== 'number' || typeof last !== 'number') continue;
          known.take(domain, () => ({ first, last }));
        }
      },
    };
  },
});

function ageOf(_: string, { firstSeen }: Domain): { first: number; last: number } {
  return { first: firstSeen, last: firstSeen };
}

/** Weight of what is seen of a domain: half as much again on its first day, unless everybody asks for it. */
export function ageWeight(domain: Domain, now: number): number {
  return !domain.isPopular && now - domain.firstSeen < 24 * HOUR ? 1.5 : 1;
}
