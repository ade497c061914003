import { createCipheriv, createHmac } from 'node:crypto';
import { DNS } from '../core/carrier.ts';
import { isInNetwork, type Network } from '../core/network.ts';
import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import { isResolverName } from '../core/public-resolvers.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { MessageView } from '../wire/message.ts';
import { skipName } from '../wire/name.ts';
import { CryptoPan } from './cryptopan.ts';
import { MessageMask } from './privacy-message.ts';

/** What becomes of client addresses: 0 full, 1 truncated, 2 Crypto-PAn, 3 hash per day, 4 none, 5 aggregates only. */
export type PrivacyLevel = 0 | 1 | 2 | 3 | 4 | 5;
/** What becomes of names: as they are, the registrable domain only, or what stands left of it hashed. */
export type NamePrivacy = 'full' | 'domain' | 'hashed';

export interface PrivacySettings {
  level: PrivacyLevel;
  /** Default `full`. */
  names?: NamePrivacy;
  /** Own networks besides the private ones: their PTR names and addresses are hidden wherever they stand. */
  own?: readonly Network[];
  /** Addresses of no person, left as they are: own resolvers and servers. */
  keep?: readonly Network[];
}

/** A secret of 32 octets, and when (seconds since 1970) its time begins. Pseudonyms of one epoch can be compared. */
export interface PrivacyEpoch {
  from: number;
  key: Uint8Array;
}

const LEVEL_TEXTS: readonly string[] = [
  'Clients are stored and shown with their whole addresses.',
  'Client addresses are cut to /24 (IPv6: /48).',
  'Client addresses are pseudonyms that keep networks together (Crypto-PAn).',
  'Client addresses are hashes with a key of the day: days cannot be linked.',
  'Clients are not stored.',
  'Only what is counted is stored, by the minute: no clients, no messages, of names the registrable domain.',
];
const NAME_TEXTS: Readonly<Record<NamePrivacy, string>> = {
  full: '',
  domain: ' Of names only the registrable domain is kept.',
  hashed: ' Names are hashed left of the registrable domain.',
};

/** What is hidden, in one or two sentences for people. */
export function privacyText({ level, names = 'full' }: PrivacySettings): string {
  return LEVEL_TEXTS[level] + NAME_TEXTS[names];
}

/** Whether transactions may be stored and shown one by one, or only counted. */
export function keepsTransactions({ level }: PrivacySettings): boolean {
  return level < COUNTED;
}

/** Whether packets as captured may be kept and exported: they hold everything. */
export function keepsPackets({ level, names = 'full' }: PrivacySettings): boolean {
  return level === 0 && names === 'full';
}

/** Networks whose addresses belong to somebody near: RFC 1918, shared and link-local addresses, unique local ones. */
const PRIVATE: readonly Network[] = [
  { family: 4, words: [0, 0, 0, 0x0a000000], bits: 8 },
  { family: 4, words: [0, 0, 0, 0xac100000], bits: 12 },
  { family: 4, words: [0, 0, 0, 0xc0a80000], bits: 16 },
  { family: 4, words: [0, 0, 0, 0x64400000], bits: 10 },
  { family: 4, words: [0, 0, 0, 0xa9fe0000], bits: 16 },
  { family: 6, words: [0xfc000000, 0, 0, 0], bits: 7 },
  { family: 6, words: [0xfe800000, 0, 0, 0], bits: 10 },
];
/** Groups and everybody: no person. */
const GROUPS: readonly Network[] = [
  { family: 4, words: [0, 0, 0, 0xe0000000], bits: 4 },
  { family: 4, words: [0, 0, 0, 0xffffffff], bits: 32 },
  { family: 6, words: [0xff000000, 0, 0, 0], bits: 8 },
];

/** The level at which rows are stored for counting only. */
const COUNTED = 5;
const HEADER_BYTES = 12;
const MINUTE = 60;
const DAY_SECONDS = 86_400;
const HASHED = 65_536;

/** Hides clients (and names) in batches, in place, before anything else sees them. */
export class Privacy {
  readonly settings: PrivacySettings;
  readonly #epochs: readonly PrivacyEpoch[];
  readonly #keep: readonly Network[];
  readonly #mask: MessageMask;
  readonly #view = new MessageView();
  readonly #pans = new Map<PrivacyEpoch, CryptoPan>();
  readonly #hashes = new Map<string, Uint8Array>();
  readonly #octets = [new Uint8Array(4), new Uint8Array(16)];
  #idKey: Uint8Array | undefined;
  #day = Number.NaN;
  #seconds = 0;

  /** `epochs` by rising time; levels 2 and 3, hashed names and the ids of all levels above 0 need at least one. */
  constructor(settings: PrivacySettings, epochs: readonly PrivacyEpoch[]) {
    if (epochs.length === 0 && !keepsPackets(settings)) throw new RangeError('privacy needs a key');
    this.settings = settings;
    this.#epochs = epochs;
    this.#keep = [...(settings.keep ?? []), ...GROUPS];
    this.#mask = new MessageMask({
      hidesAddresses: settings.level > 0,
      wholeReverseNames: settings.level > 1,
      names: settings.level === COUNTED ? 'domain' : (settings.names ?? 'full'),
      key: epochs.length === 0 ? new Uint8Array(0) : derived(epochs[epochs.length - 1].key, 'names'),
      isOwn: (family, words) => this.#isOwn(family, words),
      hide: (address) => this.hide(address),
    });
  }

  /** Hides what the settings say in rows [from, to), once. Messages stay readable. */
  apply(batch: TransactionBatch, from = 0, to: number = batch.count): void {
    if (keepsPackets(this.settings)) return;
    for (let i = from; i < to; i++) this.#applyRow(batch, i);
    if (this.settings.level > 0) this.#rekeyIds(batch, from, to);
  }

  /** The same for an encrypted flow: its client, and of names all but those of public resolvers. */
  flow(flow: EncryptedFlow): EncryptedFlow {
    if (keepsPackets(this.settings)) return flow;
    this.#seconds = Math.floor(flow.time);
    const [w0, w1, w2, w3] = flow.client.map((word) => Uint32Array.of(word));
    if (this.settings.level > 0) this.#hideWords(flow.family, w0, w1, w2, w3, 0);
    const { serverName, ...rest } = flow;
    const isShown =
      serverName !== undefined && ((this.settings.names ?? 'full') === 'full' || isResolverName(serverName));
    return { ...rest, client: [w0[0], w1[0], w2[0], w3[0]], ...(isShown && { serverName }) };
  }

  #applyRow(batch: TransactionBatch, i: number): void {
    const c = batch.col;
    this.#seconds = c.openSeconds[i];
    if (this.settings.level > 0) {
      const family = c.family[i];
      this.#hideWords(family, c.client0, c.client1, c.client2, c.client3, i);
      // On the link, whoever answers is a neighbour and no server.
      if (c.protocol[i] !== DNS) this.#hideWords(family, c.server0, c.server1, c.server2, c.server3, i);
      if (this.settings.level >= 3) c.clientPort[i] = 0;
    }
    const isAsked = this.#applyMessage(batch, i, c.queryAt[i], c.queryLength, c.queryBytes);
    const isSaid = this.#applyMessage(batch, i, c.responseAt[i], c.responseLength, c.responseBytes);
    const hash = isAsked ?? isSaid;
    if (hash !== undefined) c.nameHash[i] = hash;
    if (this.settings.level === COUNTED) this.#leaveCounts(batch, i);
  }

  /** Hides in one of the messages of a row; the hash of its name then, undefined without a question. */
  #applyMessage(
    { arena, col }: TransactionBatch,
    i: number,
    at: number,
    lengths: Uint32Array,
    octets: Uint32Array,
  ): number | undefined {
    if (lengths[i] === 0) return undefined;
    const view = this.#view;
    view.read(arena, at, lengths[i], Math.max(octets[i], lengths[i]));
    const gone = this.#mask.apply(view, col.protocol[i]);
    lengths[i] -= gone;
    octets[i] -= Math.min(gone, octets[i]);
    view.read(arena, at, lengths[i], Math.max(octets[i], lengths[i]));
    return view.questions > 0 ? view.questionHash : undefined;
  }

  /** What is counted stays, to the minute: of messages the header and the question, no ids, no frames. */
  #leaveCounts({ arena, col: c }: TransactionBatch, i: number): void {
    c.queryLength[i] = this.#leaveQuestion(arena, c.queryAt[i], c.queryLength[i]);
    c.responseLength[i] = this.#leaveQuestion(arena, c.responseAt[i], c.responseLength[i]);
    c.id[i] = 0;
    c.queryFrames[i] = c.responseFrames[i] = 0;
    const seconds = c.openSeconds[i] - MINUTE * Math.floor(c.openSeconds[i] / MINUTE);
    const nanos = c.openNanos[i];
    moveBack(c.openSeconds, c.openNanos, i, seconds, nanos);
    moveBack(c.lastSeconds, c.lastNanos, i, seconds, nanos);
    if (c.responses[i] > 0) moveBack(c.answerSeconds, c.answerNanos, i, seconds, nanos);
  }

  /** Cuts a message behind its first question; its length. */
  #leaveQuestion(arena: Uint8Array, at: number, length: number): number {
    if (length < HEADER_BYTES) return 0;
    const view = this.#view;
    view.read(arena, at, length);
    arena.fill(0, at, at + 2);
    arena.fill(0, at + 4, at + HEADER_BYTES);
    if (view.questions === 0) return HEADER_BYTES;
    arena[at + 5] = 1;
    return skipName(arena, view.questionName[0], at, at + length) + 4 - at;
  }

  #hideWords(
    family: number,
    word0: Uint32Array,
    word1: Uint32Array,
    word2: Uint32Array,
    word3: Uint32Array,
    i: number,
  ): void {
    const words = [word0[i], word1[i], word2[i], word3[i]];
    if (this.#keep.some((network) => isInNetwork(network, family, words))) return;
    const octets = this.#octets[family === 4 ? 0 : 1];
    for (let k = 0; k < octets.length; k++) octets[k] = words[family === 4 ? 3 : k >> 2] >>> (24 - 8 * (k & 3));
    const hidden = this.hide(octets);
    const word = (at: number): number =>
      ((hidden[at] << 24) | (hidden[at + 1] << 16) | (hidden[at + 2] << 8) | hidden[at + 3]) >>> 0;
    if (family === 4) word3[i] = word(0);
    else {
      word0[i] = word(0);
      word1[i] = word(4);
      word2[i] = word(8);
      word3[i] = word(12);
    }
  }

  #isOwn(family: number, words: readonly number[]): boolean {
    const isIn = (network: Network): boolean => isInNetwork(network, family, words);
    return (PRIVATE.some(isIn) || this.settings.own?.some(isIn) === true) && !this.#keep.some(isIn);
  }

  /** What stands for an address of 4 or 16 octets at the time of the row at hand. */
  hide(address: Uint8Array): Uint8Array {
    switch (this.settings.level) {
      case 0:
        return address;
      case 1:
        return address.map((octet, k) => (k < (address.length === 4 ? 3 : 6) ? octet : 0));
      case 2:
        return this.#pan().pseudonym(address);
      case 3:
        return this.#hash(address);
      case 4:
      case 5:
      default:
        return address.map(() => 0);
    }
  }

  #epoch(): PrivacyEpoch {
    let found = this.#epochs[0];
    for (const epoch of this.#epochs) if (epoch.from <= this.#seconds) found = epoch;
    return found;
  }

  #pan(): CryptoPan {
    const epoch = this.#epoch();
    let pan = this.#pans.get(epoch);
    if (pan === undefined) this.#pans.set(epoch, (pan = new CryptoPan(epoch.key)));
    return pan;
  }

  /** A hash in networks that nobody has: 240.0.0.0/4 and fd00::/8. */
  #hash(address: Uint8Array): Uint8Array {
    const day = Math.floor(this.#seconds / DAY_SECONDS);
    if (day !== this.#day || this.#hashes.size >= HASHED) this.#hashes.clear();
    this.#day = day;
    const name = address.join();
    const known = this.#hashes.get(name);
    if (known !== undefined) return known;
    const key = derived(this.#epoch().key, `day ${day}`);
    const made = new Uint8Array(createHmac('sha256', key).update(address).digest().subarray(0, address.length));
    made[0] = address.length === 4 ? 0xf0 | made[0] : 0xfd;
    if (address.length === 4 && made.every((octet) => octet === 0xff)) made[3] = 0xfe;
    this.#hashes.set(name, made);
    return made;
  }

  /** Ids are made from addresses, and could be tried out: they are encrypted. Links between rows stay. */
  #rekeyIds(batch: TransactionBatch, from: number, to: number): void {
    const c = batch.col;
    const pairs = [
      [c.idHigh, c.idLow],
      [c.retryHigh, c.retryLow],
      [c.parentHigh, c.parentLow],
    ];
    const n = to - from;
    const blocks = new Uint32Array(n * pairs.length * 4);
    pairs.forEach(([high, low], p) => {
      for (let i = 0; i < n; i++) {
        blocks[(p * n + i) * 4] = high[from + i];
        blocks[(p * n + i) * 4 + 1] = low[from + i];
      }
    });
    this.#idKey ??= derived(this.#epochs[0].key, 'ids').subarray(0, 16);
    const cipher = createCipheriv('aes-128-ecb', this.#idKey, null).setAutoPadding(false);
    const made = new Uint32Array(Uint8Array.from(cipher.update(new Uint8Array(blocks.buffer))).buffer);
    pairs.forEach(([high, low], p) => {
      for (let i = 0; i < n; i++) {
        if (high[from + i] === 0 && low[from + i] === 0) continue;
        high[from + i] = made[(p * n + i) * 4];
        low[from + i] = made[(p * n + i) * 4 + 1] || 1;
      }
    });
  }
}

function moveBack(seconds: Float64Array, nanos: Uint32Array, i: number, bySeconds: number, byNanos: number): void {
  const rest = nanos[i] - byNanos;
  seconds[i] -= bySeconds + (rest < 0 ? 1 : 0);
  nanos[i] = rest < 0 ? rest + 1e9 : rest;
}

/** A key of its own for each use. */
function derived(key: Uint8Array, use: string): Uint8Array {
  return createHmac('sha256', key).update(`nametap ${use}`).digest();
}
