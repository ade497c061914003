import { parseName } from '../../wire/writer.ts';
import { Random } from '../random.ts';
import { ipv4Of, nothing } from '../records.ts';
import { Resolver } from '../resolver.ts';
import type { ScenarioDefinition } from '../scenario.ts';

export const migration: ScenarioDefinition = {
  name: 'migration',
  summary: 'the whole site moves to a new resolver within an hour (to be told once)',
  detectors: ['HIJ-PATH'],
  start(stage, from) {
    const { random, clients } = stage;
    const resolver = new Resolver(ipv4Of(10, 0, 0, 55), new Random('migration'), nothing(parseName('.'), 60));
    for (const client of clients) {
      stage.schedule(from + random.next() * 3600, () => {
        client.resolver = resolver;
        return undefined;
      });
    }
    stage.label({ scenario: 'migration', detectors: migration.detectors, from, to: from + 3600, subject: '10.0.0.55' });
  },
};
