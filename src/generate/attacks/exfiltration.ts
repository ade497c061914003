import { TYPE } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import { runTunnel } from './tunnel.ts';

/** Characters of a single transfer. */
const SIZES = [512, 1000, 3000, 10_000, 30_000];

export const exfiltration: ScenarioDefinition = {
  name: 'exfiltration',
  summary: 'single files of 0.5 to 30 kB leave in names, each in one go',
  detectors: ['TUN-BYTES', 'TUN-SHAPE'],
  start(stage, from) {
    SIZES.forEach((total, i) => {
      const client = stage.random.pick(stage.clients);
      const settings = { encoding: 'base32', position: 'first', chunk: 60, rate: 120, jitter: 0.3 } as const;
      const more = { total, type: TYPE.A, answerBytes: 4 };
      runTunnel(stage, client, from + i * 300, { ...settings, ...more }, 'exfiltration');
    });
  },
};
