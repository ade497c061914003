import type { Carrier } from '../core/carrier.ts';

const SLOTS = 1 << 16;

/**
 * Which queries were seen whose responses may still come, as fingerprints of both ends, id and question. The oldest
 * give way when a slot is taken again: then a query may be told twice, never lost.
 */
export class QueryMemory {
  readonly #slots = new Uint32Array(SLOTS);

  /** The carrier's addresses are the query's. */
  remember(carrier: Carrier, bytes: Uint8Array, at: number, length: number): void {
    const print = fingerprint(carrier, bytes, at, length);
    this.#slots[print & (SLOTS - 1)] = print;
  }

  /** True when the query was seen; it is forgotten then. */
  forget(carrier: Carrier, bytes: Uint8Array, at: number, length: number): boolean {
    const print = fingerprint(carrier, bytes, at, length);
    const slot = print & (SLOTS - 1);
    if (this.#slots[slot] !== print) return false;
    this.#slots[slot] = 0;
    return true;
  }
}

/** Never 0. Ports and addresses, id, and the question's octets folded to lower case. */
function fingerprint(c: Carrier, bytes: Uint8Array, at: number, length: number): number {
  let hash = mix(c.source0 ^ c.source3, c.source1 ^ c.source2);
  hash = mix(hash, c.destination0 ^ c.destination3);
  hash = mix(hash, c.destination1 ^ c.destination2);
  hash = mix(hash, (c.sourcePort << 16) | c.destinationPort);
  if (length >= 2) hash = mix(hash, (bytes[at] << 8) | bytes[at + 1]);
  let octet = at + 12;
  const end = at + length;
  while (octet < end && bytes[octet] !== 0) {
    const upper = bytes[octet] >= 0x41 && bytes[octet] <= 0x5a;
    hash = mix(hash, upper ? bytes[octet] | 0x20 : bytes[octet]);
    octet++;
  }
  if (end - octet >= 5) hash = mix(hash, (bytes[octet + 1] << 8) | bytes[octet + 2]);
  return hash >>> 0 === 0 ? 1 : hash >>> 0;
}

function mix(hash: number, value: number): number {
  let h = Math.imul(hash ^ value, 0x9e3779b1);
  h ^= h >>> 15;
  h = Math.imul(h, 0x85ebca77);
  return h ^ (h >>> 13);
}
