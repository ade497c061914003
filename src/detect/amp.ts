import { numberText, sizeText } from '../core/figures.ts';
import { DNS } from '../core/carrier.ts';
import { group, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import type { Host } from './entities.ts';
import { ORPHAN, type Observation } from './observation.ts';
import { Witnesses } from './witnesses.ts';

/** Right after the start answers come whose queries were before it. */
const WARM_UP = 3;
const WINDOW = 10;
const FACTOR = 10;
const UDP = 17;
/** Types that attackers ask for, for the size of their answers: ANY, TXT, DNSKEY, RRSIG. */
const LARGE = new Set([255, 16, 48, 46]);
const MOST_HOSTS = 8192;

interface State {
  second: number;
  orphans: number;
  began: number;
  queryBytes: number;
  responseBytes: number;
  answers: number;
  raised: number;
  witnesses: Witnesses;
}

/** Reflection and amplification: answers that nobody asked for are reflections (Kambourakis 2007). */
export const amp = detector({
  id: 'AMP',
  title: 'Amplification and reflection',
  summary:
    'Large answers to small queries of the kind that attackers ask for, or answers that nobody here asked for: DNS servers are used to flood a victim.',
  attack: ['T1498.002'],
  rows: ['orphans', 'bulky'],
  settings: group('Limits.', {
    orphans: whole('Answers without a query to one host, a second.', { default: 50, least: 5, most: 1_000_000 }),
    rate: whole('Bits a second of large answers to one client.', { default: 1_000_000, least: 1000 }),
  }),
  create: ({ orphans, rate }, { entities }) => {
    const states = entities.perHost<State>(MOST_HOSTS);
    let start = Number.NaN;
    return {
      inspect(seen, raise) {
        const isOrphan = seen.outcome === ORPHAN;
        if (!isOrphan && !LARGE.has(seen.type)) return;
        if (Number.isNaN(start)) start = seen.time;
        if (seen.transport !== UDP || seen.protocol !== DNS || seen.responseBytes === 0) return;
        const { client, time } = seen;
        if (isOrphan) {
          // A second answer to a query that was answered is something else.
          const { duplicates, late } = seen.batch.col;
          if (duplicates[seen.row] > 0 || late[seen.row] > 0 || time - start < WARM_UP) return;
        }
        let state = states.peek(client);
        if (state === undefined) state = states.take(client, newState, seen);
        else if (time - state.began >= WINDOW) restart(state, time);
        state.witnesses.note(seen);
        state.answers++;
        state.responseBytes += seen.responseBytes;
        if (isOrphan) {
          const second = Math.floor(time);
          if (second !== state.second) {
            state.second = second;
            state.orphans = 0;
          }
          state.orphans++;
        } else state.queryBytes += seen.queryBytes;
        const bits = (state.responseBytes * 8) / WINDOW;
        const factor = state.responseBytes / Math.max(1, state.queryBytes);
        const isReflected = state.orphans >= orphans;
        const isAmplified = bits >= rate && factor >= FACTOR && state.queryBytes > 0;
        if ((!isReflected && !isAmplified) || state.answers < state.raised * 2) return;
        state.raised = state.answers;
        const what = isReflected
          ? `${numberText(state.orphans)} answers a second that ${client.text} did not ask for`
          : `${sizeText(state.responseBytes)} of answers to ${sizeText(state.queryBytes)} of queries of ${client.text} in ${numberText(WINDOW)} s`;
        raise({
          detector: 'AMP',
          key: client.text,
          severity: 'high',
          score: Math.min(1, 0.5 + state.answers / 10_000),
          confidence: isReflected ? 0.95 : 0.8,
          time,
          firstSeen: state.began,
          lastSeen: time,
          count: state.answers,
          subject: client.text,
          client: client.text,
          server: seen.server.text,
          ...(seen.domain !== null && { domain: seen.domain.text }),
          title: what,
          text: `${what}. ${isReflected ? 'Somebody sends queries in its name: it is flooded by way of DNS servers.' : `The answers are ${numberText(Math.round(factor))} times as large as the queries: if its address is forged, it is being flooded by way of this server.`} Truncating answers over UDP (response rate limiting) stops it and costs real clients one retry over TCP.`,
          measures: isReflected
            ? [{ name: 'answers without a query', value: state.orphans, unit: '1/s', threshold: orphans }]
            : [
                { name: 'answers', value: bits, unit: 'bit/s', threshold: rate },
                { name: 'size of answers to size of queries', value: factor, unit: '', threshold: FACTOR },
              ],
          evidence: state.witnesses.with(seen),
          attack: amp.attack,
          proposal: {
            kind: 'client',
            value: client.text,
            text: `Answer ${client.text} over TCP only, for ten minutes`,
          },
        });
      },
    };
  },
});

function newState(_: Host, { time }: Observation): State {
  const witnesses = new Witnesses();
  const zeros = { orphans: 0, queryBytes: 0, responseBytes: 0, answers: 0, raised: 0 };
  return { second: 0, began: time, ...zeros, witnesses };
}

function restart(state: State, time: number): void {
  // An attack that goes on is spoken of again when it has doubled, not in every window.
  const isOver = state.raised === 0;
  state.began = time;
  state.queryBytes = state.responseBytes = 0;
  state.answers = 0;
  if (isOver) state.witnesses.clear();
  else state.raised = Math.ceil(state.raised / 2);
}
