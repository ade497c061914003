import { NXDOMAIN, SERVFAIL } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const SECONDS = 120;
const RATE = 100;

export const floodRsd: ScenarioDefinition = {
  name: 'flood-rsd',
  summary: 'water torture: many clients ask for random names below one domain, until its servers give up',
  detectors: ['FLOOD-RSD'],
  start(stage, from) {
    const { random, clients, world } = stage;
    const zone = world.site(random, 300, 900);
    const bots = clients.filter((_, i) => i % 5 === 0);
    stage.schedule(from, (now) => {
      // Its servers stand it for half a minute.
      const rcode = now - from < 30 ? NXDOMAIN : SERVFAIL;
      const name = `${random.text(LETTERS, 6 + random.int(8))}.${zone.domain}`;
      const records = rcode === NXDOMAIN ? { records: zone.nothing } : {};
      stage.askOnce(random.pick(bots), { name, zone, rcode, ...records }, now);
      return now < from + SECONDS ? now + random.exponential(1 / RATE) : undefined;
    });
    const { detectors } = floodRsd;
    stage.label({ scenario: 'flood-rsd', detectors, from, to: from + SECONDS, subject: zone.domain });
  },
};
