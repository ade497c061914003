import type { Block } from '../core/block.ts';
import { UserError } from '../core/errors.ts';
import { choice, form, group, map, secret, span, text, type ValueOf, whole } from '../core/settings.ts';
import type { Action, ActionContext, ActionDefinition } from './action.ts';
import { listenOf, networkOf, onlyAddress } from './network-setting.ts';
import { RpzPrimary, type RpzPeer } from './rpz-primary.ts';
import { RpzVersions } from './rpz-versions.ts';
import { RPZ_ANSWERS, type RpzAnswer, RpzZone } from './rpz-zone.ts';

/** At the end resolvers have so long to fetch that nothing is blocked any more. */
const FETCH_MS = 2000;
/** Bytes of a secret below which a key can be guessed. */
const LEAST_SECRET = 16;

const settings = group(
  'A response policy zone that resolvers fetch (AXFR, IXFR, NOTIFY), each with a key of its own (TSIG, hmac-sha256).',
  {
    listen: form('Where the zone is served, by UDP and TCP.', 'ADDRESS:PORT', listenOf, { default: '127.0.0.1:5391' }),
    zone: text('Name of the zone.', { default: 'rpz.nametap' }),
    answer: choice(
      'What resolvers answer: no such name, no such records, nothing, or that it is to be asked by TCP.',
      Object.keys(RPZ_ANSWERS) as RpzAnswer[],
      { default: 'nxdomain' },
    ),
    refresh: span('How often resolvers look for changes that they were not told of.', {
      default: '60s',
      least: 1000,
      most: 86_400_000,
    }),
    expire: span('When nametap is gone for so long, resolvers let go of the zone: nothing is blocked then.', {
      default: '15m',
      least: 60_000,
      most: 604_800_000,
    }),
    ttl: span('How long an answer may be cached.', { default: '30s', least: 1000, most: 3_600_000 }),
    peers: map(
      'The resolvers that may fetch it, each under a name.',
      group('A resolver.', {
        address: form('Its address, or a network.', 'an address or a network such as 192.0.2.0/24', networkOf, {
          required: true,
          example: '192.0.2.53',
        }),
        notify: whole('Port where it is told of changes; 0: it is not told.', { default: 53, most: 65_535 }),
        key: text('Name of its key, the same at both ends.', { required: true, example: 'nametap.' }),
        secret: secret('The key, in base64: tsig-keygen -a hmac-sha256 nametap.', {
          required: true,
          example: { file: '/etc/nametap/rpz.key' },
        }),
      }),
    ),
  },
);
type Settings = ValueOf<typeof settings>;

/** The zone of blocks, served by a small primary of our own. */
export const rpzAction: ActionDefinition<Settings> = {
  settings,
  async open(options, context) {
    const seconds = (ms: number) => Math.max(1, Math.round(ms / 1000));
    const zone = new RpzZone(options.zone, {
      answer: options.answer,
      refresh: seconds(options.refresh),
      expire: seconds(options.expire),
      ttl: seconds(options.ttl),
    });
    const versions = new RpzVersions(zone, Math.floor(context.now() / 1000));
    const peers = Object.entries(options.peers).map(([name, peer]) => peerOf(name, peer));
    const primary = new RpzPrimary(versions, peers, () => context.now() / 1000);
    await primary.listen(options.listen.address, options.listen.port);
    return new RpzAction(versions, primary, context);
  },
};

class RpzAction implements Action {
  readonly kinds = ['domain', 'client', 'address'] as const;
  readonly #versions: RpzVersions;
  readonly #primary: RpzPrimary;
  readonly #context: ActionContext;
  #changed = Number.NEGATIVE_INFINITY;

  constructor(versions: RpzVersions, primary: RpzPrimary, context: ActionContext) {
    this.#versions = versions;
    this.#primary = primary;
    this.#context = context;
    primary.notify();
  }

  counts(): Record<string, number> {
    const { badSignature, ...counts } = this.#primary.counts;
    return { ...counts, bad_signature: badSignature };
  }

  async apply(blocks: readonly Block[]): Promise<void> {
    if (!this.#versions.update(blocks, this.#context.now() / 1000)) return;
    this.#changed = performance.now();
    this.#primary.notify();
  }

  /** Resolvers that fetch in time have a zone without blocks; the others let go of theirs when it expires. */
  async close(): Promise<void> {
    const left = this.#changed + FETCH_MS - performance.now();
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
    await this.#primary.close();
  }
}

function peerOf(name: string, { address, notify, key, secret: encoded }: Settings['peers'][string]): RpzPeer {
  const secretBytes = Buffer.from(encoded, 'base64');
  if (secretBytes.length < LEAST_SECRET) {
    throw new UserError(
      `The key of the resolver ${name} has ${secretBytes.length} bytes in base64; ${LEAST_SECRET} are the least. Make one with tsig-keygen -a hmac-sha256.`,
    );
  }
  const told = onlyAddress(address);
  return {
    network: address,
    key: { name: key.toLowerCase().replace(/\.$/, ''), secret: secretBytes },
    notify: told === undefined || notify === 0 ? undefined : { address: told, port: notify },
  };
}
