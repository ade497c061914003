import { quantile, weightOf } from '../baseline/latency.ts';
import { numberText, percentText } from '../core/figures.ts';
import { group, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import { Beat, Told } from './failures.ts';

const HOUR = 3600;
const LEAST = 500;

/** What is usual has moved: what was learnt lately no longer fits what was learnt before. */
export const opsDrift = detector({
  id: 'OPS-DRIFT',
  title: 'What is usual has moved',
  summary:
    'The response times of a server of the last day lie elsewhere than those of the last weeks: it was moved, its way has changed, or its load. Alarms against what was usual mean less until it is learnt again.',
  attack: [],
  rows: 'orphans',
  settings: group('Limits.', {
    percent: whole('Distance of the two distributions (Kolmogorov, Smirnov).', { default: 40, least: 5, most: 100 }),
  }),
  create: ({ percent }, { baseline }) => {
    const told = new Told();
    const beat = new Beat(HOUR);
    const { servers } = baseline;
    return {
      tick(time, raise) {
        if (!beat.isDue(time)) return;
        const { floats } = servers.table;
        for (const place of servers.active) {
          if (!baseline.isWarm(servers, place)) continue;
          const fast = servers.latencies(place, 'fast');
          const slow = servers.latencies(place, 'slow');
          if (weightOf(floats, fast) < LEAST) continue;
          const distance = baseline.drift(servers, place);
          if (distance < percent / 100) continue;
          const server = servers.table.keys[place];
          if (!told.isDue(server, distance, time)) continue;
          const was = quantile(floats, slow, 0.5);
          const is = quantile(floats, fast, 0.5);
          raise({
            detector: 'OPS-DRIFT',
            key: server,
            severity: 'low',
            score: Math.min(1, distance),
            confidence: 0.9,
            time,
            firstSeen: time - 24 * HOUR,
            lastSeen: time,
            count: Math.round(weightOf(floats, fast)),
            subject: server,
            server,
            title: `${server}: half of the answers took ${numberText(was)} ms for weeks, ${numberText(is)} ms in the last day`,
            text: `The response times of ${server} of the last day and of the last weeks differ by ${percentText(distance)} of all answers. If that is meant (it moved, or its upstream did), nothing has to be done: it will be what is usual within two weeks. If not, look at it.`,
            measures: [
              { name: 'distance of distributions', value: distance, unit: '', threshold: percent / 100 },
              {
                name: 'median of the last day',
                value: is,
                unit: 'ms',
                usual: { centre: was, spread: 0, n: Math.round(weightOf(floats, slow)) },
              },
            ],
            evidence: [],
            attack: [],
          });
        }
      },
    };
  },
});
