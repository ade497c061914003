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
