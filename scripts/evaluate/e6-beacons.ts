import { type BeaconSettings, runBeacon } from '../../src/generate/attacks/beacon.ts';
import type { ScenarioDefinition } from '../../src/generate/scenario.ts';
import type { Experiment, Figure } from './experiment.ts';
import { answerTo, judgeGenerated, MEDIUM } from './judged.ts';
import { median, rate, share } from './statistics.ts';

const PERIODS = [10, 60, 300, 900, 3600];
const JITTERS = [0, 0.1, 0.3, 0.5];
const LOSSES = [0.05, 0.2];
const ONLY = ['BEACON'];
const CLIENTS = 120;
const DAYS = 6;

export const beacons: Experiment = {
  id: 'E6',
  title: 'Beacons',
  method: `Generated, among ${CLIENTS} clients for ${DAYS} days, the beacons in the last three: periods from 10 s to 1 h, up to 50 % jitter, 5 or 20 % of the beats left out, each to a domain of its own.`,
  async run() {
    const figures: Figure[] = [];
    let noise = 0;
    for (const jitter of JITTERS) {
      const settings = PERIODS.flatMap((period) => LOSSES.map((loss): BeaconSettings => ({ period, jitter, loss })));
      const scenario: ScenarioDefinition = {
        name: 'beacons',
        summary: '',
        detectors: ONLY,
        start: (stage, from) => settings.forEach((one, i) => runBeacon(stage, stage.clients[i * 3], from, one)),
      };
      const { labels, ...judged } = judgeGenerated({ seed: 61, clients: CLIENTS, days: DAYS }, [scenario], ONLY);
      const times = labels.map(
        (label, i) => ((answerTo(label, judged)?.time ?? Number.NaN) - label.from) / settings[i].period,
      );
      const found = times.filter((beats) => !Number.isNaN(beats));
      const own = new Set(labels.map(({ subject }) => subject));
      noise += [...judged.incidents.values()].filter(
        ({ first, severity }) => severity >= MEDIUM && !own.has(first.domain ?? ''),
      ).length;
      const after = found.length > 0 ? `, median after ${median(found).toFixed(0)} beats` : '';
      figures.push({
        what: `jitter ${jitter * 100} %: noticed`,
        value: share(found.length, labels.length) + after,
        anchor: 'RITA’s timestamp score: flags 60 of 127 organic pairs',
      });
    }
    const days = CLIENTS * DAYS * JITTERS.length;
    figures.push({
      what: 'other domains',
      value: rate(noise, days, 1000, 'client-days'),
      aim: '≤ 1 per 1,000',
      isMet: noise <= days / 1000,
    });
    return figures;
  },
};
