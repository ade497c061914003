import { lookUp } from '../client.ts';
import { addressAnswer, TYPE } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import { publicAddress } from '../world.ts';

export const ttlCollapse: ScenarioDefinition = {
  name: 'ttl',
  summary: "a name's TTL falls from a day to seconds, and its address is another",
  detectors: ['HIJ-TTL', 'HIJ-TTL/LAT', 'HIJ-PATH'],
  start(stage, from) {
    const { random, world, clients } = stage;
    const zone = world.addZone('old-reliable-host.org', 1);
    const [name] = zone.hosts;
    name.ttl = 7200;
    name.answers.set(TYPE.A, [addressAnswer(publicAddress(random), 7200)]);
    for (const client of clients) {
      stage.schedule(stage.start + random.next() * 3600, (now) => {
        lookUp(stage, client, name, now);
        return now + random.exponential(2400);
      });
    }
    stage.schedule(from, () => {
      name.ttl = 15;
      name.answers.set(TYPE.A, [addressAnswer(publicAddress(random), 15)]);
      return undefined;
    });
    stage.label({ scenario: 'ttl', detectors: ttlCollapse.detectors, from, to: stage.end, subject: name.text });
  },
};
