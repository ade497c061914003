import type { Carrier } from '../core/carrier.ts';
import { isResolverAddress } from '../core/public-resolvers.ts';

/** "r6fnvWj8": every DNSCrypt response begins with it (DNSCrypt protocol, version 2 §9). */
const RESOLVER_MAGIC = [0x72, 0x36, 0x66, 0x6e, 0x76, 0x57, 0x6a, 0x38];
const MIN_RESPONSE = 8 + 24 + 16;
/** Client magic, public key, half a nonce, tag. */
const MIN_QUERY = 8 + 32 + 12 + 16;
const MAX_SERVERS = 4096;

/** DNSCrypt: responses are told by their magic; queries, which look random, by the server that such a response came from. */
export class Dnscrypt {
  readonly #servers = new Set<number>();

  /** Whether a UDP payload is DNSCrypt's. */
  accepts(carrier: Carrier, bytes: Uint8Array<ArrayBufferLike>, at: number, length: number): boolean {
    if (isDnscryptResponse(bytes, at, length)) {
      if (this.#servers.size === MAX_SERVERS) this.#servers.clear();
      const { source0, source1, source2, source3, sourcePort } = carrier;
      this.#servers.add(hash(source0 ^ source1 ^ source2 ^ source3, sourcePort));
      return true;
    }
    if (this.#servers.size === 0 || length < MIN_QUERY) return false;
    const { destination0, destination1, destination2, destination3, destinationPort } = carrier;
    return this.#servers.has(hash(destination0 ^ destination1 ^ destination2 ^ destination3, destinationPort));
  }
}

const PREFACE = Array.from('PRI * HTTP/2.0', (char) => char.charCodeAt(0));
/** "application/dns-message" in the Huffman code of HPACK (RFC 7541 appendix B): as most clients send it. */
const MEDIA_TYPE = [0x1d, 0x75, 0xd0, 0x62, 0x0d, 0x26, 0x3d, 0x4c, 0x49, 0x52, 0x16, 0xa4, 0xa8, 0x40, 0xe6, 0x2f];

/** The magic alone: on DNS's own port, where the same server also answers in clear. */
export function isDnscryptResponse(bytes: Uint8Array<ArrayBufferLike>, at: number, length: number): boolean {
  return length >= MIN_RESPONSE && startsWith(bytes, at, at + length, RESOLVER_MAGIC);
}

/** DNS over HTTP/2 in clear (RFC 8484, RFC 9113 §3.4): connections that begin with the preface and name its media type. */
export class ClearHttp2 {
  /** Connections with the preface, by hash: whether the media type was seen. */
  readonly #connections = new Map<number, boolean>();

  /** Whether a TCP payload belongs to such a connection, as far as known by now. */
  accepts(carrier: Carrier, bytes: Uint8Array<ArrayBufferLike>, at: number, end: number): boolean {
    const begins = startsWith(bytes, at, end, PREFACE);
    if (!begins && this.#connections.size === 0) return false;
    const { source0, source1, source2, source3, destination0, destination1, destination2, destination3 } = carrier;
    const ends = source0 ^ source1 ^ source2 ^ source3 ^ destination0 ^ destination1 ^ destination2 ^ destination3;
    const key = hash(ends, carrier.sourcePort ^ carrier.destinationPort);
    if (begins) {
      if (this.#connections.size === MAX_SERVERS) this.#connections.clear();
      this.#connections.set(key, false);
    }
    const known = this.#connections.get(key);
    if (known !== false) return known === true;
    for (let i = at; i + MEDIA_TYPE.length <= end; i++) {
      if (!startsWith(bytes, i, end, MEDIA_TYPE)) continue;
      this.#connections.set(key, true);
      return true;
    }
    return false;
  }
}

function startsWith(bytes: Uint8Array<ArrayBufferLike>, at: number, end: number, what: readonly number[]): boolean {
  if (at + what.length > end) return false;
  let same = 0;
  while (same < what.length && bytes[at + same] === what[same]) same++;
  return same === what.length;
}

function hash(address: number, port: number): number {
  return Math.imul(address ^ Math.imul(port, 0x9e3779b1), 0x85ebca6b);
}

/** Whether a UDP payload is a QUIC packet with a long header of a known version (RFC 9000 §17.2, RFC 9369, drafts). */
export function isQuicLong(bytes: Uint8Array<ArrayBufferLike>, at: number, length: number): boolean {
  if (length < 7 || (bytes[at] & 0xc0) !== 0xc0) return false;
  const version = ((bytes[at + 1] << 24) | (bytes[at + 2] << 16) | (bytes[at + 3] << 8) | bytes[at + 4]) >>> 0;
  const known = version <= 1 || version === 0x6b3343cf || version >>> 8 === 0xff0000 || version >>> 24 === 0x51;
  return known && bytes[at + 5] <= 20;
}

/** Whether one end is a public resolver that answers on the web's port (DNS over HTTPS, and over QUIC as HTTP/3). */
export function isPublicResolver(carrier: Carrier): boolean {
  const { family, source0, source1, source3, destination0, destination1, destination3 } = carrier;
  return (
    isResolverAddress(family, source0, source1, source3) ||
    isResolverAddress(family, destination0, destination1, destination3)
  );
}
