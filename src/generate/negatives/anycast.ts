import { lookUp } from '../client.ts';
import type { ScenarioDefinition } from '../scenario.ts';

export const anycast: ScenarioDefinition = {
  name: 'anycast',
  summary: 'the route to a domain’s servers changes: the same addresses, 40 ms further away (nothing to alert)',
  detectors: [],
  start(stage, from) {
    const { random, world, clients } = stage;
    const zone = world.addZone('everywhere-dns.net', 2);
    zone.rttMs = 9;
    for (const client of clients) {
      stage.schedule(stage.start + random.next() * 600, (now) => {
        lookUp(stage, client, random.pick(zone.hosts), now);
        return now + random.exponential(900);
      });
    }
    stage.schedule(from, () => {
      zone.rttMs = 49;
      return undefined;
    });
    stage.label({ scenario: 'anycast', detectors: [], from, to: stage.end, subject: zone.domain });
  },
};
