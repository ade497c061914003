import { SCENARIOS } from '../../src/generate/scenarios.ts';
import type { Experiment, Figure } from './experiment.ts';
import { answerTo, judgeGenerated, MEDIUM } from './judged.ts';
import { median } from './statistics.ts';

const SEEDS = [81, 82, 83];
const CLIENTS = 40;
const DAYS = 3;

export const scenarios: Experiment = {
  id: 'E8',
  title: 'Every scenario of the generator',
  method: `Seeds ${SEEDS.join(', ')}: ${CLIENTS} clients, ${DAYS} days; what happens begins in the middle. Attacks and faults: labels noticed by a detector that should, and how soon. Look-alikes: incidents of medium severity or more that speak of them.`,
  async run() {
    const figures: Figure[] = [];
    for (const scenario of SCENARIOS) {
      const delays: number[] = [];
      let labelled = 0;
      let wrong = 0;
      const speakers = new Set<string>();
      for (const seed of SEEDS) {
        const { labels, ...judged } = judgeGenerated({ seed, clients: CLIENTS, days: DAYS }, [scenario]);
        for (const label of labels) {
          labelled++;
          const found = answerTo(label, judged);
          if (found === undefined) continue;
          delays.push(Math.max(0, found.time - label.from));
          speakers.add(found.detector);
        }
        if (scenario.detectors.length > 0) continue;
        const [{ from, subject }] = labels;
        wrong += [...judged.incidents.values()].filter(
          ({ first, severity }) =>
            severity >= MEDIUM && first.time >= from && [first.subject, first.domain, first.server].includes(subject),
        ).length;
      }
      const by = [...speakers].join(', ');
      figures.push(
        scenario.detectors.length === 0
          ? { what: `${scenario.name} (look-alike)`, value: `${wrong} incidents`, aim: 'silent', isMet: wrong === 0 }
          : {
              what: scenario.name,
              value: `${delays.length}/${labelled}${delays.length > 0 ? `, median after ${span(median(delays))} (${by})` : ''}`,
              aim: 'all',
              isMet: delays.length === labelled,
            },
      );
    }
    return figures;
  },
};

function span(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(0)} min`;
}
