import { word } from '../core/address.ts';
import { NO_PACKET } from '../core/frames.ts';
import { Words } from '../core/words.ts';
import * as L from './cursor.ts';
import { isIcmpError } from './icmp.ts';
import { LAYERS } from './layers.ts';
import { ETHERNET_LINK, linkLayer } from './link-types.ts';

/**
 * Which worker takes a frame: by the unordered pair of its outermost IP addresses, ports ignored, so that UDP, its TCP
 * retry, both directions and all fragments meet. `pair` is the exclusive or of all words of both addresses (two for
 * IPv4, eight for IPv6). Simple enough for classic BPF: the kernel's fan-out program computes the same.
 */
export function shardOf(pair: number, shards: number): number {
  return (Math.imul(pair, SHARD_FACTOR) >>> 16) % shards;
}

/** Odd factor near 2^32 divided by the golden ratio (Knuth, TAOCP 6.4). */
export const SHARD_FACTOR = 0x9e3779b1;

/** Layers walked in search of an IP header. */
const MAX_LAYERS = 48;

/** Tells the shard of a frame, cheaply: most frames belong to another worker. */
export class Sharing {
  readonly #shards: number;
  readonly #cursor = new L.Cursor();
  readonly #words = new Words();

  constructor(shards: number) {
    this.#shards = shards;
  }

  /** Shard of a frame: by its outermost pair of addresses, an ICMP error by the pair it quotes; 0 for all else. */
  of(bytes: Uint8Array<ArrayBufferLike>, from: number, end: number, link: number): number {
    let ipAt = -1;
    if (link === ETHERNET_LINK && end - from >= 14 + 20) {
      const type = (bytes[from + 12] << 8) | bytes[from + 13];
      // Nearly every frame: no need to look for ICMP errors.
      if (type === 0x0800 && bytes[from + 14] === 0x45 && bytes[from + 23] !== 1) {
        const words = this.#words.of(bytes);
        return shardOf(words.getInt32(from + 26) ^ words.getInt32(from + 30), this.#shards);
      }
      if (type === 0x0800 || type === 0x86dd) ipAt = from + 14;
    }
    if (ipAt < 0) ipAt = this.#outermost(bytes, from, end, link);
    return ipAt < 0 ? 0 : shardOf(pairAt(bytes, ipAt, end), this.#shards);
  }

  /** Offset of the outermost IP header, −1 without; for frames that are not plain Ethernet. */
  #outermost(bytes: Uint8Array<ArrayBufferLike>, from: number, end: number, link: number): number {
    const cursor = this.#cursor;
    cursor.begin(bytes, from, end, end - from);
    let next = link === NO_PACKET ? L.NOT_IP : linkLayer(cursor, link);
    for (let layers = 0; next >= 0 && layers < MAX_LAYERS; layers++) {
      const layer = LAYERS[next];
      if (next === L.IPV4_LAYER || next === L.IPV6_LAYER) return cursor.at;
      if (layer === undefined) return -1;
      next = layer(cursor);
    }
    return -1;
  }
}

/** Exclusive or of all words of the addresses at an IP header, of the quoted one in ICMP errors; 0 where cut. */
function pairAt(bytes: Uint8Array<ArrayBufferLike>, at: number, end: number): number {
  let pair = 0;
  let ipAt = at;
  for (let quoted = 0; quoted < 2; quoted++) {
    if (ipAt + 20 > end) return pair;
    let payload: number;
    let icmp: boolean;
    if (bytes[ipAt] >> 4 === 4) {
      pair = word(bytes, ipAt + 12) ^ word(bytes, ipAt + 16);
      icmp = bytes[ipAt + 9] === 1 && ((bytes[ipAt + 6] & 0x1f) | bytes[ipAt + 7]) === 0;
      payload = ipAt + (bytes[ipAt] & 15) * 4;
      if (!icmp || payload + 8 > end || !isIcmpError(bytes[payload], false)) return pair;
    } else {
      if (ipAt + 40 > end) return pair;
      pair = 0;
      for (let i = 8; i < 40; i += 4) pair ^= word(bytes, ipAt + i);
      payload = ipAt + 40;
      if (bytes[ipAt + 6] !== 58 || payload + 8 > end || !isIcmpError(bytes[payload], true)) return pair;
    }
    ipAt = payload + 8;
  }
  return pair;
}
