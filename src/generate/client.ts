import { addressText } from '../core/address.ts';
import type { Address } from '../rr/batch-writer.ts';
import type { Random } from './random.ts';
import { ipv4Of, TYPE, TYPE_HTTPS } from './records.ts';
import type { Resolver } from './resolver.ts';
import type { Stage } from './stage.ts';
import type { HostName } from './world.ts';

export type ClientKind = 'desktop' | 'phone' | 'server' | 'device';
const KINDS: readonly (readonly [ClientKind, number])[] = [
  ['desktop', 0.62],
  ['phone', 0.2],
  ['server', 0.1],
  ['device', 0.08],
];
const CACHED = 2048;

/** A machine with a stub resolver that keeps what it was told as long as the TTL says. */
export interface Client {
  readonly number: number;
  readonly address: Address;
  readonly random: Random;
  readonly kind: ClientKind;
  resolver: Resolver;
  readonly hasV6: boolean;
  readonly cache: StubCache;
}

/** When what is known of a name and type ends. Of two that fall on one place the later one stays. */
class StubCache {
  readonly #keys = new Int32Array(CACHED);
  readonly #until = new Float64Array(CACHED);

  has(key: number, time: number): boolean {
    const place = Math.imul(key, 0x9e3779b1) >>> 21;
    return this.#keys[place] === key && this.#until[place] > time;
  }

  keep(key: number, until: number): void {
    const place = Math.imul(key, 0x9e3779b1) >>> 21;
    this.#keys[place] = key;
    this.#until[place] = until;
  }
}

/** Client `number` of a network of up to 60,000: what it is, is in the seed. */
export function clientOf(number: number, random: Random, { resolvers }: Stage): Client {
  let draw = random.next();
  const [kind] = KINDS.find(([, share]) => (draw -= share) < 0) ?? KINDS[0];
  return {
    number,
    address: ipv4Of(10, 1 + (number >> 14), (number >> 8) & 63, number & 255),
    random,
    kind,
    resolver: random.chance(0.85) ? resolvers[0] : resolvers[1],
    hasV6: random.chance(0.7),
    cache: new StubCache(),
  };
}

/** A client's address, as labels name it. */
export function clientText({ address: { family, words } }: Client): string {
  return addressText(family, ...words);
}

/** What a program does that wants to connect: A, AAAA and, where it is a browser, HTTPS; unless the stub knows. */
export function lookUp(stage: Stage, client: Client, name: HostName, time: number, isBrowser = false): void {
  askCached(stage, client, name, TYPE.A, time);
  if (client.hasV6) askCached(stage, client, name, TYPE.AAAA, time + 0.0001 + client.random.next() * 0.0004);
  if (isBrowser && client.kind === 'desktop') askCached(stage, client, name, TYPE_HTTPS, time + 0.0008);
}

/** Asks unless the stub's own cache has it. */
export function askCached(stage: Stage, client: Client, name: HostName, type: number, time: number): void {
  const { cache } = client;
  const key = name.number * 256 + (type & 255);
  if (cache.has(key, time)) return;
  const { rcode, age, records } = stage.ask(client, name, type, time);
  const ttl = records.answers > 0 ? name.ttl : 300;
  if (rcode === 0) cache.keep(key, time + Math.max(1, ttl - age));
}
