import { addressText } from '../../core/address.ts';
import { RecordList, TYPE, TYPE_ANY, txtData } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import { publicAddress } from '../world.ts';

const SECONDS = 30;
const RATE = 80;

export const amplification: ScenarioDefinition = {
  name: 'amplification',
  summary: 'forged queries of a victim make a resolver send it large answers; a second victim gets those of others',
  detectors: ['AMP'],
  start(stage, from) {
    const { random, resolvers, world } = stage;
    const [victim, other] = [publicAddress(random), publicAddress(random)];
    const list = new RecordList();
    for (let i = 0; i < 14; i++) list.add('answers', TYPE.TXT, 3600, txtData(random.bytes(220)));
    const records = list.done();
    const { wire } = world.site(random, 40, 90);
    const one = { name: wire, type: TYPE_ANY, udpSize: 4096, records, server: resolvers[0].address };
    stage.schedule(from, (time) => {
      stage.say({ ...one, time, client: victim, clientPort: 1024 + random.int(60_000), latencyMs: 1 });
      stage.say({ ...one, time, client: other, clientPort: 80, fate: 'orphan' });
      return time < from + SECONDS ? time + random.exponential(1 / RATE) : undefined;
    });
    for (const { family, words } of [victim, other]) {
      const subject = addressText(family, ...words);
      const { detectors } = amplification;
      stage.label({ scenario: 'amplification', detectors, from, to: from + SECONDS, subject, client: subject });
    }
  },
};
