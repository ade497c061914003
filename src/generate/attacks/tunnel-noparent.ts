import { clientText } from '../client.ts';
import { NXDOMAIN } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

export const tunnelNoParent: ScenarioDefinition = {
  name: 'tunnel-noparent',
  summary: 'data leaves in long names that share no domain: whoever sees the resolver sees all of it',
  detectors: ['TUN-NOPARENT', 'TUN-SHAPE'],
  start(stage, from) {
    const { random } = stage;
    const client = random.pick(stage.clients);
    const { world } = stage;
    let n = 0;
    stage.schedule(from, (now) => {
      const name = `${random.text(BASE32, 55)}.${random.text(BASE32, 9)}.com`;
      stage.askOnce(client, { name, zone: world.parents, rcode: NXDOMAIN, records: world.missing(name) }, now);
      return ++n < 120 ? now + random.exponential(2) : undefined;
    });
    const subject = clientText(client);
    const { detectors } = tunnelNoParent;
    stage.label({ scenario: 'tunnel-noparent', detectors, from, to: from + 240, subject, client: subject });
  },
};
