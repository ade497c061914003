import { addressText } from '../core/address.ts';
import { hashOf, KeyTable } from '../sketch/key-table.ts';
import { copyName, nameText } from '../wire/name.ts';
import { type TableCount, countOf } from './bounded.ts';
import type { Cell, First } from './tunnel/sub-names.ts';

/** A host seen as client or server. One object as long as it is known: state may be kept by it. */
export class Host {
  readonly family: number;
  readonly words: readonly [number, number, number, number];
  /** Seconds since 1970 at which it was first seen. */
  readonly firstSeen: number;
  lastSeen: number;
  /** Transactions it began, as client. */
  queries = 0;
  /** Places of its models in the baseline. */
  asClient = -1;
  asServer = -1;
  #text: string | undefined;

  constructor(family: number, words: readonly [number, number, number, number], time: number) {
    this.family = family;
    this.words = words;
    this.firstSeen = time;
    this.lastSeen = time;
  }

  /** The address as text. */
  get text(): string {
    this.#text ??= addressText(this.family, ...this.words);
    return this.#text;
  }
}

/** Clients of a domain that are told apart; more are `many`. */
const CLIENTS_KEPT = 8;

/** A registrable domain. One object as long as it is known: state may be kept by it. */
export class Domain {
  /** Folded wire form, without compression. */
  readonly wire: Uint8Array;
  /** Escaped text. */
  readonly text: string;
  /** Seconds since 1970: since when it is known (of earlier runs too, where history was loaded), and last asked. */
  firstSeen: number;
  lastSeen: number;
  queries = 0;
  /** Place of its model in the baseline. */
  asZone = -1;
  /** What the detectors of tunnels know of the names below it: the first few, or all of them. */
  names: First | Cell | undefined;
  /** Hosts that asked for it: the first few, and whether there are more. */
  readonly clients: Host[] = [];
  hasManyClients = false;
  /** Names like it are asked by everybody: the operator's or a given list of popular domains has it. */
  readonly isPopular: boolean;

  constructor(wire: Uint8Array, time: number, isPopular: boolean) {
    this.wire = wire;
    this.text = nameText(wire, 0, 0);
    this.firstSeen = time;
    this.lastSeen = time;
    this.isPopular = isPopular;
  }

  noteClient(host: Host): void {
    if (this.hasManyClients || this.clients.includes(host)) return;
    if (this.clients.length === CLIENTS_KEPT) this.hasManyClients = true;
    else this.clients.push(host);
  }
}

/**
 * Objects by key, for as many keys as are at hand: those that were not asked for while twice the capacity of others was
 * are forgotten, and are new objects when they come back. Two tables take turns, so that nothing is ever searched for.
 */
class Generations<T> {
  readonly capacity: number;
  readonly #half: number;
  #now: { table: KeyTable; values: T[] };
  #before: { table: KeyTable; values: T[] };
  /** Objects that were forgotten. */
  evicted = 0;
  /** Grows whenever objects that are not used will be forgotten next: what remembers objects by itself begins anew. */
  turns = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#half = Math.max(8, capacity >> 1);
    this.#now = this.#empty();
    this.#before = this.#empty();
  }

  get size(): number {
    return this.#now.values.length + this.#before.values.length;
  }

  /** The object of a key, used now; undefined when there is none. Add it then, before anything else is looked up. */
  find(key: Int32Array, words: number): T | undefined {
    const hash = hashOf(key, 0, words);
    const { table, values } = this.#now;
    const entry = table.find(key, 0, words, hash);
    if (entry >= 0) return values[entry];
    const older = this.#before.table.find(key, 0, words, hash);
    if (older < 0) return undefined;
    const value = this.#before.values[older];
    this.#insert(key, words, hash, value);
    return value;
  }

  add(key: Int32Array, words: number, value: T): T {
    this.#insert(key, words, hashOf(key, 0, words), value);
    return value;
  }

  #insert(key: Int32Array, words: number, hash: number, value: T): void {
    if (this.#now.table.full || this.#now.table.insert(key, 0, words, hash) < 0) {
      this.evicted += this.#before.values.length;
      this.#before = this.#now;
      this.#now = this.#empty();
      this.#now.table.insert(key, 0, words, hash);
      this.turns++;
    }
    this.#now.values.push(value);
  }

  *values(): Generator<T> {
    yield* this.#now.values;
    yield* this.#before.values;
  }

  #empty(): { table: KeyTable; values: T[] } {
    return { table: new KeyTable(this.#half), values: [] };
  }
}

const HOST_WORDS = 5;
const HOST_SLOTS = 16_384;
/** Names whose registrable domain is remembered. */
const SLOTS = 32_768;
const SLOT_BYTES = 80;
const MAX_NAME_BYTES = 256;

/** Most hosts and domains that are told apart at a time. */
export interface EntityLimits {
  hosts: number;
  domains: number;
}
export const ENTITY_LIMITS: EntityLimits = { hosts: 16_384, domains: 32_768 };

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
  // Names seen lately: their bytes, where the domain begins, and the domain.
  readonly #names = new Uint8Array(SLOTS * SLOT_BYTES);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #starts = new Int16Array(SLOTS);
  readonly #found: (Domain | null)[] = new Array<Domain | null>(SLOTS).fill(null);
  /** Hosts seen lately, by a hash of their address. */
  readonly #lately: (Host | undefined)[] = new Array<Host | undefined>(HOST_SLOTS).fill(undefined);
  /** Where the domain of the last name begins; −1 without one. */
  domainAt = -1;

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

  host(family: number, w0: number, w1: number, w2: number, w3: number, time: number): Host {
    const lately = this.#lately;
    const slot = (Math.imul(w3 ^ Math.imul(w0 ^ w1 ^ w2, 0x85ebca6b), 0x9e3779b1) >>> 18) & (HOST_SLOTS - 1);
    let host = lately[slot];
    if (host === undefined || host.family !== family || !isSame(host.words, w0, w1, w2, w3)) {
      host = this.#findHost(family, w0, w1, w2, w3, time);
      lately[slot] = host;
    }
    if (time > host.lastSeen) host.lastSeen = time;
    return host;
  }

  #findHost(family: number, w0: number, w1: number, w2: number, w3: number, time: number): Host {
    const key = this.#hostKey;
    key[0] = w0;
    key[1] = w1;
    key[2] = w2;
    key[3] = w3;
    key[4] = family;
    const hosts = this.#hosts;
    const { turns } = hosts;
    const host = hosts.find(key, HOST_WORDS) ?? hosts.add(key, HOST_WORDS, new Host(family, [w0, w1, w2, w3], time));
    if (hosts.turns !== turns) this.#lately.fill(undefined);
    return host;
  }

  /**
   * The registrable domain of a folded wire name of `length` bytes at the start of `name`; null where it has none (a
   * public suffix, the root). `hash` is the name's. Sets `domainAt`.
   */
  domain(name: Uint8Array, length: number, hash: number, time: number): Domain | null {
    const slot = hash & (SLOTS - 1);
    if (!this.#isAt(slot, name, length)) this.#learn(slot, name, length, time);
    this.domainAt = this.#starts[slot];
    const domain = this.#found[slot];
    if (domain === null) return null;
    domain.queries++;
    if (time > domain.lastSeen) domain.lastSeen = time;
    return domain;
  }

  /** Whether the slot is of this name. */
  #isAt(slot: number, name: Uint8Array, length: number): boolean {
    if (this.#lengths[slot] !== length) return false;
    const names = this.#names;
    const from = slot * SLOT_BYTES;
    let i = Math.min(length, SLOT_BYTES) - 1;
    while (i >= 0 && names[from + i] === name[i]) i--;
    return i < 0 && length <= SLOT_BYTES;
  }

  /** Fills the slot with what belongs to the name. */
  #learn(slot: number, name: Uint8Array, length: number, time: number): void {
    const start = this.#start(name);
    const { turns } = this.#domains;
    const domain = start < 0 ? null : this.#findDomain(name, start, time);
    // Objects known by name alone would be forgotten although they are used.
    if (this.#domains.turns !== turns) this.#lengths.fill(0);
    this.#names.set(length <= SLOT_BYTES ? name.subarray(0, length) : name.subarray(0, SLOT_BYTES), slot * SLOT_BYTES);
    this.#lengths[slot] = length;
    this.#starts[slot] = start;
    this.#found[slot] = domain;
  }

  #findDomain(name: Uint8Array, at: number, time: number): Domain {
    const bytes = this.#domainBytes;
    const size = copyName(name, at, 0, bytes, 0, false);
    let end = size;
    while ((end & 3) !== 0) bytes[end++] = 0;
    const domains = this.#domains;
    const known = domains.find(this.#domainKey, end >> 2);
    if (known !== undefined) return known;
    const wire = bytes.slice(0, size);
    return domains.add(this.#domainKey, end >> 2, new Domain(wire, time, this.#popular(nameText(wire, 0, 0))));
  }
}

function isSame(words: Host['words'], w0: number, w1: number, w2: number, w3: number): boolean {
  return words[3] === w3 && words[2] === w2 && words[1] === w1 && words[0] === w0;
}
