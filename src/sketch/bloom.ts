/** Bits of a value, and how many of all are looked at: one of 120 values that are not there is taken to be there. */
const BITS = 10;
const LOOKS = 6;

/** A Bloom filter of different 32-bit hashes, which are spread well, as octets. */
export function bloomOf(hashes: Int32Array): Uint8Array {
  const octets = new Uint8Array(Math.max(1, Math.ceil((hashes.length * BITS) / 8)));
  const size = octets.length * 8;
  for (let i = 0; i < hashes.length; i++) {
    const step = stepOf(hashes[i]);
    for (let k = 0, at = hashes[i] >>> 1; k < LOOKS; k++, at = (at + step) & 0x7fff_ffff) {
      const bit = at % size;
      octets[bit >>> 3] |= 1 << (bit & 7);
    }
  }
  return octets;
}

/** False: the hash is not among those of the filter. */
export function bloomHas(octets: Uint8Array, hash: number): boolean {
  const size = octets.length * 8;
  const step = stepOf(hash);
  for (let k = 0, at = hash >>> 1; k < LOOKS; k++, at = (at + step) & 0x7fff_ffff) {
    const bit = at % size;
    if ((octets[bit >>> 3] & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

/** The second of two hashes that all looks are made of: 31 bits, which divide faster than 32. */
function stepOf(hash: number): number {
  return (Math.imul(hash ^ (hash >>> 16), 0x9e37_79b1) >>> 1) | 1;
}
