import { addressText } from '../core/address.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { copyName, nameText } from '../wire/name.ts';
import { countOf, type TableCount } from './bounded.ts';
import type { DomainSet } from './domain-set.ts';
import { type BySlot, Entity, Generations, type Records } from './generations.ts';
import type { Cell } from './tunnel/sub-names.ts';

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
  /** What the detectors of tunnels know of the names below it, when there are more than a few. */
  cell: Cell | undefined;
  /** Hosts that asked for it: 0, 1, 2, or 3 for more; the first two of them. */
  clientCount = 0;
  client: Host | undefined;
  second: Host | undefined;
  /** Place of its model in the baseline. */
  asZone = -1;
  /** Hour since 1970 in which its age was written down last. */
  agedAt = -1;
  #popular: boolean | undefined;
  #text: string | undefined;
  readonly #populars: DomainSet;
  /** It is one that encrypted resolvers have their names in; worked out when it is asked for. */
  isResolver: boolean | undefined;
  /** A rhythm of its questions was looked for. */
  hasRhythm = false;
  /** Seconds since 1970: since when it is known (of earlier runs too, where history was loaded), and its two clients. */
  firstSeen: number;
  askedAt = Number.NaN;
  secondAskedAt = Number.NaN;

  /** `wire`: its folded wire form, for now. */
  constructor(time: number, populars: DomainSet, wire: Uint8Array) {
    super();
    this.#populars = populars;
    if (!populars.mayHave(wire)) this.#popular = false;
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
    this.#popular ??= this.#populars.has(this.text);
    return this.#popular;
  }

  noteClient(host: Host, time: number): void {
    if (this.clientCount > CLIENTS_KEPT || host === this.client || host === this.second) return;
    this.clientCount++;
    if (this.clientCount === 1) {
      this.client = host;
      this.askedAt = time;
    } else if (this.clientCount === 2) {
      this.second = host;
      this.secondAskedAt = time;
    }
  }
}

const HOST_WORDS = 5;
const HOST_BITS = 15;
const HOST_SLOTS = 1 << HOST_BITS;
/** Names whose registrable domain is remembered: 16 words each, of which the first has length and where it begins + 1. */
const SLOTS = 65_536;
const SLOT_BITS = 4;
const SLOT_BYTES = 60;
const MAX_NAME_BYTES = 256;

/** Most hosts and domains that are told apart at a time. */
export interface EntityLimits {
  hosts: number;
  domains: number;
}
export const ENTITY_LIMITS: EntityLimits = { hosts: 32_768, domains: 32_768 };

/** Rows that come next, and what they are probably about: whoever reads something of his own for each may do so for all. */
export interface Ahead {
  /** Null where none was seen lately. */
  readonly hosts: (Host | null)[];
  readonly domains: (Domain | null)[];
  /** Of the name; and the type asked for. */
  hashes: Int32Array;
  types: Uint16Array;
  count: number;
  /** Of all that was read: reads whose value nobody uses could be left out. */
  sum: number;
}

/** Where a name's registrable domain begins (−1: it has none), see `enrich/public-suffix.ts`. */
export type RegistrableStart = (name: Uint8Array, at?: number) => number;

/** The hosts and registrable domains of the traffic, as objects. */
export class Entities {
  readonly #hosts: Generations<Host>;
  readonly #domains: Generations<Domain>;
  readonly #start: RegistrableStart;
  readonly #populars: DomainSet;
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
  readonly #ahead: Ahead = {
    hosts: [],
    domains: [],
    hashes: new Int32Array(0),
    types: new Uint16Array(0),
    count: 0,
    sum: 0,
  };

  constructor(start: RegistrableStart, populars: DomainSet, limits: EntityLimits = ENTITY_LIMITS) {
    this.#hosts = new Generations(limits.hosts);
    this.#domains = new Generations(limits.domains);
    this.#start = start;
    this.#populars = populars;
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

  /** Numbers of every host, and of every domain. */
  hostRecords(width: number): Records<Host> {
    return this.#hosts.records(width);
  }
  domainRecords(width: number): Records<Domain> {
    return this.#domains.records(width);
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
   * other. What is found on the way is probably what they are about.
   */
  touch(batch: TransactionBatch, from: number, to: number): Ahead {
    const { client0, client1, client2, client3, nameHash, type } = batch.col;
    const names = this.#names;
    const ahead = this.#ahead;
    const count = to - from;
    if (ahead.hashes.length < count) {
      ahead.hashes = new Int32Array(count);
      ahead.types = new Uint16Array(count);
    }
    const { hosts, domains, hashes, types } = ahead;
    let sum = 0;
    for (let i = from, k = 0; i < to; i++, k++) {
      hosts[k] = this.#lately[hostSlot(client0[i], client1[i], client2[i], client3[i])] ?? null;
      const hash = nameHash[i];
      hashes[k] = hash;
      types[k] = type[i];
      const slot = hash & (SLOTS - 1);
      sum += names[slot << SLOT_BITS];
      domains[k] = this.#found[slot];
    }
    for (let k = 0; k < count; k++) sum += (hosts[k]?.queries ?? 0) + (domains[k]?.queries ?? 0);
    ahead.count = count;
    ahead.sum = sum;
    return ahead;
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
    return (
      domains.find(this.#domainKey, words) ??
      domains.add(this.#domainKey, words, new Domain(time, this.#populars, bytes))
    );
  }
}

function hostSlot(w0: number, w1: number, w2: number, w3: number): number {
  return Math.imul(w3 ^ Math.imul(w0 ^ w1 ^ w2, 0x85ebca6b), 0x9e3779b1) >>> (32 - HOST_BITS);
}
