import { clientText } from '../client.ts';
import { addressAnswer, ipv4Of } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import { publicAddress } from '../world.ts';

export const rebinding: ScenarioDefinition = {
  name: 'rebinding',
  summary: 'a page’s own name leads to its server first and to the router of the network a minute later',
  detectors: ['REBIND'],
  start(stage, from) {
    const { random } = stage;
    const client = random.pick(stage.clients);
    const zone = stage.world.addZone(stage.world.unknownDomain(random), 0);
    const name = `s${random.int(9999)}.rb.${zone.domain}`;
    [publicAddress(random), ipv4Of(192, 168, 1, 1), ipv4Of(192, 168, 1, 1)].forEach((address, i) => {
      stage.schedule(from + i * 20, (now) => {
        stage.askOnce(client, { name, zone, records: addressAnswer(address, 1) }, now);
        return undefined;
      });
    });
    const { detectors } = rebinding;
    const asker = clientText(client);
    stage.label({ scenario: 'rebinding', detectors, from, to: from + 60, subject: name, client: asker });
  },
};
