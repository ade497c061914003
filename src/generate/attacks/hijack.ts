import { lookUp } from '../client.ts';
import { addressAnswer, TYPE } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import { publicAddress } from '../world.ts';

export const hijack: ScenarioDefinition = {
  name: 'hijack',
  summary: "a domain's name servers are replaced, its answers come from strangers and lead elsewhere",
  detectors: ['HIJ-PATH', 'HIJ-TTL', 'HIJ-TTL/LAT'],
  needsUpstream: true,
  start(stage, from) {
    const { random, world, clients } = stage;
    const zone = world.addZone('steady-mail-provider.com', 1);
    const [name] = zone.hosts;
    zone.nsTtl = 3600;
    name.ttl = 300;
    const users = clients.filter((_, i) => i % 3 === 0);
    // It has a history: some clients use it all day.
    for (const client of users) {
      stage.schedule(stage.start + random.next() * 3600, (now) => {
        lookUp(stage, client, name, now);
        return now + random.exponential(1800);
      });
    }
    stage.schedule(from, () => {
      zone.servers = [1, 2].map((n) => ({ name: `ns${n}.quick-dns-panel.net`, address: publicAddress(random) }));
      name.answers.set(TYPE.A, [addressAnswer(publicAddress(random), 30)]);
      name.answers.delete(TYPE.AAAA);
      name.ttl = 30;
      for (const { resolver } of users) resolver.restart();
      return undefined;
    });
    const { detectors } = hijack;
    stage.label({ scenario: 'hijack', detectors, from, to: stage.end, subject: zone.domain });
  },
};
