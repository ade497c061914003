import { addressText } from '../core/address.ts';
import { DNS } from '../core/carrier.ts';
import { numberText } from '../core/figures.ts';
import { group, span } from '../core/settings.ts';
import { type AnswerAddresses, TYPE_A, TYPE_AAAA } from './answers.ts';
import { Bounded } from './bounded.ts';
import { detector } from './detector.ts';
import { NXDOMAIN, NODATA, DATA, type Observation, ORPHAN } from './observation.ts';

/** Answered queries that are remembered until a second answer may come. */
const RING = 8192;
const MOST_NETWORKS = 4;
const MOST_NAMES = 2048;
const QUIET = 600;

/** Two answers to one query that contradict each other: one of them is forged (Hold-On, Duan et al. 2012). */
export const poisRace = detector({
  id: 'POIS-RACE',
  title: 'Contradicting answers',
  summary: 'A query that was sent once got two answers with different addresses: one of them was injected on the way.',
  attack: ['T1557'],
  rows: ['addresses', 'orphans'],
  settings: group('Limits.', {
    within: span('The second answer comes this soon after the first.', { default: '2s', least: 1, most: 60_000 }),
  }),
  create: ({ within }) => {
    const first = new FirstAnswers();
    const told = new Bounded<string, { at: number; count: number }>(MOST_NAMES);
    return {
      inspect(seen, raise) {
        if ((seen.type !== TYPE_A && seen.type !== TYPE_AAAA) || seen.protocol !== DNS) return;
        const { row, batch, time } = seen;
        if (seen.outcome !== ORPHAN) {
          // A repeated query may be answered twice, by servers that take turns.
          if (seen.kind !== DATA || batch.col.queries[row] !== 1) return;
          if (seen.answers.count > 0) first.remember(seen, seen.answers);
          return;
        }
        if (batch.col.duplicates[row] === 0 || seen.response === null) return;
        const entry = first.find(seen, within / 1000);
        if (entry < 0) return;
        const { answers } = seen;
        const n = answers.count;
        const denies = n === 0 && (seen.kind === NXDOMAIN || seen.kind === NODATA);
        if ((n === 0 && !denies) || (n > 0 && first.shares(entry, answers))) return;
        const { text: resolver } = seen.client;
        const key = `${resolver} ${seen.nameText}`;
        const last = told.take(key, () => ({ at: Number.NEGATIVE_INFINITY, count: 0 }));
        last.count++;
        if (time - last.at < QUIET && last.count % 10 !== 0) return;
        last.at = time;
        const one = first.text(entry);
        const other = denies ? (seen.kind === NXDOMAIN ? 'that it does not exist' : 'no address') : answers.text(0);
        const gap = (time - first.time[entry]) * 1000;
        raise({
          detector: 'POIS-RACE',
          key,
          severity: 'high',
          score: 0.95,
          confidence: 0.85,
          time,
          firstSeen: first.time[entry],
          lastSeen: time,
          count: last.count,
          subject: seen.nameText,
          client: resolver,
          server: seen.server.text,
          ...(seen.domain !== null && { domain: seen.domain.text }),
          title: `Two answers for ${seen.nameText} that contradict each other: ${one} and ${other}`,
          text: `${resolver} asked ${seen.server.text} once for ${seen.nameText} and got ${one} after ${numberText(first.latency[entry])} ms, and ${numberText(gap)} ms later ${other}. A server does not answer twice: the quicker answer is the one that an injector wants believed. Ask for that name over another path, or over TLS.`,
          measures: [{ name: 'time between the answers', value: gap, unit: 'ms', threshold: within }],
          evidence: [seen.evidence(`the second answer: ${other}; the first: ${one}`)],
          attack: poisRace.attack,
        });
      },
    };
  },
});

/** The addresses that queries got first, for a while: a ring that is found by hash. */
class FirstAnswers {
  readonly #hash = new Int32Array(RING);
  readonly #networks = new Float64Array(RING * MOST_NETWORKS);
  readonly #address = new Int32Array(RING * 5);
  readonly time = new Float64Array(RING);
  readonly latency = new Float64Array(RING);

  remember(seen: Observation, answers: AnswerAddresses): void {
    const hash = hashOf(seen);
    const entry = hash & (RING - 1);
    this.#hash[entry] = hash;
    const c = seen.batch.col;
    this.time[entry] = c.answerSeconds[seen.row] + c.answerNanos[seen.row] / 1e9;
    this.latency[entry] = seen.latencyMs;
    for (let i = 0; i < MOST_NETWORKS; i++) {
      this.#networks[entry * MOST_NETWORKS + i] = answers.network(Math.min(i, answers.count - 1));
    }
    this.#address[entry * 5] = answers.family[0];
    for (let i = 0; i < 4; i++) this.#address[entry * 5 + 1 + i] = answers.words[i];
  }

  /** Entry of the query that the answer at hand belongs to; −1 when it is not known, or too long ago. */
  find(seen: Observation, within: number): number {
    const hash = hashOf(seen);
    const entry = hash & (RING - 1);
    if (this.#hash[entry] !== hash) return -1;
    const gap = seen.time - this.time[entry];
    return gap >= 0 && gap <= within ? entry : -1;
  }

  /** Whether any address lies in a network of the first answer's: servers of one name lie together, and take turns. */
  shares(entry: number, answers: AnswerAddresses): boolean {
    for (let i = 0; i < answers.count; i++) {
      const network = answers.network(i);
      for (let k = 0; k < MOST_NETWORKS; k++) if (this.#networks[entry * MOST_NETWORKS + k] === network) return true;
    }
    return false;
  }

  text(entry: number): string {
    const [family, w0, w1, w2, w3] = this.#address.subarray(entry * 5, entry * 5 + 5);
    return addressText(family, w0, w1, w2, w3);
  }
}

function hashOf(seen: Observation): number {
  const { id, clientPort, client3, server3 } = seen.batch.col;
  const { row } = seen;
  let h = seen.nameHash ^ Math.imul(id[row] * 65_536 + clientPort[row] + seen.type, 0x9e3779b1);
  h = Math.imul(h ^ client3[row], 0x85ebca6b) ^ Math.imul(server3[row], 0xc2b2ae35);
  return (h ^ (h >>> 15)) | 0;
}
