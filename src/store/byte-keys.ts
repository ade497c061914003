// Keys are chosen by strangers: numbers they do not know keep them from choosing their slots.
const SEED = (Math.random() * 0x1_0000_0000) | 0;
const FACTOR = (Math.random() * 0x1_0000_0000) | 1;

/**
 * Keys of whole words, numbered 0, 1, 2 … as they come; bounded by `capacity` keys, emptied as a whole. Octets are padded
 * with zeros, so a key must tell its own length.
 */
export class ByteKeys {
  readonly capacity: number;
  size = 0;
  #index = new Int32Array(1 << 12);
  #arena = new Int32Array(1 << 16);
  #used = 0;
  #at = new Uint32Array(1 << 10);
  #hashes = new Int32Array(1 << 10);

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get full(): boolean {
    return this.size >= this.capacity;
  }

  /** Number of the key `key[0, words)`: an old one, or `size` before the call when it came in now. */
  add(key: Int32Array, words: number): number {
    let hash = SEED;
    for (let i = 0; i < words; i++) {
      hash = Math.imul(hash ^ key[i], FACTOR);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x85eb_ca6b);
    hash ^= hash >>> 13;
    const mask = this.#index.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = this.#index[slot] - 1;
      if (entry < 0) break;
      if (this.#hashes[entry] === hash && this.#equals(entry, key, words)) return entry;
      slot = (slot + 1) & mask;
    }
    return this.#insert(slot, hash, key, words);
  }

  #equals(entry: number, key: Int32Array, words: number): boolean {
    const from = this.#at[entry];
    if (this.#at[entry + 1] - from !== words) return false;
    const arena = this.#arena;
    for (let i = 0; i < words; i++) if (arena[from + i] !== key[i]) return false;
    return true;
  }

  #insert(slot: number, hash: number, key: Int32Array, words: number): number {
    const entry = this.size++;
    if (entry + 2 > this.#at.length) {
      this.#at = wider(this.#at, new Uint32Array(this.#at.length * 2));
      this.#hashes = wider(this.#hashes, new Int32Array(this.#hashes.length * 2));
    }
    while (this.#used + words > this.#arena.length) {
      this.#arena = wider(this.#arena, new Int32Array(this.#arena.length * 2));
    }
    for (let i = 0; i < words; i++) this.#arena[this.#used + i] = key[i];
    this.#at[entry] = this.#used;
    this.#used += words;
    this.#at[entry + 1] = this.#used;
    this.#hashes[entry] = hash;
    this.#index[slot] = entry + 1;
    if (this.size * 2 > this.#index.length) this.#grow();
    return entry;
  }

  #grow(): void {
    this.#index = new Int32Array(this.#index.length * 4);
    const mask = this.#index.length - 1;
    for (let entry = 0; entry < this.size; entry++) {
      let slot = this.#hashes[entry] & mask;
      while (this.#index[slot] !== 0) slot = (slot + 1) & mask;
      this.#index[slot] = entry + 1;
    }
  }
}

function wider<T extends Uint32Array | Int32Array>(old: T, made: T): T {
  made.set(old);
  return made;
}
