import { numberText, percentText } from '../core/figures.ts';
import { DNS } from '../core/carrier.ts';
import { group, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import type { Host } from './entities.ts';
import { NXDOMAIN, type Observation } from './observation.ts';
import { Witnesses } from './witnesses.ts';

const WINDOW = 10;
const LEAST = 100;
const RATIO = 0.5;
const TIMES_USUAL = 3;
/** What is usual for a client is forgotten by half in so many seconds. */
const HALF_LIFE = 6 * 3600;
const MOST_CLIENTS = 16_384;

interface State {
  began: number;
  before: number;
  failures: number;
  /** The largest rate of earlier windows that was no alarm, slowly forgotten. */
  usual: number;
  usualAt: number;
  /** Windows in a row over the limit. */
  over: number;
  witnesses: Witnesses;
}

export const floodNx = detector({
  id: 'FLOOD-NX',
  title: 'Flood of names that do not exist',
  summary:
    'A client asks for names that do not exist faster than it ever did: an attack, or a program that has gone wild.',
  attack: ['T1498.001'],
  needs: ['clients'],
  rows: 'nonexistent',
  settings: group('Limits.', {
    rate: whole('NXDOMAIN answers a second, over ten seconds.', { default: 20, least: 1, most: 1_000_000 }),
  }),
  create: ({ rate }, { entities }) => {
    const states = entities.perHost<State>(MOST_CLIENTS);
    return {
      inspect(seen, raise) {
        if (seen.kind !== NXDOMAIN || seen.protocol !== DNS) return;
        const { client, time } = seen;
        let state = states.peek(client);
        if (state === undefined) {
          state = states.take(client, stateOf, seen);
        } else if (time - state.began >= WINDOW) roll(state, client, time);
        state.failures++;
        // The first few are nothing yet.
        if (state.failures > LEAST / 2) state.witnesses.note(seen);
        const limit = Math.max(rate * WINDOW, state.usual * TIMES_USUAL * WINDOW, LEAST);
        if (state.failures < limit * 2 ** state.over) return;
        const ratio = state.failures / Math.max(state.failures, client.queries - state.before);
        if (ratio < RATIO) return;
        state.over++;
        const perSecond = state.failures / Math.max(1, time - state.began);
        raise({
          detector: 'FLOOD-NX',
          key: client.text,
          severity: 'medium',
          score: Math.min(1, state.failures / (limit * 8) + 0.5),
          confidence: ratio,
          time,
          firstSeen: state.began,
          lastSeen: time,
          count: state.failures,
          subject: client.text,
          client: client.text,
          ...(seen.domain !== null && { domain: seen.domain.text }),
          title: `${numberText(Math.round(perSecond))} names a second that do not exist, asked by ${client.text}`,
          text: `${client.text} got ${numberText(state.failures)} NXDOMAIN answers within ${numberText(WINDOW)} s, ${percentText(ratio)} of all that it asked; ${numberText(state.usual)} a second was the most before. Look at what runs there; a rate limit for a minute does no harm.`,
          measures: [
            { name: 'NXDOMAIN answers a second', value: perSecond, unit: '1/s', threshold: limit / WINDOW },
            { name: 'share of NXDOMAIN', value: ratio, unit: '', threshold: RATIO },
          ],
          evidence: state.witnesses.with(seen),
          attack: floodNx.attack,
          proposal: { kind: 'client', value: client.text, text: `Limit the rate of ${client.text} for a minute` },
        });
      },
    };
  },
});

function stateOf({ queries }: Host, { time }: Observation): State {
  const zeros = { failures: 0, usual: 0, over: 0 };
  return { began: time, before: queries - 1, usualAt: time, ...zeros, witnesses: new Witnesses() };
}

function roll(state: State, client: Host, time: number): void {
  const faded = state.usual * 0.5 ** ((time - state.usualAt) / HALF_LIFE);
  // A window in alarm teaches nothing.
  state.usual = state.over > 0 ? faded : Math.max(faded, state.failures / WINDOW);
  state.usualAt = time;
  state.began = time;
  state.before = client.queries - 1;
  state.failures = 0;
  state.over = 0;
  state.witnesses.clear();
}
