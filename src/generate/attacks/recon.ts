import { clientText } from '../client.ts';
import { NXDOMAIN, TYPE } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';

const REFUSED = 5;
const TYPE_AXFR = 252;

export const recon: ScenarioDefinition = {
  name: 'recon',
  summary: 'a client sweeps reverse names, tries a zone transfer and guesses names of the local zone',
  detectors: ['RECON'],
  start(stage, from) {
    const client = stage.random.pick(stage.clients);
    const arpa = stage.world.addZone('10.in-addr.arpa', 0);
    const local = stage.world.addZone('ad.lan', 0);
    local.kind = 'local';
    let host = 0;
    stage.schedule(from, (now) => {
      const name = `${++host}.1.0.10.in-addr.arpa`;
      stage.askOnce(
        client,
        { name, type: TYPE.PTR, zone: arpa, rcode: NXDOMAIN, records: arpa.nothing, latencyMs: 1 },
        now,
      );
      return host < 254 ? now + 0.05 : undefined;
    });
    stage.schedule(from + 30, (now) => {
      stage.askOnce(
        client,
        { name: 'ad.lan', type: TYPE_AXFR, zone: local, transport: 'tcp', rcode: REFUSED, latencyMs: 1 },
        now,
      );
      return undefined;
    });
    let n = 0;
    const guesses = ['vpn', 'test', 'dev', 'db', 'sql', 'backup', 'admin', 'git', 'jenkins', 'old'];
    stage.schedule(from + 40, (now) => {
      const name = `${guesses[n % guesses.length]}${Math.floor(n / guesses.length)}.ad.lan`;
      stage.askOnce(client, { name, zone: local, rcode: NXDOMAIN, records: local.nothing, latencyMs: 1 }, now);
      return ++n < 120 ? now + 0.2 : undefined;
    });
    const subject = clientText(client);
    stage.label({ scenario: 'recon', detectors: recon.detectors, from, to: from + 70, subject, client: subject });
  },
};
