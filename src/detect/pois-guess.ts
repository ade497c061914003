import { DNS } from '../core/carrier.ts';
import { numberText } from '../core/figures.ts';
import { group, span, whole } from '../core/settings.ts';
import type { Finding } from '../core/alert.ts';
import { Bounded } from './bounded.ts';
import { detector } from './detector.ts';
import type { Observation } from './observation.ts';
import { SlowGuesses, type Unasked } from './slow-guess.ts';
import { Witnesses } from './witnesses.ts';

const WINDOW = 1;
/** Answers whose query was before the capture began come right after its start; guesses differ in their ids. */
const WARM_UP = 30;
const LEAST_IDS = 3;
const MOST_KEYS = 8192;
const MOST_IDS = 64;

interface State {
  began: number;
  count: number;
  /** Ids and ports, mixed. */
  guesses: Set<number>;
  raised: number;
  witnesses: Witnesses;
}

/** Guessed answers (POPS, USENIX Security 2025; RFC 5452 §9): only answers that fit no query count. */
export const poisGuess = detector({
  id: 'POIS-GUESS',
  title: 'Forged answers (guessing)',
  summary:
    'Answers for one name that fit no query, with different ids or ports, within a second: somebody guesses to poison the cache of a resolver. Slower ones are told by how much more of them come for one domain than a capture loses queries.',
  attack: ['T1557', 'T1565.002'],
  rows: 'orphans',
  settings: group('Limits.', {
    answers: whole('More answers than this without a query, for a name, in a second.', {
      default: 5,
      least: 1,
      most: 1000,
    }),
    warm_up: span('Until this time after the start, fewer than three different ids are no guesses.', {
      default: `${WARM_UP}s`,
    }),
  }),
  create: ({ answers, warm_up: warmUp }) => {
    const states = new Bounded<number, State>(MOST_KEYS);
    const slow = new SlowGuesses();
    let start = Number.NaN;
    return {
      tick(time) {
        if (Number.isNaN(start)) start = time;
      },
      inspect(seen, raise) {
        const { time, row, batch } = seen;
        if (seen.protocol !== DNS || seen.nameHash === 0) return;
        const { duplicates, late, id, clientPort, client3 } = batch.col;
        // What answers a query that was answered, or given up, is another matter.
        if (duplicates[row] > 0 || late[row] > 0) return;
        const key = (seen.nameHash ^ Math.imul(client3[row], 0x9e3779b1)) >>> 0;
        const state = states.take(key, () => ({
          began: time,
          count: 0,
          guesses: new Set(),
          raised: 0,
          witnesses: new Witnesses(),
        }));
        if (time - state.began > WINDOW) {
          state.began = time;
          state.count = 0;
          state.guesses.clear();
          if (state.raised === 0) state.witnesses.clear();
        }
        state.count++;
        if (state.guesses.size < MOST_IDS) state.guesses.add(id[row] * 65_536 + clientPort[row]);
        state.witnesses.note(seen);
        const found = slow.note(seen);
        if (state.count <= answers || state.count < state.raised * 2) {
          if (found === null || found.count <= answers || time - start < warmUp / 1000) return;
          if (found.guesses.size < Math.max(LEAST_IDS, found.count * 0.8)) return;
          found.isTold = true;
          if (state.raised === 0) raise(slowFinding(seen, found, answers));
          return;
        }
        if (state.guesses.size < LEAST_IDS && (time - start < warmUp / 1000 || state.guesses.size < 2)) return;
        state.raised = state.count;
        const { text: resolver } = seen.client;
        raise({
          detector: 'POIS-GUESS',
          key: `${resolver} ${seen.nameText}`,
          severity: 'high',
          score: 1,
          confidence: state.guesses.size >= LEAST_IDS ? 0.98 : 0.7,
          time,
          firstSeen: state.began,
          lastSeen: time,
          count: state.count,
          subject: seen.nameText,
          client: resolver,
          server: seen.server.text,
          ...(seen.domain !== null && { domain: seen.domain.text }),
          title: `Forged answers for ${seen.nameText} to ${resolver}`,
          text: `${numberText(state.count)} answers for ${seen.nameText} reached ${resolver} within a second and fit none of its queries; they differ in ${numberText(state.guesses.size)} ids and ports. Somebody guesses, to have a false address believed. Let the resolver ask again over TCP for that name, and clear it from its cache.`,
          measures: [
            { name: 'answers without a query in a second', value: state.count, unit: 'answers', threshold: answers },
            { name: 'different ids and ports', value: state.guesses.size, unit: '', threshold: LEAST_IDS },
          ],
          evidence: state.witnesses.with(seen),
          attack: poisGuess.attack,
          isProof: state.guesses.size >= LEAST_IDS,
        });
      },
    };
  },
});

/** Certain is only that they fit no query: the capture may have lost some after all. */
function slowFinding(seen: Observation, found: Unasked, threshold: number): Finding {
  const { count, guesses, began, witnesses } = found;
  const { text: resolver } = seen.client;
  const domain = seen.domain?.text ?? seen.nameText;
  return {
    detector: 'POIS-GUESS',
    key: `${resolver} ${domain} slow`,
    severity: 'medium',
    score: 0.8,
    confidence: 0.7,
    time: seen.time,
    firstSeen: began,
    lastSeen: seen.time,
    count,
    subject: domain,
    client: resolver,
    server: seen.server.text,
    domain,
    title: `Answers for ${domain} to ${resolver} that fit no query`,
    text: `${numberText(count)} answers for names of ${domain} came in ${numberText(Math.ceil(seen.time - began))} s and fit no query; they differ in ${numberText(guesses.size)} ids and ports. Of other domains hardly a query is missing, so they were not just lost: somebody may be guessing slowly, to have a false address believed. Let the resolver ask again over TCP, and clear the domain from its cache.`,
    measures: [
      { name: 'answers without a query in a minute', value: count, unit: 'answers', threshold },
      { name: 'different ids and ports', value: guesses.size, unit: '', threshold: LEAST_IDS },
    ],
    evidence: witnesses.with(seen),
    attack: poisGuess.attack,
  };
}
