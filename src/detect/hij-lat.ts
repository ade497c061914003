import { floorOf, quantile, weightOf } from '../baseline/latency.ts';
import { numberText, percentText } from '../core/figures.ts';
import { group, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import { Failures, Told } from './failures.ts';
import { ANSWERED } from './observation.ts';

/** Servers nearer than this cannot be beaten measurably. */
const LEAST_FLOOR_MS = 3;
const FASTER = 0.5;
const WINDOW_SECONDS = 300;
const LEAST_LEARNT = 500;
/** With more of them the server itself has come nearer (anycast, a move). */
const MOST_SHARE = 0.4;

interface State {
  /** Of which server: places are given to others. */
  id: number;
  began: number;
  floor: number;
  answers: number;
  fast: number;
}

/** Answers faster than the way to their server. */
export const hijLat = detector({
  id: 'HIJ-LAT',
  title: 'Answers faster than their server can be',
  summary:
    'Some answers come in less than half the time that this server has ever taken, while others take as long as always: they were made on the way. Where all answers become faster the server has come nearer, and nothing is said.',
  attack: ['T1557'],
  rows: 'answered',
  settings: group('Limits.', {
    least: whole('Answers below half the usual floor within five minutes.', { default: 8, least: 2 }),
  }),
  create: ({ least }, { baseline }) => {
    /** By the server's place: as many as the baseline keeps. */
    const states: (State | undefined)[] = [];
    const failures = new Failures();
    const told = new Told();
    const { servers } = baseline;
    return {
      inspect(seen, raise) {
        const place = baseline.server;
        if (place < 0 || seen.outcome !== ANSWERED) return;
        const { closed, latencyMs } = seen;
        const id = servers.table.idOf(place);
        let state = states[place];
        if (state?.id !== id) states[place] = state = { id, began: 0, floor: 0, answers: 0, fast: 0 };
        if (closed - state.began > WINDOW_SECONDS) {
          state.began = closed;
          state.answers = state.fast = 0;
          const usual = servers.latencies(place, 'slow');
          const { floats } = servers.table;
          state.floor = weightOf(floats, usual) >= LEAST_LEARNT ? floorOf(floats, usual) : Number.NaN;
        }
        state.answers++;
        if (!(state.floor >= LEAST_FLOOR_MS) || !(latencyMs < state.floor * FASTER) || latencyMs < 0) return;
        state.fast++;
        const server = seen.server.text;
        const failing = failures.note(seen, `${numberText(Number(latencyMs.toPrecision(3)))} ms`);
        const share = state.fast / state.answers;
        if (state.fast < least || share > MOST_SHARE || state.answers < 4 * least) return;
        if (!told.isDue(server, state.fast, closed)) return;
        const half = quantile(servers.table.floats, servers.latencies(place, 'slow'), 0.5);
        raise({
          detector: 'HIJ-LAT',
          key: server,
          severity: baseline.isWarm(servers, place) ? 'medium' : 'low',
          score: Math.min(1, 0.4 + state.fast / (10 * least)),
          confidence: 0.6,
          time: closed,
          firstSeen: failing.first,
          lastSeen: closed,
          count: state.fast,
          subject: server,
          server,
          title: `${numberText(state.fast)} answers of ${server} came in less than half its shortest time of ${numberText(Number(state.floor.toPrecision(3)))} ms`,
          text: `${server} hardly ever takes less than ${numberText(Number(state.floor.toPrecision(3)))} ms (half of all answers: ${numberText(Number(half.toPrecision(3)))} ms). In five minutes ${percentText(share)} of its answers came in less than half of that, the others as always. Most of them: ${failing.domains
            .top(3)
            .map(({ key }) => key)
            .join(', ')}. Somebody nearer may be answering in its name; a transparent proxy or cache does, too.`,
          measures: [
            {
              name: 'answers below half the floor',
              value: state.fast,
              unit: '',
              threshold: least,
            },
            { name: 'floor', value: state.floor, unit: 'ms' },
          ],
          evidence: failing.examples,
          attack: hijLat.attack,
        });
      },
    };
  },
});
