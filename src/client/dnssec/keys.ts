import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { DomainName } from '../domain-name.ts';
import type { CanonicalRecord } from './canonical.ts';

/** A DNSKEY (RFC 4034 §2). */
export interface DnsKey {
  flags: number;
  algorithm: number;
  tag: number;
  /** The public key's octets, in the form of its algorithm. */
  material: Uint8Array;
  rdata: Uint8Array;
}

/** A DS (RFC 4034 §5). */
export interface DelegationSigner {
  tag: number;
  algorithm: number;
  digestType: number;
  digest: Uint8Array;
}

interface Algorithm {
  name: string;
  /** Digest of RSA and ECDSA; null where the algorithm has its own. */
  hash: string | null;
  key(material: Uint8Array): KeyObject;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** RFC 3110 §2: exponent length in one octet or three, exponent, modulus. */
function rsaKey(material: Uint8Array): KeyObject {
  const isLong = material[0] === 0;
  const from = isLong ? 3 : 1;
  const length = isLong ? (material[1] << 8) | material[2] : material[0];
  if (material.length <= from + length || length === 0) throw new Error('the key is too short');
  // Wider ones cost much, and nobody uses them: 5 octets are above F5, and RFC 3110 §3 ends at 4096 bits.
  if (length > 5) throw new Error(`an exponent of ${length} octets`);
  if (material.length - from - length > 512) throw new Error('a modulus of more than 4096 bits');
  return createPublicKey({
    format: 'jwk',
    key: {
      kty: 'RSA',
      e: base64(material.subarray(from, from + length)),
      n: base64(material.subarray(from + length)),
    },
  });
}

/** RFC 6605 §4: both coordinates, side by side. */
const ecKey =
  (crv: string, size: number) =>
  (material: Uint8Array): KeyObject => {
    if (material.length !== 2 * size) throw new Error(`the key has ${material.length} octets, not ${2 * size}`);
    const [x, y] = [material.subarray(0, size), material.subarray(size)].map(base64);
    return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv, x, y } });
  };

/** RFC 8080 §3. */
const edKey =
  (crv: string) =>
  (material: Uint8Array): KeyObject =>
    createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv, x: base64(material) } });

/** Algorithms that are checked (IANA: DNS Security Algorithm Numbers); of others a zone counts as not signed. */
const ALGORITHMS: ReadonlyMap<number, Algorithm> = new Map([
  [5, { name: 'RSASHA1', hash: 'sha1', key: rsaKey }],
  [7, { name: 'NSEC3RSASHA1', hash: 'sha1', key: rsaKey }],
  [8, { name: 'RSASHA256', hash: 'sha256', key: rsaKey }],
  [10, { name: 'RSASHA512', hash: 'sha512', key: rsaKey }],
  [13, { name: 'ECDSAP256SHA256', hash: 'sha256', key: ecKey('P-256', 32) }],
  [14, { name: 'ECDSAP384SHA384', hash: 'sha384', key: ecKey('P-384', 48) }],
  [15, { name: 'ED25519', hash: null, key: edKey('Ed25519') }],
  [16, { name: 'ED448', hash: null, key: edKey('Ed448') }],
]);

/** Digests of DS records: SHA-1 (RFC 4034), SHA-256 (RFC 4509), SHA-384 (RFC 6605). */
const DIGESTS: ReadonlyMap<number, { name: string; hash: string }> = new Map([
  [1, { name: 'SHA-1', hash: 'sha1' }],
  [2, { name: 'SHA-256', hash: 'sha256' }],
  [4, { name: 'SHA-384', hash: 'sha384' }],
]);

const ZONE_FLAG = 0x0100;
const REVOKED_FLAG = 0x0080;
const DNSSEC_PROTOCOL = 3;

export const isKnownAlgorithm = (algorithm: number): boolean => ALGORITHMS.has(algorithm);
export const isKnownDigest = (type: number): boolean => DIGESTS.has(type);
export const algorithmName = (algorithm: number): string => ALGORITHMS.get(algorithm)?.name ?? `algorithm ${algorithm}`;
export const digestName = (type: number): string => DIGESTS.get(type)?.name ?? `digest ${type}`;

/** The key of a DNSKEY record that may sign its zone; null for others (revoked, not of a zone, too short). */
export function zoneKey({ rdata }: CanonicalRecord): DnsKey | null {
  if (rdata.length < 5 || rdata[2] !== DNSSEC_PROTOCOL) return null;
  const flags = (rdata[0] << 8) | rdata[1];
  if ((flags & ZONE_FLAG) === 0 || (flags & REVOKED_FLAG) !== 0) return null;
  return { flags, algorithm: rdata[3], tag: keyTag(rdata), material: rdata.subarray(4), rdata };
}

export function delegationSigner({ rdata }: CanonicalRecord): DelegationSigner | null {
  if (rdata.length < 5) return null;
  return {
    tag: (rdata[0] << 8) | rdata[1],
    algorithm: rdata[2],
    digestType: rdata[3],
    digest: rdata.subarray(4),
  };
}

/** RFC 4034 appendix B. */
export function keyTag(rdata: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < rdata.length; i++) sum += (i & 1) === 0 ? rdata[i] << 8 : rdata[i];
  return (sum + ((sum >>> 16) & 0xffff)) & 0xffff;
}

/** Whether a DS names this key (RFC 4034 §5.1.4); false, too, when `budget` has no digest left. */
export function isDigestOf(
  { tag, algorithm, digestType, digest }: DelegationSigner,
  zone: DomainName,
  key: DnsKey,
  budget: { takeDigest(): boolean },
): boolean {
  if (tag !== key.tag || algorithm !== key.algorithm) return false;
  const known = DIGESTS.get(digestType);
  if (known === undefined || !budget.takeDigest()) return false;
  return createHash(known.hash).update(zone.wire).update(key.rdata).digest().equals(digest);
}

/** Whether `signature` over `data` was made with a key. A key or signature that is no such thing does not fit. */
export function isSignedBy(key: DnsKey, data: Uint8Array, signature: Uint8Array): boolean {
  const algorithm = ALGORITHMS.get(key.algorithm);
  if (algorithm === undefined) return false;
  try {
    const object = algorithm.key(key.material);
    // RFC 6605 §4: r and s side by side, not ASN.1.
    return verify(algorithm.hash, data, { key: object, dsaEncoding: 'ieee-p1363' }, signature);
  } catch {
    // OpenSSL refuses what is no key: that is an answer, too.
    return false;
  }
}
