/** Slots found by a key of some 32-bit words, in lists ordered by age: connections, datagrams in fragments. */
export class SlotTable {
  /** The key that `find` looks for and `insert` stores: filled by the caller. */
  readonly key: Int32Array;
  /** Most slots. */
  readonly limit: number;
  /** Slots in use, and slots that exist: columns beside the table need this many places. */
  count = 0;
  capacity = 64;
  // Collisions cannot be prepared from outside: with a known factor differences would cancel whatever the seed.
  readonly #seed = (Math.random() * 0x1_0000_0000) | 0;
  readonly #factor = (Math.random() * 0x1_0000_0000) | 1;
  #keys: Int32Array;
  #buckets = new Int32Array(128).fill(-1);
  #chain = new Int32Array(64);
  #hash = new Int32Array(64);
  #newer = new Int32Array(64);
  #older = new Int32Array(64);
  #list = new Uint8Array(64);
  readonly #newest: Int32Array;
  readonly #oldest: Int32Array;
  #free = -1;
  #fresh = 0;

  constructor(words: number, limit: number, lists = 1) {
    this.key = new Int32Array(words);
    this.limit = Math.max(1, limit);
    this.#keys = new Int32Array(64 * words);
    this.#newest = new Int32Array(lists).fill(-1);
    this.#oldest = new Int32Array(lists).fill(-1);
  }

  /** Slot of `key`, −1 without. */
  find(): number {
    const words = this.key.length;
    const hash = this.#hashKey();
    let slot = this.#buckets[hash & (this.#buckets.length - 1)];
    while (slot >= 0) {
      if (this.#hash[slot] === hash) {
        const from = slot * words;
        let i = 0;
        while (i < words && this.#keys[from + i] === this.key[i]) i++;
        if (i === words) return slot;
      }
      slot = this.#chain[slot];
    }
    return -1;
  }

  /** A slot for `key`, newest of a list. The caller has seen that it is absent and that `count < limit`. */
  insert(list = 0): number {
    let slot = this.#free;
    if (slot >= 0) this.#free = this.#chain[slot];
    else {
      if (this.#fresh === this.capacity) this.#grow();
      slot = this.#fresh++;
    }
    this.#keys.set(this.key, slot * this.key.length);
    const hash = this.#hashKey();
    this.#hash[slot] = hash;
    this.#link(slot);
    this.#append(slot, list);
    this.count++;
    return slot;
  }

  remove(slot: number): void {
    const bucket = this.#hash[slot] & (this.#buckets.length - 1);
    let at = this.#buckets[bucket];
    if (at === slot) this.#buckets[bucket] = this.#chain[slot];
    else {
      while (this.#chain[at] !== slot) at = this.#chain[at];
      this.#chain[at] = this.#chain[slot];
    }
    this.#detach(slot);
    this.#chain[slot] = this.#free;
    this.#free = slot;
    this.count--;
  }

  /** Makes a slot the newest of a list. */
  move(slot: number, list = 0): void {
    if (this.#newest[list] === slot) return;
    this.#detach(slot);
    this.#append(slot, list);
  }

  /** The oldest slot of a list, −1 when it is empty. */
  oldest(list = 0): number {
    return this.#oldest[list];
  }

  #hashKey(): number {
    const { key } = this;
    const factor = this.#factor;
    let h = this.#seed;
    for (let i = 0; i < key.length; i++) {
      h = Math.imul(h ^ key[i], factor);
      h ^= h >>> 15;
    }
    h = Math.imul(h, 0xc2b2ae35);
    return h ^ (h >>> 16);
  }

  #link(slot: number): void {
    const bucket = this.#hash[slot] & (this.#buckets.length - 1);
    this.#chain[slot] = this.#buckets[bucket];
    this.#buckets[bucket] = slot;
  }

  #append(slot: number, list: number): void {
    const newest = this.#newest[list];
    this.#list[slot] = list;
    this.#older[slot] = newest;
    this.#newer[slot] = -1;
    if (newest >= 0) this.#newer[newest] = slot;
    else this.#oldest[list] = slot;
    this.#newest[list] = slot;
  }

  #detach(slot: number): void {
    const list = this.#list[slot];
    const newer = this.#newer[slot];
    const older = this.#older[slot];
    if (newer >= 0) this.#older[newer] = older;
    else this.#newest[list] = older;
    if (older >= 0) this.#newer[older] = newer;
    else this.#oldest[list] = newer;
  }

  #grow(): void {
    const capacity = this.capacity * 2;
    this.#keys = widened(this.#keys, capacity * this.key.length);
    this.#chain = widened(this.#chain, capacity);
    this.#hash = widened(this.#hash, capacity);
    this.#newer = widened(this.#newer, capacity);
    this.#older = widened(this.#older, capacity);
    const list = new Uint8Array(capacity);
    list.set(this.#list);
    this.#list = list;
    this.#buckets = new Int32Array(capacity * 2).fill(-1);
    this.capacity = capacity;
    // All slots are in use when the table grows.
    for (let slot = 0; slot < this.#fresh; slot++) this.#link(slot);
  }
}

function widened(old: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(length);
  wider.set(old);
  return wider;
}
