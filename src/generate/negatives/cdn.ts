import { parseName } from '../../wire/writer.ts';
import { lookUp } from '../client.ts';
import { RecordList, TYPE } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import { publicAddress } from '../world.ts';

export const cdn: ScenarioDefinition = {
  name: 'cdn',
  summary: 'a new site behind a content network: other addresses in many networks every few seconds (nothing to alert)',
  detectors: [],
  start(stage, from) {
    const { random, world, clients } = stage;
    const zone = world.addZone('fresh-video-site.tv', 1);
    const [name] = zone.hosts;
    const edge = parseName('edge-17.global-content.net');
    name.ttl = 20;
    name.answers.set(
      TYPE.A,
      Array.from({ length: 60 }, () => {
        const list = new RecordList().add('answers', TYPE.CNAME, 300, edge);
        for (let i = 0; i < 3; i++) list.address('answers', 20, publicAddress(random), edge);
        return list.done();
      }),
    );
    for (const client of clients) {
      stage.schedule(from + random.next() * 1800, (now) => {
        lookUp(stage, client, name, now);
        return now + random.exponential(1200);
      });
    }
    stage.label({ scenario: 'cdn', detectors: [], from, to: stage.end, subject: zone.domain });
  },
};
