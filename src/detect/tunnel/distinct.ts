/** Slots to begin with, and the most. */
const FIRST_SLOTS = 32;
const MOST_SLOTS = 512;

// Who sends names knows how they are hashed elsewhere, and could make all of his look like one. Not with these numbers.
const SEED = (Math.random() * 0x100000000) | 0;
const FACTOR = (Math.random() * 0x100000000) | 1;
/** Bits that decide what a sample holds: of the open hash, so that a replay has the same sample. */
const SAMPLE_BITS = 0x3ff;

/** A hash of octets that nobody outside can foresee, but for its lowest bits: those are of `open`, a hash they know. */
export function secretHash(bytes: Uint8Array, at: number, end: number, open: number): number {
  let h = SEED;
  for (let i = at; i < end; i++) {
    h = Math.imul(h ^ bytes[i], FACTOR);
    h ^= h >>> 15;
  }
  return ((h & ~SAMPLE_BITS) | (open & SAMPLE_BITS)) >>> 0;
}

/**
 * Things told apart by a 32-bit hash, each with its size in bytes and who brought it: exact up to 384 of them, beyond
 * that a sample by hash (every second, fourth … one) from which the sums are estimated, about 5 % off. At most 3 kB.
 */
export class Distinct {
  /** Every 2^level-th is kept. */
  level = 0;
  size = 0;
  #hashes = new Uint32Array(FIRST_SLOTS);
  #sizes = new Uint8Array(FIRST_SLOTS);
  #owners = new Uint8Array(FIRST_SLOTS);

  /** How many there are for one that is kept. */
  get weight(): number {
    return 2 ** this.level;
  }

  /** Whether the sample holds such hashes at all. */
  isSampled(hash: number): boolean {
    return (hash & (this.weight - 1)) === 0;
  }

  /** Slot of a hash, −1 when it is not there. */
  find(hash: number): number {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    const wanted = hash === 0 ? 1 : hash;
    for (let i = (wanted >>> 16) & mask; ; i = (i + 1) & mask) {
      if (hashes[i] === wanted) return i;
      if (hashes[i] === 0) return -1;
    }
  }

  /** Keeps a hash that is not there. `bytes` ≤ 255. */
  insert(hash: number, bytes: number, owner: number): void {
    if (this.size >= this.#hashes.length * 0.75) this.#makeRoom();
    if (!this.isSampled(hash)) return;
    this.#put(hash === 0 ? 1 : hash, bytes, owner);
    this.size++;
  }

  ownerAt(slot: number): number {
    return this.#owners[slot];
  }

  sizeAt(slot: number): number {
    return this.#sizes[slot];
  }

  setOwner(slot: number, owner: number): void {
    this.#owners[slot] = owner;
  }

  /** Adds the bytes of each owner to `into`, by its number. */
  sumByOwner(into: Float64Array): void {
    const hashes = this.#hashes;
    const { weight } = this;
    for (let i = 0; i < hashes.length; i++) if (hashes[i] !== 0) into[this.#owners[i]] += this.#sizes[i] * weight;
  }

  #put(hash: number, bytes: number, owner: number): void {
    const mask = this.#hashes.length - 1;
    let i = (hash >>> 16) & mask;
    while (this.#hashes[i] !== 0) i = (i + 1) & mask;
    this.#hashes[i] = hash;
    this.#sizes[i] = bytes;
    this.#owners[i] = owner;
  }

  #makeRoom(): void {
    const [hashes, sizes, owners] = [this.#hashes, this.#sizes, this.#owners];
    const slots = Math.min(MOST_SLOTS, hashes.length * 2);
    if (slots === hashes.length) this.level++;
    this.#hashes = new Uint32Array(slots);
    this.#sizes = new Uint8Array(slots);
    this.#owners = new Uint8Array(slots);
    this.size = 0;
    for (let i = 0; i < hashes.length; i++) {
      if (hashes[i] === 0 || !this.isSampled(hashes[i])) continue;
      this.#put(hashes[i], sizes[i], owners[i]);
      this.size++;
    }
  }
}
