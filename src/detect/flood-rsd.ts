import { numberText, percentText, spanText } from '../core/figures.ts';
import { DNS } from '../core/carrier.ts';
import { group, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import type { Domain, Host } from './entities.ts';
import type { Observation } from './observation.ts';
import { Witnesses } from './witnesses.ts';

const WINDOW = 60;
/** Of a domain's usual failures per minute the average of about ten minutes. */
const KEEP = 0.9;
/** A flood is so many times what the domain usually has. */
const TIMES_USUAL = 3;
const FAILING = 0.8;
const MOST_DOMAINS = 4096;
const MOST_CLIENTS = 64;

class State {
  began: number;
  /** The domain's queries when the window began. */
  before: number;
  failures = 0;
  readonly names = new Set<number>();
  readonly clients = new Set<Host>();
  usual = 0;
  raisedAt = 0;
  readonly witnesses = new Witnesses();

  constructor(domain: Domain, time: number) {
    this.began = time;
    this.before = domain.queries - 1;
  }

  roll(domain: Domain, time: number): void {
    const windows = Math.max(1, Math.floor((time - this.began) / WINDOW));
    this.usual = this.usual * KEEP ** windows + (1 - KEEP) * this.failures;
    this.began = time;
    this.before = domain.queries - 1;
    this.failures = 0;
    this.raisedAt = 0;
    this.names.clear();
    this.clients.clear();
    this.witnesses.clear();
  }
}

function stateOf(domain: Domain, { time }: Observation): State {
  return new State(domain, time);
}

/** Random sub-domains ("water torture"): Afek et al. 2016, distinct heavy hitters. */
export const floodRsd = detector({
  id: 'FLOOD-RSD',
  title: 'Flood of random sub-domains',
  summary:
    'Many different names below one domain that all fail: the queries pass every cache and hit its name servers (water torture).',
  attack: ['T1498.001', 'T1499.002'],
  needs: ['names'],
  rows: 'negative',
  settings: group('Limits.', {
    names: whole('So many different failing names of a domain in a minute.', {
      default: 200,
      least: 10,
      most: 100_000,
    }),
  }),
  create: ({ names }, { entities }) => {
    const states = entities.perDomain<State>(MOST_DOMAINS);
    return {
      inspect(seen, raise) {
        const { domain, time } = seen;
        if (domain === null || seen.subLength === 0 || seen.protocol !== DNS) return;
        let state = states.peek(domain);
        if (state === undefined) state = states.take(domain, stateOf, seen);
        else if (time - state.began >= WINDOW) state.roll(domain, time);
        state.failures++;
        if (state.clients.size < MOST_CLIENTS) state.clients.add(seen.client);
        // What is raised next is raised when it has doubled.
        if (state.names.size <= names * 8) state.names.add(seen.subHash);
        const distinct = state.names.size;
        // The first few are nothing yet.
        if (distinct > names / 4) state.witnesses.note(seen);
        if (distinct < names || distinct < state.raisedAt * 2) return;
        const ratio = state.failures / Math.max(state.failures, domain.queries - state.before);
        if (ratio < FAILING || state.failures < state.usual * TIMES_USUAL) return;
        state.raisedAt = distinct;
        const seconds = Math.max(time - state.began, 0.001);
        const clients = state.clients.size;
        const span = spanText(seconds);
        raise({
          detector: 'FLOOD-RSD',
          key: domain.text,
          severity: clients >= 3 ? 'high' : 'medium',
          score: Math.min(1, distinct / (names * 8) + 0.5),
          confidence: ratio,
          time,
          firstSeen: state.began,
          lastSeen: time,
          count: state.failures,
          subject: domain.text,
          domain: domain.text,
          ...(clients === 1 && { client: seen.client.text }),
          title: `${numberText(distinct)} different failing names under ${domain.text} in ${span}`,
          text: `${numberText(state.failures)} queries of ${clients === MOST_CLIENTS ? 'very many' : numberText(clients)} client${clients === 1 ? '' : 's'} for names under ${domain.text} failed in ${span} (${percentText(ratio)} of all; ${numberText(state.usual)} a minute are usual). Nothing of it can be cached: somebody may be attacking the name servers of ${domain.text} through this resolver. Limit the rate of that suffix or of those clients; the domain itself is the victim.`,
          measures: [
            { name: 'different failing names in a minute', value: distinct, unit: 'names', threshold: names },
            { name: 'share of failures', value: ratio, unit: '', threshold: FAILING },
          ],
          evidence: state.witnesses.with(seen),
          attack: floodRsd.attack,
        });
      },
    };
  },
});
