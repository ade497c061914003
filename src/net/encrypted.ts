import type { Carrier } from '../core/carrier.ts';

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
  if (carrier.family === 4) {
    return RESOLVERS.has(carrier.source3) || RESOLVERS.has(carrier.destination3);
  }
  return isResolver6(carrier.source0, carrier.source1) || isResolver6(carrier.destination0, carrier.destination1);
}

/** 2606:4700:4700::/48, 2001:4860:4860::/48, 2620:fe::/48, 2620:119:35::/48, 2a10:50c0::/32. */
function isResolver6(w0: number, w1: number): boolean {
  const high = w0 >>> 0;
  const next = w1 >>> 16;
  return (
    (high === 0x26064700 && next === 0x4700) ||
    (high === 0x20014860 && next === 0x4860) ||
    (high === 0x262000fe && next === 0) ||
    (high === 0x26200119 && (next === 0x35 || next === 0x53)) ||
    high === 0x2a1050c0
  );
}

/** Addresses that the operators publish for DNS over HTTPS. */
const RESOLVERS: ReadonlySet<number> = new Set(
  [
    // Cloudflare
    '1.1.1.1 1.0.0.1 1.1.1.2 1.0.0.2 1.1.1.3 1.0.0.3 104.16.248.249 104.16.249.249 162.159.61.4 172.64.41.4',
    '8.8.8.8 8.8.4.4', // Google
    '9.9.9.9 149.112.112.112 9.9.9.10 149.112.112.10 9.9.9.11 149.112.112.11', // Quad9
    '208.67.222.222 208.67.220.220 146.112.41.2', // OpenDNS
    '94.140.14.14 94.140.15.15 94.140.14.140 94.140.14.141', // AdGuard
    '185.228.168.168 185.228.169.168 185.228.168.9 185.228.168.10', // CleanBrowsing
    '45.90.28.0 45.90.30.0', // NextDNS
    '194.242.2.2 194.242.2.3 194.242.2.4', // Mullvad
    '185.222.222.222 45.11.45.11', // DNS.SB
    '223.5.5.5 223.6.6.6', // AliDNS
  ]
    .join(' ')
    .split(' ')
    .map((text) => text.split('.').reduce((value, octet) => (value << 8) | Number(octet), 0)),
);
