import type { Carrier } from '../core/carrier.ts';

/**
 * True when the checksum of a whole UDP datagram at `at` is wrong (RFC 768; RFC 8200 §8.1: 0 means none in IPv4 and is
 * wrong in IPv6). Addresses come from the carrier.
 */
export function isUdpChecksumWrong(
  carrier: Carrier,
  bytes: Uint8Array<ArrayBufferLike>,
  at: number,
  length: number,
): boolean {
  if ((bytes[at + 6] | bytes[at + 7]) === 0) return carrier.family === 6;
  let sum = 17 + length;
  sum += halves(carrier.source0) + halves(carrier.source1) + halves(carrier.source2) + halves(carrier.source3);
  sum += halves(carrier.destination0) + halves(carrier.destination1);
  sum += halves(carrier.destination2) + halves(carrier.destination3);
  const even = at + (length & ~1);
  for (let i = at; i < even; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  if ((length & 1) === 1) sum += bytes[even] << 8;
  // At most 65,535 bytes: two folds are enough.
  sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  sum = (sum & 0xffff) + (sum >>> 16);
  return sum !== 0xffff;
}

function halves(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}
