import type { EncodedRecords } from '../../rr/batch-writer.ts';
import { type Client, clientText } from '../client.ts';
import type { Random } from '../random.ts';
import { addressAnswer, octets, oneAnswer, TYPE, txtData } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { inventedLabel, publicAddress, type Zone } from '../world.ts';

const ALPHABETS = {
  hex: '0123456789abcdef',
  base32: 'abcdefghijklmnopqrstuvwxyz234567',
  base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
} as const;
export type Encoding = keyof typeof ALPHABETS | 'words';

/** How data leaves: the four dimensions in which tunnels are varied, and how much there is. */
export interface TunnelSettings {
  encoding: Encoding;
  /** Whether data stands before or behind the labels that do not change. */
  position: 'first' | 'last';
  /** Characters of data a query. */
  chunk: number;
  /** Characters of data a second, and how uneven: 0 is a clock, 1 is chance. */
  rate: number;
  jitter: number;
  /** Characters in all. */
  total: number;
  type: number;
  /** Octets of data an answer. */
  answerBytes: number;
}

const VARIANTS: readonly TunnelSettings[] = [
  {
    encoding: 'base32',
    position: 'first',
    chunk: 180,
    rate: 4000,
    jitter: 0.3,
    total: 200_000,
    type: TYPE.NULL,
    answerBytes: 400,
  },
  {
    encoding: 'base64',
    position: 'first',
    chunk: 120,
    rate: 300,
    jitter: 0.5,
    total: 40_000,
    type: TYPE.TXT,
    answerBytes: 120,
  },
  { encoding: 'hex', position: 'last', chunk: 40, rate: 10, jitter: 1, total: 12_000, type: TYPE.A, answerBytes: 4 },
  { encoding: 'words', position: 'first', chunk: 24, rate: 2, jitter: 1, total: 6000, type: TYPE.AAAA, answerBytes: 4 },
  {
    encoding: 'base32',
    position: 'last',
    chunk: 12,
    rate: 0.7,
    jitter: 0.8,
    total: 4000,
    type: TYPE.A,
    answerBytes: 4,
  },
];

export const tunnel: ScenarioDefinition = {
  name: 'tunnel',
  summary: 'data leaves in names: from 4 kB/s to 0.7 B/s, in five encodings, sizes and rhythms',
  detectors: ['TUN-BYTES', 'TUN-SHAPE', 'TUN-DOWN', 'TUN-NOPARENT'],
  start(stage, from) {
    VARIANTS.forEach((settings, i) => {
      const { random } = stage;
      runTunnel(stage, random.pick(stage.clients), from + i * 60, settings, 'tunnel');
    });
  },
};

/** One tunnel of a client, with its label. */
export function runTunnel(
  stage: Stage,
  client: Client,
  from: number,
  settings: TunnelSettings,
  scenario: string,
): void {
  const random = client.random;
  const zone = stage.world.addZone(stage.world.unknownDomain(random), 0);
  const session = inventedLabel(random);
  const { chunk, rate, jitter, total, type } = settings;
  let sent = 0;
  stage.schedule(from, (now) => {
    const size = Math.min(chunk, total - sent);
    const name = tunnelName(random, zone, session, size, settings, sent);
    stage.askOnce(client, { name, type, zone, records: answer(random, settings) }, now);
    sent += size;
    const gap = size / rate;
    return sent < total ? now + gap * (1 - jitter) + random.exponential(gap * jitter) : undefined;
  });
  const { encoding, position } = settings;
  stage.label({
    scenario,
    detectors: tunnel.detectors,
    from,
    to: from + total / rate,
    subject: zone.domain,
    client: clientText(client),
    note: `${encoding} ${position} chunk=${chunk} rate=${rate} jitter=${jitter} total=${total} type=${type}`,
  });
}

/** A name with `size` characters of data in it. */
function tunnelName(
  random: Random,
  zone: Zone,
  session: string,
  size: number,
  { encoding, position }: TunnelSettings,
  sent: number,
): string {
  let data = '';
  if (encoding === 'words') while (data.length < size) data += (data === '' ? '' : '-') + inventedLabel(random);
  else data = random.text(ALPHABETS[encoding], size);
  const labels: string[] = [];
  for (let at = 0; at < data.length; at += 57) labels.push(data.slice(at, at + 57).replace(/^-|-$/g, 'x'));
  // Small pieces repeat: a counter keeps caches out of the way.
  if (size < 12) labels.push((sent % 46_656).toString(36));
  return position === 'first'
    ? `${labels.join('.')}.${session}.${zone.domain}`
    : `${session}.${labels.join('.')}.${zone.domain}`;
}

function answer(random: Random, { type, answerBytes }: TunnelSettings): EncodedRecords {
  if (type === TYPE.A) return addressAnswer(publicAddress(random), 0);
  if (type === TYPE.NULL || type === TYPE.KEY) return oneAnswer(type, 0, random.bytes(answerBytes));
  if (type === TYPE.TXT) return oneAnswer(type, 0, txtData(octets(random.text(ALPHABETS.base64, answerBytes))));
  // Data in global addresses: others would be rebinding.
  return oneAnswer(TYPE.AAAA, 0, Uint8Array.from([0x2a, 0x01, ...random.bytes(14)]));
}
