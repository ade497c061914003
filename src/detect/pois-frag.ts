import { DNS } from '../core/carrier.ts';
import { numberText, spanText } from '../core/figures.ts';
import { group, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import type { Host } from './entities.ts';
import type { Observation } from './observation.ts';
import { Witnesses } from './witnesses.ts';

const WINDOW = 60;
const MOST_SERVERS = 2048;

interface State {
  began: number;
  count: number;
  /** Fragmented answers of earlier windows: where a server always sends them, nothing is said. */
  usual: number;
  raised: number;
  witnesses: Witnesses;
}

/** Answers in IP fragments: the second one carries no id and no port, and can be forged (POPS, USENIX Security 2025). */
export const poisFrag = detector({
  id: 'POIS-FRAG',
  title: 'Answers in fragments',
  summary:
    'A server sends answers over UDP in IP fragments. All but the first can be forged without guessing anything, which poisons caches.',
  attack: ['T1557'],
  rows: 'fragmented',
  settings: group('Limits.', {
    answers: whole('Fragmented answers of a server in a minute.', { default: 3, least: 1, most: 100_000 }),
  }),
  create: ({ answers }, { entities }) => {
    const states = entities.perHost<State>(MOST_SERVERS);
    return {
      inspect(seen, raise) {
        if (seen.batch.col.fragmented[seen.row] === 0 || seen.protocol !== DNS) return;
        const { server, time } = seen;
        const state = states.take(server, stateOf, seen);
        if (time - state.began > WINDOW) {
          const windows = Math.floor((time - state.began) / WINDOW);
          state.usual = Math.max(state.count, state.usual * 0.9 ** windows);
          state.began = time;
          state.count = state.raised = 0;
          state.witnesses.clear();
        }
        state.count++;
        state.witnesses.note(seen);
        if (state.count < Math.max(answers, state.usual * 3) || state.count < state.raised * 2) return;
        state.raised = state.count;
        const span = spanText(Math.max(0.001, time - state.began));
        raise({
          detector: 'POIS-FRAG',
          key: server.text,
          severity: 'low',
          score: Math.min(1, state.count / 100),
          confidence: 0.3,
          time,
          firstSeen: state.began,
          lastSeen: time,
          count: state.count,
          subject: server.text,
          server: server.text,
          client: seen.client.text,
          ...(seen.domain !== null && { domain: seen.domain.text }),
          title: `${numberText(state.count)} answers of ${server.text} came in IP fragments within ${span}`,
          text: `${server.text} sent ${numberText(state.count)} answers over UDP that were larger than a packet, ${numberText(state.usual)} a minute were usual. Signed zones do that; an attacker provokes it, because what is in the second fragment can be forged. A UDP size of 1232 octets (EDNS) at the resolver ends it.`,
          measures: [{ name: 'fragmented answers a minute', value: state.count, unit: 'answers', threshold: answers }],
          evidence: state.witnesses.with(seen),
          attack: poisFrag.attack,
        });
      },
    };
  },
});

function stateOf(_: Host, { time }: Observation): State {
  return { began: time, count: 0, usual: 0, raised: 0, witnesses: new Witnesses() };
}
