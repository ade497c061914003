import { numberText, spanText } from '../core/figures.ts';
import type { AnswerAddresses } from '../baseline/answers.ts';
import { group, span, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
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

/** What is kept of a domain whose answers are all like its first one, as those of nearly all are: see `Records`. */
const BEGAN = 1;
const RESPONSES = 2;
const COUNT = 3;
const KEYS = 4;
const NETWORKS = 10;
const RECORD = 16;
const MOST_KEPT = NETWORKS - KEYS;

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

/** Takes an answer of a domain; true when its addresses are not those of the first. `at`: where its numbers are. */
function hasMore(numbers: Float64Array, at: number, domain: Domain, { time, answers }: Observation): boolean {
  const known = numbers[at + COUNT];
  if (known === 0 ? domain.isPopular : isLikeFirst(numbers, at, answers)) {
    if (known === 0) return false;
    if (known === 1 || time - numbers[at + BEGAN] <= WINDOW) {
      numbers[at + RESPONSES]++;
      return false;
    }
  }
  if (known !== 0 && time - numbers[at + BEGAN] <= WINDOW) return true;
  const { count } = answers;
  numbers[at + BEGAN] = time;
  // The first answer with several counts for two.
  numbers[at + RESPONSES] = count > 1 && count <= MOST_KEPT ? 2 : 1;
  numbers[at + COUNT] = Math.min(count, MOST_KEPT);
  for (let i = 0; i < count && i < MOST_KEPT; i++) {
    numbers[at + KEYS + i] = answers.key(i);
    numbers[at + NETWORKS + i] = answers.network(i);
  }
  return count > MOST_KEPT;
}

function isLikeFirst(numbers: Float64Array, at: number, answers: AnswerAddresses): boolean {
  const end = at + KEYS + numbers[at + COUNT];
  for (let i = 0; i < answers.count; i++) {
    const key = answers.key(i);
    let k = at + KEYS;
    while (k < end && numbers[k] !== key) k++;
    if (k === end) return false;
  }
  return true;
}

/** Goes on from what was kept of the first addresses. */
function stateOf({ slot }: Domain, numbers: Float64Array): State {
  const at = slot * RECORD;
  const state = new State(numbers[at + BEGAN]);
  const count = numbers[at + COUNT];
  state.responses = numbers[at + RESPONSES];
  for (let i = 0; i < count; i++) {
    state.addresses.add(numbers[at + KEYS + i]);
    state.networks.add(numbers[at + NETWORKS + i]);
  }
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
    const firsts = entities.domainRecords(RECORD);
    const states = entities.perDomain<State>(MOST_DOMAINS);
    const mostTtl = ttl / 1000;
    return {
      touch(ahead) {
        ahead.sum += firsts.touch(ahead.domains, ahead.count);
      },
      inspect(seen, raise) {
        const { domain, time, answers } = seen;
        if (domain === null || answers.count === 0) return;
        // Of names that lead to another's (a CDN's customers) nothing is said; nor of what everybody asks for (CDNs).
        if (answers.hasAlias || answers.ttl > mostTtl) return;
        let state = states.peek(domain);
        if (state !== undefined && time - state.began > WINDOW) {
          states.delete(domain);
          state = undefined;
        }
        if (state === undefined) {
          const at = firsts.at(domain);
          if (!hasMore(firsts.numbers, at, domain, seen)) return;
          state = states.take(domain, stateOf, firsts.numbers);
          firsts.clear(domain);
        } else states.take(domain, stateOf, firsts.numbers);
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
