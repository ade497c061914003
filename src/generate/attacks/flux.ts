import { clientText } from '../client.ts';
import { RecordList } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import { publicAddress } from '../world.ts';

const SECONDS = 4 * 3600;

export const fastFlux: ScenarioDefinition = {
  name: 'flux',
  summary: 'a domain whose addresses are other people’s machines, five new ones every few minutes',
  detectors: ['FLUX'],
  start(stage, from) {
    const { random } = stage;
    const client = random.pick(stage.clients);
    const zone = stage.world.addZone(stage.world.unknownDomain(random), 0);
    stage.schedule(from, (now) => {
      const list = new RecordList();
      for (let i = 0; i < 5; i++) list.address('answers', 180, publicAddress(random));
      stage.askOnce(client, { name: zone.wire, zone, records: list.done() }, now);
      return now < from + SECONDS ? now + 180 + random.exponential(120) : undefined;
    });
    const { detectors } = fastFlux;
    const asker = clientText(client);
    stage.label({ scenario: 'flux', detectors, from, to: from + SECONDS, subject: zone.domain, client: asker });
  },
};
