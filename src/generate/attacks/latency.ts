import { addressText } from '../../core/address.ts';
import type { ScenarioDefinition } from '../scenario.ts';

const SECONDS = 1800;

export const latencyShift: ScenarioDefinition = {
  name: 'latency',
  summary: 'a resolver becomes slow: everything that it has to ask for takes 400 ms longer, for half an hour',
  detectors: ['OPS-LATENCY', 'HIJ-LAT', 'HIJ-TTL/LAT'],
  start(stage, from) {
    const [resolver] = stage.resolvers;
    stage.schedule(from, () => {
      resolver.addedMs = 400;
      return undefined;
    });
    stage.schedule(from + SECONDS, () => {
      resolver.addedMs = 0;
      return undefined;
    });
    const { family, words } = resolver.address;
    const { detectors } = latencyShift;
    stage.label({ scenario: 'latency', detectors, from, to: from + SECONDS, subject: addressText(family, ...words) });
  },
};
