import { clientText } from '../client.ts';
import { octets, oneAnswer, TYPE, txtData } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export const tunnelDown: ScenarioDefinition = {
  name: 'tunnel-down',
  summary: 'commands and files come in TXT answers to short names',
  detectors: ['TUN-DOWN', 'TUN-SHAPE', 'TUN-BYTES'],
  start(stage, from) {
    const { random } = stage;
    const client = random.pick(stage.clients);
    const zone = stage.world.addZone(stage.world.unknownDomain(random), 0);
    let n = 0;
    stage.schedule(from, (now) => {
      const records = oneAnswer(TYPE.TXT, 0, txtData(octets(random.text(BASE64, 200))));
      stage.askOnce(client, { name: `${++n}.c.${zone.domain}`, type: TYPE.TXT, zone, records }, now);
      return n < 60 ? now + random.exponential(5) : undefined;
    });
    const [detectors, subject] = [tunnelDown.detectors, zone.domain];
    stage.label({ scenario: 'tunnel-down', detectors, from, to: from + 300, subject, client: clientText(client) });
  },
};
