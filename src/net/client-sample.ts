import type { Carrier } from '../core/carrier.ts';
import { DNS_KIND, NBNS_KIND } from './ports.ts';

/** Every client: no hash is above it. */
export const ALL_CLIENTS = 0x1_0000_0000;

/**
 * Whether the client of a datagram or segment is among those whose hash is below `limit`: all that it asks, all that
 * it is answered. The client is the end that is not the DNS port; where both are, or none is, both ends together
 * count as one. Who is in at one limit is in at every higher one.
 *
 * @param kinds kind by port (ports.ts), of the carrier's transport.
 */
export function isInSample(carrier: Carrier, kinds: Uint8Array, limit: number): boolean {
  const fromServer = isServed(kinds[carrier.sourcePort]);
  const toServer = isServed(kinds[carrier.destinationPort]);
  if (toServer && !fromServer) return finish(sourceHash(carrier)) < limit;
  if (fromServer && !toServer) return finish(destinationHash(carrier)) < limit;
  return finish(sourceHash(carrier) ^ destinationHash(carrier)) < limit;
}

function isServed(kind: number): boolean {
  return kind >= DNS_KIND && kind <= NBNS_KIND;
}

function sourceHash({ source0, source1, source2, source3 }: Carrier): number {
  return step(step(step(step(0, source0), source1), source2), source3);
}

function destinationHash({ destination0, destination1, destination2, destination3 }: Carrier): number {
  return step(step(step(step(0, destination0), destination1), destination2), destination3);
}

function step(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}

/** Spreads every bit over the word (MurmurHash3's end). */
function finish(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
