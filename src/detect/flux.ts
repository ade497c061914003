import { numberText, spanText } from '../core/figures.ts';
import { group, span, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import type { AnswerAddresses } from './answers.ts';
import type { Domain } from './entities.ts';
import type { Observation } from './observation.ts';
import { Witnesses } from './witnesses.ts';

const WINDOW = 24 * 3600;
const MOST_DOMAINS = 4096;
const MOST_ADDRESSES = 256;
/** New addresses have to go on coming: the last of them this long after the first. */
const LEAST_AGE = 900;
/** Fewer are a small pool, however spread. */
const LEAST_ADDRESSES = 20;
/** Holz et al. 2008: 1.32 · addresses + 18.54 · networks > 142.38; without an AS table networks are /16s and weigh less. */
const ADDRESS_WEIGHT = 1.32;

/** All that is kept of a domain that has had one address only, as nearly all have. */
class First {
  #responses = 1;
  /** The lowest word of the address. */
  readonly #word: number;
  readonly address: number;
  readonly network: number;
  readonly began: number;

  constructor({ time, answers }: Observation) {
    this.#word = answers.words[3];
    this.address = answers.key(0);
    this.network = answers.network(0);
    this.began = time;
  }

  get responses(): number {
    return this.#responses;
  }

  /** Counts a response that has this address alone. */
  isAgain({ count, words }: AnswerAddresses): boolean {
    if (count !== 1 || words[3] !== this.#word) return false;
    this.#responses++;
    return true;
  }
}

class State {
  began: number;
  responses = 0;
  raised = 0;
  readonly addresses = new Set<number>();
  readonly networks = new Set<number>();
  readonly witnesses = new Witnesses();

  constructor(time: number) {
    this.began = time;
  }
}

function firstOf(_: Domain, seen: Observation): First {
  return new First(seen);
}

/** Goes on from what was kept of the first address. */
function stateOf(_: Domain, { began, responses, address, network }: First): State {
  const state = new State(began);
  state.responses = responses;
  state.addresses.add(address);
  state.networks.add(network);
  return state;
}

export const flux = detector({
  id: 'FLUX',
  title: 'Fast flux',
  summary:
    'A domain whose addresses keep changing over many networks with short TTLs: machines of strangers stand in front of the real one.',
  attack: ['T1568.001'],
  needs: ['names'],
  rows: 'addresses',
  settings: group('Limits.', {
    networks: whole('Addresses lie in so many networks (/16; of IPv6 /32).', { default: 10, least: 3, most: 256 }),
    ttl: span('Answers are kept no longer than this.', { default: '30m', least: 0 }),
  }),
  create: ({ networks, ttl }, { entities }) => {
    const states = entities.perDomain<First | State>(MOST_DOMAINS);
    const mostTtl = ttl / 1000;
    return {
      inspect(seen, raise) {
        const { domain, time, answers } = seen;
        if (domain === null || answers.count === 0) return;
        // Of names that lead to another's (a CDN's customers) nothing is said; nor of what everybody asks for (CDNs).
        if (answers.hasAlias || answers.ttl > mostTtl) return;
        const known = states.peek(domain);
        if (known instanceof First && known.isAgain(answers)) return;
        if (known === undefined && domain.isPopular) return;
        if (known !== undefined && time - known.began > WINDOW) states.delete(domain);
        let state = states.take(domain, firstOf, seen);
        if (state instanceof First) {
          if (state === known || answers.count > 1) {
            states.delete(domain);
            state = states.take(domain, stateOf, state);
          }
          if (state instanceof First) return;
        }
        state.responses++;
        if (state.addresses.size === MOST_ADDRESSES) return;
        let hasNew = false;
        for (let i = 0; i < answers.count; i++) {
          const key = answers.key(i);
          if (state.addresses.has(key) || state.addresses.size === MOST_ADDRESSES) continue;
          state.addresses.add(key);
          state.networks.add(answers.network(i));
          hasNew = true;
        }
        if (!hasNew) return;
        state.witnesses.note(seen);
        const spread = state.networks.size;
        const n = state.addresses.size;
        if (spread < networks || n < LEAST_ADDRESSES || time - state.began < LEAST_AGE || spread < state.raised * 2)
          return;
        state.raised = spread;
        const hours = (time - state.began) / 3600;
        raise({
          detector: 'FLUX',
          key: domain.text,
          severity: 'medium',
          score: Math.min(1, (ADDRESS_WEIGHT * n + 6 * spread) / 284),
          confidence: 0.6,
          time,
          firstSeen: state.began,
          lastSeen: time,
          count: state.responses,
          subject: domain.text,
          domain: domain.text,
          title: `${domain.text} had ${numberText(n)} addresses in ${numberText(spread)} networks within ${spanText(time - state.began)}`,
          text: `The addresses of ${domain.text} keep changing: ${numberText(n)} of them in ${numberText(spread)} networks (/16) within ${spanText(time - state.began)}, ${numberText(n / hours)} new ones an hour, each kept for ${numberText(answers.ttl)} s. Content networks do that too; machines that were broken into stand behind it where nobody knows the domain.`,
          measures: [
            { name: 'networks of its addresses', value: spread, unit: 'networks', threshold: networks },
            { name: 'addresses', value: n, unit: 'addresses', threshold: LEAST_ADDRESSES },
          ],
          evidence: state.witnesses.with(seen),
          attack: flux.attack,
          proposal: { kind: 'domain', value: domain.text, text: `Block ${domain.text} for an hour` },
        });
      },
    };
  },
});
