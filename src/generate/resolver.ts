import type { Address, EncodedRecords } from '../rr/batch-writer.ts';
import type { Random } from './random.ts';
import { SERVFAIL } from './records.ts';
import type { HostName, Zone } from './world.ts';

const TYPE_SLOTS = 4;
const OTHER_SLOT = 3;

/** What a resolver says, and when. One instance, filled again by every question. */
export interface Resolution {
  /** Milliseconds. */
  latencyMs: number;
  records: EncodedRecords;
  rcode: number;
  /** Seconds that the answer has been in the cache. */
  age: number;
  isFromCache: boolean;
}

/** A resolver with a cache: what it knows is answered in a millisecond, with TTLs counted down. */
export class Resolver {
  readonly address: Address;
  /** Everything it has to ask for takes so much longer. */
  addedMs = 0;
  /** It fails for everything that it has to ask for. */
  isFailing = false;
  /** It does not answer until then. */
  silentUntil = Number.NEGATIVE_INFINITY;
  /** Share of queries that get lost. */
  loss = 0.002;
  readonly #random: Random;
  /** When the cached answer of a name and type was fetched, and which one it is. */
  #fetched = new Float64Array(1 << 14).fill(Number.NEGATIVE_INFINITY);
  #variant = new Uint8Array(1 << 14);
  /** When the NS records of zones were fetched. */
  readonly #delegations = new Map<Zone, number>();
  readonly #result: Resolution;

  constructor(address: Address, random: Random, nobody: EncodedRecords) {
    this.address = address;
    this.#random = random;
    this.#result = { latencyMs: 0, records: nobody, rcode: 0, age: 0, isFromCache: false };
  }

  /** Forgets what it knows. */
  restart(): void {
    this.#fetched.fill(Number.NEGATIVE_INFINITY);
    this.#delegations.clear();
  }

  resolve(name: HostName, type: number, now: number): Resolution {
    const result = this.#result;
    const { zone } = name;
    const answers = name.answers.get(type);
    const ttl = answers === undefined ? 300 : name.ttl;
    const slot = name.number * TYPE_SLOTS + (type === 1 ? 0 : type === 28 ? 1 : type === 65 ? 2 : OTHER_SLOT);
    this.#room(slot);
    const age = now - this.#fetched[slot];
    result.rcode = 0;
    result.isFromCache = age < ttl;
    if (!result.isFromCache) {
      if (this.isFailing || zone.state !== 'ok') return this.fail(zone);
      this.#fetched[slot] = now;
      this.#variant[slot] = this.#random.int(256);
    }
    result.age = result.isFromCache ? age : 0;
    result.records = answers === undefined ? zone.nothing : answers[this.#variant[slot] % answers.length];
    result.latencyMs = this.latency(zone, result.isFromCache);
    return result;
  }

  /** A zone's servers, or the resolver, do not help. */
  fail(zone: Zone): Resolution {
    const result = this.#result;
    result.isFromCache = false;
    result.age = 0;
    result.rcode = SERVFAIL;
    result.records = NOTHING;
    const isPatient = zone.state === 'silent' && !this.isFailing;
    result.latencyMs = isPatient ? 3000 + this.#random.next() * 1500 : this.latency(zone, false);
    return result;
  }

  /** Milliseconds. */
  latency(zone: Zone, isFromCache: boolean): number {
    const random = this.#random;
    const near = random.logNormal(0.5, 0.5);
    if (isFromCache) return near;
    const slow = random.chance(0.01) ? 8 : 1;
    return near + this.addedMs + zone.rttMs * slow * random.logNormal(1, 0.3);
  }

  /** True when a zone's NS records have to be fetched; they are then. */
  needsDelegation(zone: Zone, now: number): boolean {
    const fetched = this.#delegations.get(zone);
    if (fetched !== undefined && now - fetched < zone.nsTtl) return false;
    this.#delegations.set(zone, now);
    return true;
  }

  #room(slot: number): void {
    if (slot < this.#fetched.length) return;
    const fetched = new Float64Array(slot * 2).fill(Number.NEGATIVE_INFINITY);
    const variant = new Uint8Array(slot * 2);
    fetched.set(this.#fetched);
    variant.set(this.#variant);
    this.#fetched = fetched;
    this.#variant = variant;
  }
}

const NOTHING: EncodedRecords = { bytes: new Uint8Array(0), answers: 0, authority: 0, additional: 0 };
