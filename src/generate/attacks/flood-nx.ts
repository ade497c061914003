import { clientText } from '../client.ts';
import { NXDOMAIN } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const SECONDS = 60;

export const floodNx: ScenarioDefinition = {
  name: 'flood-nx',
  summary: 'one client asks for domains that do not exist, a hundred a second',
  detectors: ['FLOOD-NX'],
  start(stage, from) {
    const { random } = stage;
    const client = random.pick(stage.clients);
    const { world } = stage;
    stage.schedule(from, (now) => {
      const name = `${random.text(LETTERS, 12)}.com`;
      stage.askOnce(client, { name, zone: world.parents, rcode: NXDOMAIN, records: world.missing(name) }, now);
      return now < from + SECONDS ? now + random.exponential(0.01) : undefined;
    });
    const subject = clientText(client);
    const { detectors } = floodNx;
    stage.label({ scenario: 'flood-nx', detectors, from, to: from + SECONDS, subject, client: subject });
  },
};
