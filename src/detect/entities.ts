import { addressText } from '../core/address.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { copyName, nameText } from '../wire/name.ts';
import { countOf, type TableCount } from './bounded.ts';
import { type BySlot, Entity, Generations } from './generations.ts';
import type { Cell, First } from './tunnel/sub-names.ts';

/** A host seen as client or server. One object as long as it is known. */
export class Host extends Entity {
  readonly family: number;
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  /** Transactions it began, as client. */
  queries = 0;
  /** Places of its models in the baseline. */
  asClient = -1;
  asServer = -1;
  #words: readonly [number, number, number, number] | undefined;
  #text: string | undefined;

  constructor(family: number, w0: number, w1: number, w2: number, w3: number) {
    super();
    this.family = family;
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
  }

  /** The address as four words. */
  get words(): readonly [number, number, number, number] {
    this.#words ??= [this.w0, this.w1, this.w2, this.w3];
    return this.#words;
  }

  /** The address as text. */
  get text(): string {
    this.#text ??= addressText(this.family, this.w0, this.w1, this.w2, this.w3);
    return this.#text;
  }
}

/** Clients of a domain that are told apart. */
const CLIENTS_KEPT = 2;

/** A registrable domain. One object as long as it is known. Text and popularity are worked out when somebody asks. */
export class Domain extends Entity {
  // What every transaction looks at comes first: an object takes several cache lines.
  queries = 0;
  /** What the detectors of tunnels know of the names below it: the first few, or all of them. */
  cell: Cell | undefined;
  fewNames: First | undefined;
  /** Hosts that asked for it: 0, 1, 2, or 3 for more; the first two of them. */
  clientCount = 0;
  client: Host | undefined;
  #second: Host | undefined;
  /** Place of its model in the baseline. */
  asZone = -1;
  /** Hour since 1970 in which its age was written down last. */
  agedAt = -1;
  #popular: boolean | undefined;
  #text: string | undefined;
  readonly #isPopular: (domain: string) => boolean;
  /** Seconds since 1970: since when it is known (of earlier runs too, where history was loaded), and its first client. */
  firstSeen: number;
  askedAt = Number.NaN;

  constructor(time: number, isPopular: (domain: string) => boolean) {
    super();
    this.#isPopular = isPopular;
    this.firstSeen = time;
  }

  /** Folded wire form, without compression; a view. */
  get wire(): Uint8Array {
    const { buffer, byteOffset } = this.key;
    const from = byteOffset + this.keyAt * 4;
    const bytes = new Uint8Array(buffer, from);
    let length = 1;
    for (let at = 0; bytes[at] > 0; at += bytes[at] + 1) length += bytes[at] + 1;
    return bytes.subarray(0, length);
  }

  /** Escaped text. */
  get text(): string {
    this.#text ??= nameText(this.wire, 0, 0);
    return this.#text;
  }

  /** Names like it are asked by everybody: the operator's or a given list of popular domains has it. */
  get isPopular(): boolean {
    this.#popular ??= this.#isPopular(this.text);
    return this.#popular;
  }

  noteClient(host: Host, time: number): void {
    if (this.clientCount > CLIENTS_KEPT || host === this.client || host === this.#second) return;
    this.clientCount++;
    if (this.clientCount === 1) {
      this.client = host;
      this.askedAt = time;
    } else if (this.clientCount === 2) this.#second = host;
  }
}

const HOST_WORDS = 5;
const HOST_BITS = 15;
const HOST_SLOTS = 1 << HOST_BITS;
/** Names whose registrable domain is remembered: 16 words each, of which the first has length and where it begins + 1. */
const SLOTS = 32_768;
const SLOT_BITS = 4;
const SLOT_BYTES = 60;
const MAX_NAME_BYTES = 256;

/** Most hosts and domains that are told apart at a time. */
export interface EntityLimits {
  hosts: number;
  domains: number;
}
export const ENTITY_LIMITS: EntityLimits = { hosts: 32_768, domains: 32_768 };

/** Where a name's registrable domain begins (−1: it has none), see `enrich/public-suffix.ts`. */
export type RegistrableStart = (name: Uint8Array, at?: number) => number;

/** The hosts and registrable domains of the traffic, as objects. */
export class Entities {
  readonly #hosts: Generations<Host>;
  readonly #domains: Generations<Domain>;
  readonly #start: RegistrableStart;
  readonly #popular: (domain: string) => boolean;
  readonly #hostKey = new Int32Array(HOST_WORDS);
  readonly #domainKey = new Int32Array(MAX_NAME_BYTES / 4);
  readonly #domainBytes = new Uint8Array(this.#domainKey.buffer);
  /** Names seen lately, and the domain of each. */
  readonly #names = new Int32Array(SLOTS << SLOT_BITS);
  readonly #found: (Domain | null)[] = new Array<Domain | null>(SLOTS).fill(null);
  /** Hosts seen lately, by a hash of their address. */
  readonly #lately: (Host | undefined)[] = new Array<Host | undefined>(HOST_SLOTS).fill(undefined);
  /** Where the domain of the last name begins; −1 without one. */
  domainAt = -1;
  /** Whether the last name itself was not seen lately. */
  isNewName = false;
  /** Keeps the reads of `touch` from being left out. */
  touched = 0;

  constructor(start: RegistrableStart, popular: (domain: string) => boolean, limits: EntityLimits = ENTITY_LIMITS) {
    this.#hosts = new Generations(limits.hosts);
    this.#domains = new Generations(limits.domains);
    this.#start = start;
    this.#popular = popular;
  }

  /** How full the tables are. */
  counts(): TableCount[] {
    return [countOf('hosts', [this.#hosts]), countOf('domains', [this.#domains])];
  }

  hosts(): Iterable<Host> {
    return this.#hosts.values();
  }

  domains(): Iterable<Domain> {
    return this.#domains.values();
  }

  /** Domains known now. */
  get domainCount(): number {
    return this.#domains.size;
  }

  /** State of at most `most` hosts at a time, found without a search. */
  perHost<V>(most: number): BySlot<Host, V> {
    return this.#hosts.states(most);
  }

  /** State of at most `most` domains at a time, found without a search. */
  perDomain<V>(most: number): BySlot<Domain, V> {
    return this.#domains.states(most);
  }

  /** Forgets state of detectors that are gone. */
  release(tables: Iterable<unknown>): void {
    const gone = new Set(tables);
    this.#hosts.release(gone);
    this.#domains.release(gone);
  }

  host(family: number, w0: number, w1: number, w2: number, w3: number): Host {
    const slot = hostSlot(w0, w1, w2, w3);
    const host = this.#lately[slot];
    if (
      host !== undefined &&
      host.w3 === w3 &&
      host.w2 === w2 &&
      host.w1 === w1 &&
      host.w0 === w0 &&
      host.family === family
    )
      return host;
    const found = this.#findHost(family, w0, w1, w2, w3);
    this.#lately[slot] = found;
    return found;
  }

  #findHost(family: number, w0: number, w1: number, w2: number, w3: number): Host {
    const key = this.#hostKey;
    key[0] = w0;
    key[1] = w1;
    key[2] = w2;
    key[3] = w3;
    key[4] = family;
    const hosts = this.#hosts;
    const { turns } = hosts;
    const host = hosts.find(key, HOST_WORDS) ?? hosts.add(key, HOST_WORDS, new Host(family, w0, w1, w2, w3));
    if (hosts.turns !== turns) this.#lately.fill(undefined);
    return host;
  }

  /**
   * Reads what taking rows [from, to) will read: many reads in a row wait for the memory together, not one after the
   * other.
   */
  touch(batch: TransactionBatch, from: number, to: number): void {
    const { client0, client1, client2, client3, nameHash } = batch.col;
    const names = this.#names;
    let sum = 0;
    for (let i = from; i < to; i++) {
      sum += this.#lately[hostSlot(client0[i], client1[i], client2[i], client3[i])]?.queries ?? 0;
      const slot = nameHash[i] & (SLOTS - 1);
      sum += names[slot << SLOT_BITS] + (this.#found[slot]?.queries ?? 0);
    }
    this.touched = sum;
  }

  /**
   * The registrable domain of a folded wire name of `length` bytes, given as bytes and as the same memory in words, zeros
   * behind it up to a whole word; null where it has none (a public suffix, the root). `hash` is the name's. Sets
   * `domainAt` and `isNewName`.
   */
  domain(name: Uint8Array, words: Int32Array, length: number, hash: number, time: number): Domain | null {
    const slot = hash & (SLOTS - 1);
    const at = slot << SLOT_BITS;
    const names = this.#names;
    let k = (length + 3) >> 2;
    if ((names[at] & 0xff) === length) while (k > 0 && names[at + k] === words[k - 1]) k--;
    let domain: Domain | null;
    this.isNewName = k !== 0;
    if (k === 0) {
      domain = this.#found[slot];
      this.domainAt = (names[at] >> 8) - 1;
    } else {
      const start = this.#start(name);
      this.domainAt = start;
      const { turns } = this.#domains;
      domain = start < 0 ? null : this.#findDomain(name, start, time);
      // Objects known by name alone would be forgotten although they are used.
      if (this.#domains.turns !== turns) for (let i = 0; i < names.length; i += 1 << SLOT_BITS) names[i] = 0;
      if (length <= SLOT_BYTES) {
        names[at] = length | ((start + 1) << 8);
        for (let i = (length - 1) >> 2; i >= 0; i--) names[at + 1 + i] = words[i];
        this.#found[slot] = domain;
      }
    }
    if (domain !== null) domain.queries++;
    return domain;
  }

  #findDomain(name: Uint8Array, at: number, time: number): Domain {
    const bytes = this.#domainBytes;
    const size = copyName(name, at, 0, bytes, 0, false);
    let end = size;
    while ((end & 3) !== 0) bytes[end++] = 0;
    const domains = this.#domains;
    const words = end >> 2;
    return domains.find(this.#domainKey, words) ?? domains.add(this.#domainKey, words, new Domain(time, this.#popular));
  }
}

function hostSlot(w0: number, w1: number, w2: number, w3: number): number {
  return Math.imul(w3 ^ Math.imul(w0 ^ w1 ^ w2, 0x85ebca6b), 0x9e3779b1) >>> (32 - HOST_BITS);
}
