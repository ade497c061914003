import { DNS } from '../core/carrier.ts';
import { numberText, percentText } from '../core/figures.ts';
import { group, whole } from '../core/settings.ts';
import { Bounded } from './bounded.ts';
import { detector } from './detector.ts';
import { Failures, Told } from './failures.ts';
import { isUnanswered, type Observation } from './observation.ts';

const TCP = 6;
const TC = 2;
const MOST_SERVERS = 1024;
const WINDOW_SECONDS = 600;

interface State {
  began: number;
  truncated: number;
  /** Of those: not asked again over TCP, or in vain. */
  failed: number;
  /** Answers over TCP. */
  overTcp: number;
}

/** Truncated answers whose way over TCP is closed. */
export const opsTc = detector({
  id: 'OPS-TC',
  title: 'Truncated answers do not get through over TCP',
  summary:
    'Answers that are too large for UDP have to be fetched over TCP; here the second attempt does not come or fails, so that these names do not resolve. TCP port 53 is filtered, mostly.',
  attack: [],
  rows: ['tcp', 'truncated'],
  settings: group('Limits.', {
    least: whole('Truncated answers without success over TCP within ten minutes, of one server.', {
      default: 10,
      least: 1,
    }),
    percent: whole('Part of the truncated answers.', { default: 80, least: 1, most: 100 }),
  }),
  create: ({ least, percent }) => {
    const states = new Bounded<string, State>(MOST_SERVERS);
    const failures = new Failures();
    const told = new Told();
    return {
      inspect(seen, raise) {
        const isTcp = seen.transport === TCP;
        const { arena, col } = seen.batch;
        const i = seen.row;
        const isCut = !isTcp && col.responseLength[i] >= 12 && (arena[col.responseAt[i] + 2] & TC) !== 0;
        if ((!isTcp && !isCut) || seen.protocol !== DNS) return;
        const server = seen.server.text;
        const { closed } = seen;
        let state = states.peek(server);
        if (state === undefined) {
          if (!isCut) return;
          state = states.take(server, stateOf, seen);
        } else if (closed - state.began > WINDOW_SECONDS)
          Object.assign(state, { began: closed, truncated: 0, failed: 0, overTcp: 0 });
        if (isCut) {
          state.truncated++;
          if (col.retryHigh[i] !== 0 || col.retryLow[i] !== 0) return;
          state.failed++;
          failures.note(seen, 'truncated, and not asked again over TCP');
        } else if (isUnanswered(seen.outcome)) {
          state.failed++;
          failures.note(seen, 'no answer over TCP');
        } else state.overTcp++;
        const failed = Math.min(state.failed, state.truncated);
        if (failed < least || failed < (percent / 100) * state.truncated || state.overTcp > failed / 10) return;
        const failing = failures.get(server);
        if (failing === undefined || !told.isDue(server, failed, closed)) return;
        const clients = failing.clients.keys.length;
        const [domain] = failing.domains.top(1);
        raise({
          detector: 'OPS-TC',
          key: server,
          severity: clients >= 3 ? 'medium' : 'low',
          score: Math.min(1, 0.3 + failed / (10 * least)),
          confidence: 0.7,
          time: closed,
          firstSeen: failing.first,
          lastSeen: closed,
          count: failed,
          subject: server,
          server,
          title: `${numberText(failed)} truncated answers of ${server} were not fetched over TCP`,
          text: `${server} truncated ${numberText(state.truncated)} answers within ten minutes, and ${percentText(failed / state.truncated)} of them were not had over TCP either, mostly of ${domain?.key ?? 'one domain'}. Look whether TCP port 53 is open between ${clients === 1 ? failing.clients.keys[0] : 'clients'} and ${server}.`,
          measures: [
            { name: 'truncated answers without success over TCP', value: failed, unit: '', threshold: least },
            { name: 'share of truncated answers', value: failed / state.truncated, unit: '', threshold: percent / 100 },
          ],
          evidence: failing.examples,
          attack: [],
        });
      },
    };
  },
});

function stateOf(_: string, { closed }: Observation): State {
  return { began: closed, truncated: 0, failed: 0, overTcp: 0 };
}
