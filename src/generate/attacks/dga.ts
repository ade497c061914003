import { type Client, clientText } from '../client.ts';
import { type DgaFamily, FAMILIES } from '../dga/index.ts';
import { addressAnswer, NXDOMAIN } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { publicAddress } from '../world.ts';

/** Names an hour. */
const RATES = [10, 60, 120, 200];

export const dga: ScenarioDefinition = {
  name: 'dga',
  summary: 'clients look for their master under generated names: 10 to 200 an hour, nearly all NXDOMAIN',
  detectors: ['DGA-NX'],
  start(stage, from) {
    const { random } = stage;
    const places = stage.clients.toSorted(() => random.next() - 0.5);
    RATES.forEach((rate, i) => runDga(stage, places[i % places.length], from, random.pick(FAMILIES), rate, 3 * 3600));
  },
};

/** A client asks for names of a family for some seconds, with its label. */
export function runDga(
  stage: Stage,
  client: Client,
  from: number,
  family: DgaFamily,
  rate: number,
  seconds: number,
): void {
  const { random } = client;
  const names = family.names(random);
  const { world } = stage;
  const to = from + seconds;
  stage.schedule(from + random.exponential(3600 / rate), (now) => {
    const isFound = random.chance(0.002);
    const name = names.next().value;
    // Under dynamic DNS its operator denies them.
    const suffix = /(?:ddns\.net|dyndns\.org|yi\.org|mooo\.com|dynserv\.com)$/.exec(name)?.[0];
    const records = isFound ? addressAnswer(publicAddress(random), 300) : world.missing(name, suffix);
    stage.askOnce(client, { name, zone: world.parents, rcode: isFound ? 0 : NXDOMAIN, records }, now);
    const next = now + random.exponential(3600 / rate);
    return next < to ? next : undefined;
  });
  const subject = clientText(client);
  const note = `${family.name} ${rate}/h`;
  stage.label({ scenario: 'dga', detectors: dga.detectors, from, to, subject, client: subject, note });
}
