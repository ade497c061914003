import { type Client, clientText } from '../client.ts';
import { addressAnswer, TYPE } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { publicAddress } from '../world.ts';

export interface BeaconSettings {
  /** Seconds, and how much of it varies: 0 … 0.5. */
  period: number;
  jitter: number;
  /** Share of beats that are left out. */
  loss: number;
}

const VARIANTS: readonly BeaconSettings[] = [
  { period: 60, jitter: 0, loss: 0.05 },
  { period: 300, jitter: 0.1, loss: 0.05 },
  { period: 900, jitter: 0.3, loss: 0.1 },
];

export const beacon: ScenarioDefinition = {
  name: 'beacon',
  summary: 'a client asks for one name that nobody else knows, over and over, in a rhythm',
  detectors: ['BEACON'],
  start(stage, from) {
    VARIANTS.forEach((settings) => runBeacon(stage, stage.random.pick(stage.clients), from, settings));
  },
};

/** A beacon until the end of the stage, with its label. */
export function runBeacon(stage: Stage, client: Client, from: number, settings: BeaconSettings): void {
  const { random } = client;
  const { period, jitter, loss } = settings;
  const zone = stage.world.addZone(stage.world.unknownDomain(random), 1);
  const [name] = zone.hosts;
  // Shorter than the period, as whoever wants to be asked every time sets it.
  name.ttl = Math.max(1, Math.floor(period * 0.37));
  name.answers = new Map([[TYPE.A, [addressAnswer(publicAddress(random), name.ttl)]]]);
  stage.schedule(from, (now) => {
    if (!random.chance(loss)) stage.ask(client, name, TYPE.A, now);
    return now + period * (1 + jitter * (random.next() * 2 - 1));
  });
  const note = `period=${period} jitter=${jitter} loss=${loss}`;
  const asker = clientText(client);
  const { detectors } = beacon;
  stage.label({ scenario: 'beacon', detectors, from, to: stage.end, subject: zone.domain, client: asker, note });
}
