/** Bits of a value, and how many of all are looked at: one of 120 values that are not there is taken to be there. */
const BITS = 10;
const LOOKS = 6;

/** A Bloom filter of different 32-bit hashes, which are spread well, as octets. */
export function bloomOf(hashes: Iterable<number>, count: number): Uint8Array {
  const octets = new Uint8Array(Math.max(1, Math.ceil((count * BITS) / 8)));
  const size = octets.length * 8;
  for (const hash of hashes) {
    const step = stepOf(hash);
    for (let k = 0, at = hash >>> 0; k < LOOKS; k++, at = (at + step) >>> 0) {
      octets[(at % size) >>> 3] |= 1 << ((at % size) & 7);
    }
  }
  return octets;
}

/** False: the hash is not among those of the filter. */
export function bloomHas(octets: Uint8Array, hash: number): boolean {
  const size = octets.length * 8;
  const step = stepOf(hash);
  for (let k = 0, at = hash >>> 0; k < LOOKS; k++, at = (at + step) >>> 0) {
    if ((octets[(at % size) >>> 3] & (1 << ((at % size) & 7))) === 0) return false;
  }
  return true;
}

/** The second of two hashes that all looks are made of. */
function stepOf(hash: number): number {
  return Math.imul(hash ^ (hash >>> 16), 0x9e37_79b1) | 1;
}
