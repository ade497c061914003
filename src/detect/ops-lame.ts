import { DNS } from '../core/carrier.ts';
import { numberText } from '../core/figures.ts';
import { group, whole } from '../core/settings.ts';
import { Bounded } from './bounded.ts';
import { detector } from './detector.ts';
import { Failures, Told } from './failures.ts';
import type { Observation } from './observation.ts';

const REFUSED = 5;
const NOTAUTH = 9;
const SERVFAIL = 2;
const WINDOW_SECONDS = 600;
const RCODE: Readonly<Record<number, string>> = { [SERVFAIL]: 'SERVFAIL', [REFUSED]: 'REFUSED', [NOTAUTH]: 'NOTAUTH' };

interface State {
  began: number;
  asked: number;
  lame: number;
}

/** Servers that a zone is delegated to, and that do not serve it. */
export const opsLame = detector({
  id: 'OPS-LAME',
  title: 'Lame delegation',
  summary:
    'A server that a domain is delegated to does not serve it: it refuses, fails, or says that it is not responsible. Resolving takes longer, or fails when all of them do.',
  attack: [],
  vantages: ['resolver', 'authority'],
  rows: 'iterative',
  settings: group('Limits.', {
    least: whole('Such answers of one server about one domain within ten minutes.', { default: 5, least: 1 }),
  }),
  create: ({ least }) => {
    const states = new Bounded<string, State>(4096);
    const failures = new Failures();
    const told = new Told();
    return {
      inspect(seen, raise) {
        const { arena, col } = seen.batch;
        const i = seen.row;
        // What a resolver asks of authorities: no recursion wanted.
        if (col.queryLength[i] < 12 || (arena[col.queryAt[i] + 2] & 1) !== 0 || seen.protocol !== DNS) return;
        const { domain, rcode, closed } = seen;
        if (domain === null || col.responseLength[i] === 0) return;
        const isLame = rcode === REFUSED || rcode === NOTAUTH || rcode === SERVFAIL;
        const key = `${seen.server.text} ${domain.text}`;
        let state = states.peek(key);
        if (state === undefined) {
          if (!isLame) return;
          state = states.take(key, stateOf, seen);
        } else if (closed - state.began > WINDOW_SECONDS) Object.assign(state, { began: closed, asked: 0, lame: 0 });
        state.asked++;
        if (!isLame) return;
        state.lame++;
        const name = RCODE[rcode];
        const failing = failures.note(seen, name, key);
        if (state.lame < least || state.lame < 0.8 * state.asked || !told.isDue(key, state.lame, closed)) return;
        const server = seen.server.text;
        raise({
          detector: 'OPS-LAME',
          key,
          severity: 'low',
          score: 0.4,
          confidence: rcode === SERVFAIL ? 0.6 : 0.9,
          time: closed,
          firstSeen: state.began,
          lastSeen: closed,
          count: state.lame,
          subject: domain.text,
          server,
          domain: domain.text,
          title: `${server} does not serve ${domain.text}: ${name}`,
          text: `${domain.text} is delegated to ${server}, which answered ${numberText(state.lame)} of ${numberText(state.asked)} queries about it with ${name} within ten minutes. Whoever runs the domain should take it out of the delegation, or have it serve the zone.`,
          measures: [
            { name: `${name} about the domain in ten minutes`, value: state.lame, unit: '', threshold: least },
          ],
          evidence: failing.examples,
          attack: [],
        });
      },
    };
  },
});

function stateOf(_: string, { closed }: Observation): State {
  return { began: closed, asked: 0, lame: 0 };
}
