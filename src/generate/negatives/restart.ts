import { addressText } from '../../core/address.ts';
import type { ScenarioDefinition } from '../scenario.ts';

const SECONDS = 3;

export const restart: ScenarioDefinition = {
  name: 'restart',
  summary: 'a resolver is restarted: three seconds of silence, then an empty cache (nothing to alert)',
  detectors: [],
  start(stage, from) {
    const [resolver] = stage.resolvers;
    stage.schedule(from, () => {
      resolver.silentUntil = from + SECONDS;
      return undefined;
    });
    stage.schedule(from + SECONDS, () => {
      resolver.restart();
      return undefined;
    });
    const { family, words } = resolver.address;
    stage.label({ scenario: 'restart', detectors: [], from, to: from + 300, subject: addressText(family, ...words) });
  },
};
