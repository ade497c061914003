// Keys are chosen by strangers: numbers they do not know keep them from choosing their slots.
const SEED = (Math.random() * 0x1_0000_0000) | 0;
const FACTOR = (Math.random() * 0x1_0000_0000) | 1;

/** Byte strings, numbered 0, 1, 2 … as they come; bounded by `capacity` keys. Emptied as a whole. */
export class ByteKeys {
  readonly capacity: number;
  size = 0;
  #index = new Int32Array(1 << 12);
  #arena = new Uint8Array(1 << 18);
  #used = 0;
  #at = new Uint32Array(1 << 10);
  #hashes = new Int32Array(1 << 10);

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get full(): boolean {
    return this.size >= this.capacity;
  }

  /** Number of the key `bytes[0, length)`: an old one, or `size` before the call when it came in now. */
  add(bytes: Uint8Array, length: number): number {
    let hash = SEED ^ length;
    for (let i = 0; i < length; i++) hash = Math.imul((hash << 7) ^ (hash >>> 15) ^ bytes[i], FACTOR);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
    hash ^= hash >>> 13;
    const mask = this.#index.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = this.#index[slot] - 1;
      if (entry < 0) break;
      if (this.#hashes[entry] === hash && this.#equals(entry, bytes, length)) return entry;
      slot = (slot + 1) & mask;
    }
    return this.#insert(slot, hash, bytes, length);
  }

  #equals(entry: number, bytes: Uint8Array, length: number): boolean {
    const from = this.#at[entry];
    if (this.#at[entry + 1] - from !== length) return false;
    const arena = this.#arena;
    for (let i = 0; i < length; i++) if (arena[from + i] !== bytes[i]) return false;
    return true;
  }

  #insert(slot: number, hash: number, bytes: Uint8Array, length: number): number {
    const entry = this.size++;
    if (entry + 2 > this.#at.length) {
      this.#at = wider(this.#at, new Uint32Array(this.#at.length * 2));
      this.#hashes = wider(this.#hashes, new Int32Array(this.#hashes.length * 2));
    }
    while (this.#used + length > this.#arena.length) {
      this.#arena = wider(this.#arena, new Uint8Array(this.#arena.length * 2));
    }
    this.#arena.set(bytes.subarray(0, length), this.#used);
    this.#at[entry] = this.#used;
    this.#used += length;
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

function wider<T extends Uint8Array | Uint32Array | Int32Array>(old: T, made: T): T {
  made.set(old);
  return made;
}
