import { addressText } from '../core/address.ts';
import { DNS } from '../core/carrier.ts';
import { numberText } from '../core/figures.ts';
import { group, span } from '../core/settings.ts';
import { type AnswerAddresses, TYPE_A, TYPE_AAAA } from '../baseline/answers.ts';
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
        const gap = (time - first.time(entry)) * 1000;
        raise({
          detector: 'POIS-RACE',
          key,
          severity: 'high',
          score: 0.95,
          confidence: 0.85,
          time,
          firstSeen: first.time(entry),
          lastSeen: time,
          count: last.count,
          subject: seen.nameText,
          client: resolver,
          server: seen.server.text,
          ...(seen.domain !== null && { domain: seen.domain.text }),
          title: `Two answers for ${seen.nameText} that contradict each other: ${one} and ${other}`,
          text: `${resolver} asked ${seen.server.text} once for ${seen.nameText} and got ${one} after ${numberText(first.latency(entry))} ms, and ${numberText(gap)} ms later ${other}. A server does not answer twice: the quicker answer is the one that an injector wants believed. Ask for that name over another path, or over TLS.`,
          measures: [{ name: 'time between the answers', value: gap, unit: 'ms', threshold: within }],
          evidence: [seen.evidence(`the second answer: ${other}; the first: ${one}`)],
          attack: poisRace.attack,
        });
      },
    };
  },
});

const SLOTS = 32_768;
/** A record is one line of memory: words, then doubles. */
const WORDS = 16;
const HASH = 0;
const FAMILY = 1;
const ADDRESS = 2;
const NETWORKS = 6;
const DOUBLES = 8;
const TIME = 6;
const LATENCY = 7;

/** The addresses that the last queries got first: a ring, and where in it they are by hash. */
class FirstAnswers {
  readonly #doubles = new Float64Array(RING * DOUBLES);
  readonly #words = new Int32Array(this.#doubles.buffer);
  /** By hash. Records are written one after the other: each at its hash's place would have to be fetched first. */
  readonly #entries = new Uint16Array(SLOTS);
  #next = 0;

  remember(seen: Observation, answers: AnswerAddresses): void {
    const words = this.#words;
    const hash = hashOf(seen);
    const entry = this.#next++ & (RING - 1);
    const at = entry * WORDS;
    this.#entries[hash & (SLOTS - 1)] = entry;
    words[at + HASH] = hash;
    words[at + FAMILY] = answers.family[0];
    for (let i = 0; i < 4; i++) words[at + ADDRESS + i] = answers.words[i];
    for (let i = 0; i < MOST_NETWORKS; i++)
      words[at + NETWORKS + i] = networkOf(answers, Math.min(i, answers.count - 1));
    const c = seen.batch.col;
    this.#doubles[entry * DOUBLES + TIME] = c.answerSeconds[seen.row] + c.answerNanos[seen.row] / 1e9;
    this.#doubles[entry * DOUBLES + LATENCY] = seen.latencyMs;
  }

  /** Entry of the query that the answer at hand belongs to; −1 when it is not known, or too long ago. */
  find(seen: Observation, within: number): number {
    const hash = hashOf(seen);
    const entry = this.#entries[hash & (SLOTS - 1)];
    if (this.#words[entry * WORDS + HASH] !== hash) return -1;
    const gap = seen.time - this.time(entry);
    return gap >= 0 && gap <= within ? entry : -1;
  }

  /** When an entry's answer came, seconds since 1970; and after how many milliseconds. */
  time(entry: number): number {
    return this.#doubles[entry * DOUBLES + TIME];
  }
  latency(entry: number): number {
    return this.#doubles[entry * DOUBLES + LATENCY];
  }

  /** Whether any address lies in a network of the first answer's: servers of one name lie together, and take turns. */
  shares(entry: number, answers: AnswerAddresses): boolean {
    const from = entry * WORDS + NETWORKS;
    for (let i = 0; i < answers.count; i++) {
      const network = networkOf(answers, i);
      for (let k = from; k < from + MOST_NETWORKS; k++) if (this.#words[k] === network) return true;
    }
    return false;
  }

  text(entry: number): string {
    const at = entry * WORDS;
    const [family, w0, w1, w2, w3] = this.#words.subarray(at + FAMILY, at + NETWORKS);
    return addressText(family, w0, w1, w2, w3);
  }
}

/** The network of an address as one word: answers to a question have addresses of one family. */
function networkOf({ family, words }: AnswerAddresses, i: number): number {
  return family[i] === 4 ? words[i * 4 + 3] >>> 16 : words[i * 4];
}

function hashOf(seen: Observation): number {
  const { id, clientPort, client3, server3 } = seen.batch.col;
  const { row } = seen;
  let h = seen.nameHash ^ Math.imul(id[row] * 65_536 + clientPort[row] + seen.type, 0x9e3779b1);
  h = Math.imul(h ^ client3[row], 0x85ebca6b) ^ Math.imul(server3[row], 0xc2b2ae35);
  return (h ^ (h >>> 15)) | 0;
}
