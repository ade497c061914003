import { createHash } from 'node:crypto';
import { DomainName } from '../domain-name.ts';
import { type CanonicalRecord, TYPE } from './canonical.ts';

/** Hash rounds beyond which a zone counts as not signed (RFC 9276 §3.2); where BIND draws the line, too. */
export const MOST_ITERATIONS = 50;
/** Names hashed for one message: far above what a proof needs. */
const MOST_HASHES = 256;

/** What records of denial show. `isOptOut`: only that what lies there is not signed. */
export interface Proof {
  isProven: boolean;
  isOptOut: boolean;
  /** Why it is not proven. */
  reason: string;
}

interface Nsec {
  owner: DomainName;
  next: DomainName;
  types: ReadonlySet<number>;
}

interface Nsec3 {
  hash: Uint8Array;
  next: Uint8Array;
  salt: Uint8Array;
  iterations: number;
  isOptOut: boolean;
  types: ReadonlySet<number>;
}

/** Proofs of absence by the NSEC or NSEC3 records of one zone, whose signatures have been checked already. */
export class Denial {
  readonly #zone: DomainName;
  readonly #nsec: Nsec[] = [];
  readonly #nsec3: Nsec3[] = [];
  readonly #hashes = new Map<string, Uint8Array>();
  /** Most iterations of its NSEC3 records. */
  iterations = 0;

  constructor(zone: DomainName, records: readonly CanonicalRecord[]) {
    this.#zone = zone;
    for (const record of records) {
      if (record.type === TYPE.NSEC) this.#addPlain(record);
      else if (record.type === TYPE.NSEC3) this.#addHashed(record);
    }
  }

  get isTooCostly(): boolean {
    return this.iterations > MOST_ITERATIONS;
  }

  get isEmpty(): boolean {
    return this.#nsec.length === 0 && this.#nsec3.length === 0;
  }

  /** That no record has this name, nor a wildcard that would answer (RFC 4035 §5.4, RFC 5155 §8.4). */
  noName(name: DomainName): Proof {
    if (this.#nsec.length === 0) return this.#hashedNoName(name);
    const cover = this.#covering(name);
    if (cover === undefined || cover.next.isWithin(name)) return missing(`no NSEC covers ${name.text}`);
    const { wildcard } = encloserOf(cover, name);
    if (wildcard !== null && this.#covering(wildcard) === undefined)
      return missing(`no NSEC denies the wildcard ${wildcard.text}`);
    return PROVEN;
  }

  /** That the name has no records of a type (RFC 4035 §5.4, RFC 5155 §8.5 and §8.7). */
  noType(name: DomainName, type: number): Proof {
    if (this.#nsec.length === 0) return this.#hashedNoType(name, type);
    const own = this.#nsec.find(({ owner }) => owner.is(name));
    if (own !== undefined) return without(own.types, name, type);
    const cover = this.#covering(name);
    if (cover === undefined) return missing(`no NSEC is at or covers ${name.text}`);
    // An empty non-terminal: names below it are there.
    if (cover.next.isWithin(name)) return PROVEN;
    const { wildcard } = encloserOf(cover, name);
    const match = this.#nsec.find(({ owner }) => wildcard !== null && owner.is(wildcard));
    if (match === undefined) return missing(`no NSEC shows what a wildcard for ${name.text} has`);
    return without(match.types, match.owner, type);
  }

  /** That a delegated name has no DS (RFC 4035 §5.2, RFC 5155 §8.6); without NS there it is no delegation. */
  noSigner(child: DomainName): Proof {
    const own = this.#nsec.find(({ owner }) => owner.is(child)) ?? this.#matching(child);
    if (own !== undefined && !own.types.has(TYPE.NS))
      return missing(`the record of ${child.text} shows no delegation there`);
    return this.noType(child, TYPE.DS);
  }

  /** That no name closer than the wildcard is there (RFC 4035 §5.3.4, RFC 5155 §8.8). */
  noCloser(name: DomainName, wildcard: DomainName): Proof {
    const labels = wildcard.labels - 1;
    const closer = name.last(labels + 1);
    const reason = `nothing shows that ${closer.text} is not there`;
    if (this.#nsec.length > 0) {
      const cover = this.#covering(name);
      return cover !== undefined && encloserOf(cover, name).labels <= labels ? PROVEN : missing(reason);
    }
    const cover = this.#coveringHash(closer);
    return cover === undefined ? missing(reason) : shown(cover);
  }

  #addPlain({ name, rdata }: CanonicalRecord): void {
    const next = DomainName.read(rdata, 0, 0, rdata.length);
    const types = next === null ? null : typesOf(rdata, next.wire.length);
    if (next !== null && types !== null) this.#nsec.push({ owner: name, next, types });
  }

  #addHashed({ name, rdata }: CanonicalRecord): void {
    const saltEnd = 5 + (rdata[4] ?? 0);
    const end = saltEnd + 1 + (rdata[saltEnd] ?? 0);
    const types = rdata.length < 6 || end > rdata.length ? null : typesOf(rdata, end);
    const isOwn = name.labels > 0 && name.parent.is(this.#zone);
    const hash = isOwn ? parseBase32(Buffer.from(name.label(0)).toString('latin1')) : undefined;
    // SHA-1 is the only hash there is (RFC 5155 §11).
    if (types === null || hash?.length !== 20 || rdata[0] !== 1) return;
    const iterations = (rdata[2] << 8) | rdata[3];
    const salt = rdata.subarray(5, saltEnd);
    const first = this.#nsec3[0];
    // RFC 5155 §8.2: all of a proof have the same parameters.
    if (first !== undefined && (first.iterations !== iterations || Buffer.compare(first.salt, salt) !== 0)) return;
    this.iterations = Math.max(this.iterations, iterations);
    const isOptOut = (rdata[1] & 1) !== 0;
    this.#nsec3.push({ hash, next: rdata.subarray(saltEnd + 1, end), salt, iterations, isOptOut, types });
  }

  /** The NSEC between whose names this one would be; a parent's at a delegation says nothing of what is below. */
  #covering(name: DomainName): Nsec | undefined {
    return this.#nsec.find(({ owner, next, types }) => {
      if (!name.isWithin(this.#zone) || owner.compare(name) >= 0) return false;
      if (name.compare(next) >= 0 && next.compare(owner) > 0) return false;
      return !name.isWithin(owner) || !(isCut(types) || types.has(TYPE.DNAME));
    });
  }

  #hashedNoName(name: DomainName): Proof {
    const found = this.#closest(name);
    if ('reason' in found) return found;
    const { wildcard } = found.encloser;
    if (wildcard !== null && this.#coveringHash(wildcard) === undefined)
      return missing(`no NSEC3 denies the wildcard ${wildcard.text}`);
    return shown(found.cover);
  }

  #hashedNoType(name: DomainName, type: number): Proof {
    const own = this.#matching(name);
    if (own !== undefined) return without(own.types, name, type);
    const found = this.#closest(name);
    if ('reason' in found) return found;
    const { wildcard } = found.encloser;
    const match = wildcard === null ? undefined : this.#matching(wildcard);
    if (match !== undefined && wildcard !== null) return without(match.types, wildcard, type);
    return found.cover.isOptOut ? shown(found.cover) : missing(`no NSEC3 is at ${name.text} or its wildcard`);
  }

  /** The closest encloser proof (RFC 5155 §8.3). */
  #closest(name: DomainName): { encloser: DomainName; cover: Nsec3 } | Proof {
    for (let labels = name.labels - 1; labels >= this.#zone.labels; labels--) {
      const encloser = name.last(labels);
      const match = this.#matching(encloser);
      if (match === undefined) continue;
      if (isCut(match.types) || match.types.has(TYPE.DNAME))
        return missing(`the NSEC3 of ${encloser.text} says nothing of names below it`);
      const closer = name.last(labels + 1);
      const cover = this.#coveringHash(closer);
      return cover === undefined ? missing(`no NSEC3 covers ${closer.text}`) : { encloser, cover };
    }
    return missing(`no NSEC3 shows the closest name above ${name.text}`);
  }

  #matching(name: DomainName): Nsec3 | undefined {
    const hash = this.#hash(name);
    return this.#nsec3.find((one) => Buffer.compare(one.hash, hash) === 0);
  }

  #coveringHash(name: DomainName): Nsec3 | undefined {
    const hash = this.#hash(name);
    return this.#nsec3.find(({ hash: from, next }) => {
      const isAfter = Buffer.compare(from, hash) < 0;
      const isBefore = Buffer.compare(hash, next) < 0;
      return Buffer.compare(from, next) < 0 ? isAfter && isBefore : isAfter || isBefore;
    });
  }

  /** Empty, so that nothing fits, where there is nothing to compare with or it would cost too much. */
  #hash(name: DomainName): Uint8Array {
    const known = this.#hashes.get(name.key);
    if (known !== undefined) return known;
    if (this.#nsec3.length === 0 || this.isTooCostly || this.#hashes.size >= MOST_HASHES) return new Uint8Array(0);
    const { salt, iterations } = this.#nsec3[0];
    const hash = nsec3Hash(name, salt, iterations);
    this.#hashes.set(name.key, hash);
    return hash;
  }
}

/** RFC 5155 §5: SHA-1 over name and salt, then so many times over hash and salt. */
export function nsec3Hash({ wire }: DomainName, salt: Uint8Array, iterations: number): Uint8Array {
  let hash = wire;
  for (let i = 0; i <= iterations; i++) hash = createHash('sha1').update(hash).update(salt).digest();
  return hash;
}

const PROVEN: Proof = { isProven: true, isOptOut: false, reason: '' };
const missing = (reason: string): Proof => ({ isProven: false, isOptOut: false, reason });
const shown = ({ isOptOut }: Nsec3): Proof => ({ ...PROVEN, isOptOut });
const isCut = (types: ReadonlySet<number>): boolean => types.has(TYPE.NS) && !types.has(TYPE.SOA);

/** The closest name above `name` that an NSEC shows to exist. */
function encloserOf({ owner, next }: Nsec, name: DomainName): DomainName {
  return name.last(Math.max(name.common(owner), name.common(next)));
}

/** At a cut the parent's record speaks of DS, the child's of all else (RFC 4035 §5.4, RFC 6840 §4.4). */
function without(types: ReadonlySet<number>, name: DomainName, type: number): Proof {
  if (type === TYPE.DS && types.has(TYPE.SOA) && name.labels > 0)
    return missing(`the record of ${name.text} is the child's, which cannot speak of DS`);
  if (type !== TYPE.DS && isCut(types))
    return missing(`the record of ${name.text} is the parent's, which can only speak of DS`);
  const isThere = types.has(type) || (types.has(TYPE.CNAME) && type !== TYPE.CNAME);
  return isThere ? missing(`the record of ${name.text} says that there is one`) : PROVEN;
}

/** A bitmap of types (RFC 4034 §4.1.2); null when it is malformed. */
function typesOf(rdata: Uint8Array, from: number): ReadonlySet<number> | null {
  const types = new Set<number>();
  for (let at = from; at < rdata.length; ) {
    const octets = rdata[at + 1] ?? 0;
    if (octets < 1 || octets > 32 || at + 2 + octets > rdata.length) return null;
    for (let i = 0; i < octets * 8; i++)
      if ((rdata[at + 2 + (i >> 3)] & (0x80 >> (i & 7))) !== 0) types.add((rdata[at] << 8) | i);
    at += 2 + octets;
  }
  return types;
}

const DIGITS = '0123456789abcdefghijklmnopqrstuv';

/** Base 32 in the extended hex alphabet (RFC 4648 §7), lower case; undefined for other characters. */
function parseBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array((text.length * 5) >> 3);
  let held = 0;
  let bits = 0;
  let to = 0;
  for (const c of text) {
    const digit = DIGITS.indexOf(c);
    if (digit < 0) return undefined;
    held = ((held << 5) | digit) & 0xffff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[to++] = held >> bits;
  }
  return bytes;
}
