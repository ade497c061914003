import { clientText } from '../client.ts';
import { addressAnswer } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import { publicAddress } from '../world.ts';

/** Names that look like `example-bank.com`, which the operator protects: a letter, a homograph, an addition. */
const LOOKALIKES = ['examp1e-bank.com', 'exampel-bank.com', 'xn--exmple-bank-zij.com', 'example-bank-login.com'];

export const typosquat: ScenarioDefinition = {
  name: 'typo',
  summary: 'clients follow links to names that look like example-bank.com (to be named as a brand)',
  detectors: ['TYPO', 'HOMO', 'TYPO/HOMO'],
  start(stage, from) {
    const { random } = stage;
    LOOKALIKES.forEach((domain, i) => {
      const client = random.pick(stage.clients);
      const zone = stage.world.addZone(domain, 0);
      stage.schedule(from + i * 30, (now) => {
        stage.askOnce(client, { name: `www.${domain}`, zone, records: addressAnswer(publicAddress(random), 300) }, now);
        return undefined;
      });
      const { detectors } = typosquat;
      const asker = clientText(client);
      stage.label({ scenario: 'typo', detectors, from, to: from + 150, subject: domain, client: asker });
    });
  },
};
