import { lookUp } from '../client.ts';
import { addressAnswer, TYPE } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import { publicAddress } from '../world.ts';

const SECONDS = 1800;

export const failover: ScenarioDefinition = {
  name: 'failover',
  summary: 'a site moves to its second data centre for half an hour, as planned (nothing to alert)',
  detectors: [],
  start(stage, from) {
    const { random, world, clients } = stage;
    const zone = world.addZone('careful-shop.com', 1);
    const [name] = zone.hosts;
    const [home, away] = [publicAddress(random), publicAddress(random)];
    const point = (time: number, address: typeof home) =>
      stage.schedule(time, () => {
        name.answers.set(TYPE.A, [addressAnswer(address, 60)]);
        name.ttl = 60;
        return undefined;
      });
    point(stage.start, home);
    // A planned fail-over is known from before.
    point(stage.start + (from - stage.start) / 2, away);
    point(stage.start + (from - stage.start) / 2 + SECONDS, home);
    point(from, away);
    point(from + SECONDS, home);
    for (const client of clients) {
      stage.schedule(stage.start + random.next() * 600, (now) => {
        lookUp(stage, client, name, now);
        return now + random.exponential(900);
      });
    }
    stage.label({ scenario: 'failover', detectors: [], from, to: from + SECONDS, subject: zone.domain });
  },
};
