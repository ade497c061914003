import { DomainName } from '../domain-name.ts';
import type { CanonicalRecord, RecordSet } from './canonical.ts';
import { algorithmName, type DnsKey, isKnownAlgorithm, isSignedBy } from './keys.ts';

/** An RRSIG (RFC 4034 §3). */
export interface Signature {
  algorithm: number;
  labels: number;
  originalTtl: number;
  /** Seconds since 1970, modulo 2^32. */
  expiration: number;
  inception: number;
  tag: number;
  signer: DomainName;
  /** Everything before the signature itself. */
  head: Uint8Array;
  octets: Uint8Array;
}

/** What came of checking a record set: `wildcard` is the name it was made from, where that is not its own. */
export type SetVerdict =
  | { isSound: true; signature: Signature; wildcard: DomainName | null }
  | { isSound: false; reason: string };

/**
 * Signatures checked for one question, so that a message full of keys and signatures cannot keep us busy
 * (CVE-2023-50387).
 */
export const MOST_CHECKS = 256;

/** Keys compared with DS records: the same, with digests of keys whose tags were made equal. */
export const MOST_DIGESTS = 256;

/** Of them so many may be wrong: what a message full of them costs is its wrong ones. */
export const MOST_WRONG = 32;

export class Budget {
  #left = MOST_CHECKS;
  #wrong = 0;
  #digests = MOST_DIGESTS;
  /** Takes one; false when there is none left. */
  take(): boolean {
    return this.#wrong < MOST_WRONG && this.#left-- > 0;
  }
  /** The one that was taken was wrong. */
  noteWrong(): void {
    this.#wrong++;
  }
  /** Why there is none left. */
  get reason(): string {
    return this.#wrong < MOST_WRONG
      ? `more than ${MOST_CHECKS} signatures would have to be checked`
      : `${MOST_WRONG} signatures were wrong: no more are checked`;
  }
  takeDigest(): boolean {
    return this.#digests-- > 0;
  }
  get isOutOfDigests(): boolean {
    return this.#digests < 0;
  }
}

/** Reads an RRSIG; null when it is malformed. */
export function readSignature({ rdata }: CanonicalRecord): Signature | null {
  if (rdata.length < 20) return null;
  const view = new DataView(rdata.buffer, rdata.byteOffset, rdata.length);
  const signer = DomainName.read(rdata, 18, 0, rdata.length);
  if (signer === null) return null;
  const end = 18 + signer.wire.length;
  if (end >= rdata.length) return null;
  return {
    algorithm: rdata[2],
    labels: rdata[3],
    originalTtl: view.getUint32(4),
    expiration: view.getUint32(8),
    inception: view.getUint32(12),
    tag: view.getUint16(16),
    signer,
    head: rdata.subarray(0, end),
    octets: rdata.subarray(end),
  };
}

/**
 * Checks a record set with the keys of a zone (RFC 4035 §5.3): one good signature is enough. `now`: seconds since 1970.
 * The reason is that of the signature which came nearest.
 */
export function checkSet(
  set: RecordSet,
  zone: DomainName,
  keys: readonly DnsKey[],
  now: number,
  budget: Budget,
): SetVerdict {
  if (set.signatures.length === 0) return { isSound: false, reason: 'it has no signature' };
  let reason = '';
  let rank = -1;
  for (const record of set.signatures) {
    const signature = readSignature(record);
    if (signature === null) continue;
    const problem = problemOf(set, signature, zone, keys, now, budget);
    if (problem === null) return { isSound: true, signature, wildcard: wildcardOf(set, signature) };
    if (problem.rank > rank) ({ reason, rank } = problem);
  }
  return { isSound: false, reason: reason === '' ? 'its signature cannot be read' : reason };
}

/** The wildcard that a set was made from (RFC 4035 §5.3.4). */
function wildcardOf({ name }: RecordSet, { labels }: Signature): DomainName | null {
  const own =
    name.labels > 0 && name.label(0).length === 1 && name.label(0)[0] === 0x2a ? name.labels - 1 : name.labels;
  return labels < own ? name.last(labels).wildcard : null;
}

function problemOf(
  set: RecordSet,
  signature: Signature,
  zone: DomainName,
  keys: readonly DnsKey[],
  now: number,
  budget: Budget,
): { reason: string; rank: number } | null {
  const { signer, labels, algorithm, tag, inception, expiration } = signature;
  if (!signer.is(zone)) return { reason: `it is signed by ${signer.text}, not by ${zone.text}`, rank: 0 };
  if (labels > set.name.labels) return { reason: 'its signature is for a longer name', rank: 1 };
  if (!isKnownAlgorithm(algorithm)) return { reason: `${algorithmName(algorithm)} is not known here`, rank: 1 };
  const named = keys.filter((key) => key.tag === tag && key.algorithm === algorithm);
  if (named.length === 0) return { reason: `it is signed with key ${tag}, which ${zone.text} does not have`, rank: 2 };
  // RFC 4034 §3.1.5: serial number arithmetic.
  if (((expiration - now) | 0) < 0) return { reason: `its signature expired ${dateOf(expiration, now)}`, rank: 4 };
  if (((now - inception) | 0) < 0)
    return { reason: `its signature holds only from ${dateOf(inception, now)}`, rank: 4 };
  const data = signedData(set, signature);
  for (const key of named) {
    if (!budget.take()) return { reason: budget.reason, rank: 5 };
    if (isSignedBy(key, data, signature.octets)) return null;
    budget.noteWrong();
  }
  return { reason: `its signature with key ${tag} is wrong`, rank: 3 };
}

/** What the signature is over (RFC 4034 §3.1.8.1): its own fields, then the records in canonical order (§6.3). */
function signedData(set: RecordSet, { head, labels, originalTtl }: Signature): Uint8Array {
  const owner = labels < set.name.labels ? (set.name.last(labels).wildcard ?? set.name) : set.name;
  const rdatas = set.records.map(({ rdata }) => rdata).sort(Buffer.compare);
  const parts: Uint8Array[] = [head];
  let before: Uint8Array | undefined;
  for (const rdata of rdatas) {
    if (before !== undefined && Buffer.compare(before, rdata) === 0) continue;
    before = rdata;
    const fixed = new Uint8Array(10);
    const view = new DataView(fixed.buffer);
    view.setUint16(0, set.type);
    view.setUint16(2, set.records[0].class);
    view.setUint32(4, originalTtl);
    view.setUint16(8, rdata.length);
    parts.push(owner.wire, fixed, rdata);
  }
  return Buffer.concat(parts);
}

/** `2026-11-01` of a signature's time, which is modulo 2^32, near `now`. */
function dateOf(seconds: number, now: number): string {
  return new Date((now + ((seconds - now) | 0)) * 1000).toISOString().slice(0, 10);
}
