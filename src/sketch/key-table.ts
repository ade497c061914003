const CHUNK_BITS = 16;
const CHUNK_WORDS = 1 << CHUNK_BITS;
const FIRST_ENTRIES = 256;
/** Words before everything else in a record: hash, number of the entry, words of key (low half) and of record (high half). */
const HEADER = 3;
/** Slots of the index: where the record lies in the arena + 1, and above that some bits of its hash. */
const AT_BITS = 27;
const AT = (1 << AT_BITS) - 1;
/** Most words of an arena (512 MiB); a table is full when either this or its capacity is reached. */
const MAX_WORDS = AT - 2 * CHUNK_WORDS;
/** Entries a search may pass before it gives up: hashes are seeded, so only a broken table gets there. */
const MAX_PROBES = 256;
/** Words of a cache line. */
const LINE = 16;
// Names are chosen by strangers; numbers they do not know keep them from choosing their slots too. A seed alone does not:
// with known factors, words can be built whose differences cancel whatever the seed (Aumasson, Bernstein, 2012).
const SEED = (Math.random() * 0x100000000) | 0;
const FACTOR_1 = (Math.random() * 0x100000000) | 1;
const FACTOR_2 = (Math.random() * 0x100000000) | 1;

/** Numbers that an owner keeps with every key. */
export interface RecordShape {
  /** 32-bit words. */
  ints?: number;
  doubles?: number;
}

/**
 * Byte keys, numbered 0, 1, 2 … as they come, each with numbers of its owner's: open addressing over an arena, no
 * allocation per look-up.
 *
 * A key is whole 32-bit words (pad bytes with 0; a key must tell its own length). What belongs to a key lies side by
 * side in one record, numbers first, so that a look-up touches two places in memory: a slot of the index, and the record.
 * `find`, `insert` and `seek` leave the record at hand: `words[int + k]` and `doubles[double + k]` are its numbers.
 */
export class KeyTable {
  readonly capacity: number;
  readonly shape: Required<RecordShape>;
  size = 0;
  /** Keys refused because the search for a slot took too long. */
  refused = 0;
  /** The record at hand: its memory as words and as doubles, where its numbers begin, and where it lies (`seekAt`). */
  words: Int32Array;
  doubles: Float64Array;
  int = 0;
  double = 0;
  at = 0;
  // Hash bits in the slot spare wrong records.
  #index = new Int32Array(FIRST_ENTRIES * 2);
  #mask = FIRST_ENTRIES * 2 - 1;
  /** Where each entry's record (its header) lies. */
  #at = new Int32Array(FIRST_ENTRIES);
  #chunks: Int32Array[];
  /** The same memory. */
  #doubles: Float64Array[];
  #end = 0;
  readonly #doublesAt: number;
  readonly #keyAt: number;
  #slots = new Int32Array(0);
  /** Keeps the reads of `touch` from being left out. */
  touched = 0;

  constructor(capacity: number, { ints = 0, doubles = 0 }: RecordShape = {}) {
    this.capacity = capacity;
    this.shape = { ints, doubles };
    this.#doublesAt = (HEADER + ints + 1) & ~1;
    this.#keyAt = doubles === 0 ? HEADER + ints : this.#doublesAt + 2 * doubles;
    this.words = new Int32Array(1024);
    this.doubles = new Float64Array(this.words.buffer);
    this.#chunks = [this.words];
    this.#doubles = [this.doubles];
  }

  get full(): boolean {
    return this.size >= this.capacity || this.#end >= MAX_WORDS;
  }

  /** Entry of the key in `key[at, at + words)`, −1 when it is not there. `hash` is its `hashOf`. */
  find(key: Int32Array, at: number, words: number, hash: number = hashOf(key, at, words)): number {
    const index = this.#index;
    const mask = this.#mask;
    let i = hash & mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const slot = index[i];
      if (slot === 0) return -1;
      if (((slot ^ hash) & ~AT) === 0) {
        const address = (slot & AT) - 1;
        const chunk = this.#chunks[address >>> CHUNK_BITS];
        const record = address & (CHUNK_WORDS - 1);
        if (chunk[record] === hash && (chunk[record + 2] & 0xffff) === words) {
          const from = record + this.#keyAt;
          let k = 0;
          while (k < words && chunk[from + k] === key[at + k]) k++;
          if (k === words) {
            this.#take(address);
            return chunk[record + 1];
          }
        }
      }
      i = (i + 1) & mask;
    }
    return -1;
  }

  /** As `find`, for who guesses that this key came in right behind the one at hand: cheaper, −1 when it did not. */
  findNext(key: Int32Array, at: number, words: number): number {
    const entry = this.words[this.int - HEADER + 1] + 1;
    if (entry >= this.size) return -1;
    const address = this.#at[entry];
    const chunk = this.#chunks[address >>> CHUNK_BITS];
    const record = address & (CHUNK_WORDS - 1);
    if ((chunk[record + 2] & 0xffff) !== words) return -1;
    // What tells neighbours apart lies at the end of their keys.
    const from = record + this.#keyAt;
    let k = words - 1;
    while (k >= 0 && chunk[from + k] === key[at + k]) k--;
    if (k >= 0) return -1;
    this.#take(address);
    return entry;
  }

  /** Takes the record of an entry at hand. */
  seek(entry: number): void {
    this.#take(this.#at[entry]);
  }

  /** Takes the record at hand that lies at `address` (an earlier `at`; no longer valid after `compact`). */
  seekAt(address: number): void {
    this.#take(address);
  }

  #take(address: number): void {
    const number = address >>> CHUNK_BITS;
    const record = address & (CHUNK_WORDS - 1);
    this.at = address;
    this.words = this.#chunks[number];
    this.doubles = this.#doubles[number];
    this.int = record + HEADER;
    this.double = (record + this.#doublesAt) >> 1;
  }

  /**
   * Reads what look-ups of `hashes[from, to)` will read: many reads in a row wait for the memory together, not one after
   * the other. `ints`, when given, receives the first int of the record each will probably find (without ints: its entry).
   */
  touch(hashes: Int32Array, from: number, to: number, ints?: Int32Array): void {
    if (this.#slots.length < to) this.#slots = new Int32Array(to);
    const slots = this.#slots;
    const index = this.#index;
    const mask = this.#mask;
    const chunks = this.#chunks;
    const wanted = this.shape.ints > 0 ? HEADER : 1;
    for (let i = from; i < to; i++) slots[i] = index[hashes[i] & mask] & AT;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const address = slots[i] - 1;
      if (address < 0) continue;
      const chunk = chunks[address >>> CHUNK_BITS];
      const record = address & (CHUNK_WORDS - 1);
      sum ^= chunk[(record + LINE) & (chunk.length - 1)];
      slots[i] = chunk[record + wanted];
    }
    this.touched = sum;
    if (ints !== undefined) for (let i = from; i < to; i++) ints[i] = slots[i];
  }

  /** The same for records whose addresses + 1 are in `plusOne[from, to)`; what is no address is passed over. */
  touchAt(plusOne: Int32Array, from: number, to: number): void {
    const chunks = this.#chunks;
    const end = this.#end;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const address = plusOne[i] - 1;
      if (address < 0 || address >= end) continue;
      const chunk = chunks[address >>> CHUNK_BITS];
      const record = address & (CHUNK_WORDS - 1);
      sum ^= chunk[record & (chunk.length - 1)] ^ chunk[(record + LINE) & (chunk.length - 1)];
    }
    this.touched = sum;
  }

  /**
   * Adds a key that is not there; its numbers are zeros. The entry, or −1 when the key was refused. The caller has made
   * sure that the table is not full.
   */
  insert(key: Int32Array, at: number, words: number, hash: number = hashOf(key, at, words)): number {
    const entry = this.size;
    if (entry === this.#at.length) this.#grow();
    const total = (this.#keyAt + words + 1) & ~1;
    const address = this.#reserve(this.#end, total);
    if (!this.#place(hash, address)) {
      this.refused++;
      return -1;
    }
    const chunk = this.#chunks[address >>> CHUNK_BITS];
    const record = address & (CHUNK_WORDS - 1);
    const keyAt = record + this.#keyAt;
    chunk[record] = hash;
    chunk[record + 1] = entry;
    chunk[record + 2] = words | (total << 16);
    // What lay here before a compaction is still there.
    for (let i = record + HEADER; i < keyAt; i++) chunk[i] = 0;
    for (let i = 0; i < words; i++) chunk[keyAt + i] = key[at + i];
    this.#at[entry] = address;
    this.#end = address + total;
    this.size = entry + 1;
    this.#take(address);
    return entry;
  }

  #place(hash: number, at: number): boolean {
    const mask = this.#mask;
    let i = hash & mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      if (this.#index[i] === 0) {
        this.#index[i] = (hash & ~AT) | (at + 1);
        return true;
      }
      i = (i + 1) & mask;
    }
    return false;
  }

  /** Where `words` words fit behind `end`: a record never straddles two chunks. */
  #reserve(end: number, words: number): number {
    let at = end;
    if ((at & (CHUNK_WORDS - 1)) + words > CHUNK_WORDS) at = ((at >>> CHUNK_BITS) + 1) << CHUNK_BITS;
    const number = at >>> CHUNK_BITS;
    if (number === this.#chunks.length) this.#setChunk(number, new Int32Array(CHUNK_WORDS));
    const chunk = this.#chunks[number];
    const need = (at & (CHUNK_WORDS - 1)) + words;
    if (need > chunk.length) {
      // Only the first chunk starts small, so that little tables stay little.
      const wider = new Int32Array(Math.min(CHUNK_WORDS, 1 << Math.ceil(Math.log2(Math.max(need, chunk.length * 4)))));
      wider.set(chunk);
      this.#setChunk(number, wider);
    }
    return at;
  }

  #setChunk(number: number, chunk: Int32Array): void {
    this.#chunks[number] = chunk;
    this.#doubles[number] = new Float64Array(chunk.buffer, chunk.byteOffset, chunk.length >> 1);
  }

  #grow(): void {
    const length = this.#at.length * 2;
    const wider = new Int32Array(length);
    wider.set(this.#at);
    this.#at = wider;
    this.#index = new Int32Array(length * 2);
    this.#mask = length * 2 - 1;
    this.#reindex();
  }

  #reindex(): void {
    this.#index.fill(0);
    for (let entry = 0; entry < this.size; entry++) {
      const at = this.#at[entry];
      this.#place(this.#chunks[at >>> CHUNK_BITS][at & (CHUNK_WORDS - 1)], at);
    }
  }

  /** Words of entry's key: `array[from, from + words)`. */
  key(entry: number): { array: Int32Array; from: number; words: number } {
    const at = this.#at[entry];
    const array = this.#chunks[at >>> CHUNK_BITS];
    const record = at & (CHUNK_WORDS - 1);
    return { array, from: record + this.#keyAt, words: array[record + 2] & 0xffff };
  }

  /** Bytes of entry's key, a view. */
  bytes(entry: number): Uint8Array {
    const { array, from, words } = this.key(entry);
    return new Uint8Array(array.buffer, array.byteOffset + from * 4, words * 4);
  }

  /** The numbers of entry's record: its doubles, a view. */
  numbers(entry: number): Float64Array {
    const at = this.#at[entry];
    const from = ((at & (CHUNK_WORDS - 1)) + this.#doublesAt) >> 1;
    return this.#doubles[at >>> CHUNK_BITS].subarray(from, from + this.shape.doubles);
  }

  /**
   * Keeps only the entries in `kept` (ascending), renumbers them 0, 1, 2 … in that order and gives their memory back.
   * Records move with their numbers; owners of further columns move theirs by the same list.
   */
  compact(kept: Uint32Array): void {
    let end = 0;
    for (let to = 0; to < kept.length; to++) {
      const from = this.#at[kept[to]];
      const source = this.#chunks[from >>> CHUNK_BITS];
      const start = from & (CHUNK_WORDS - 1);
      const length = source[start + 2] >>> 16;
      const at = this.#reserve(end, length);
      const target = this.#chunks[at >>> CHUNK_BITS];
      const record = at & (CHUNK_WORDS - 1);
      // Records only ever move towards the front, so this may run in place.
      target.set(source.subarray(start, start + length), record);
      target[record + 1] = to;
      this.#at[to] = at;
      end = at + length;
    }
    this.size = kept.length;
    this.#end = end;
    this.#chunks.length = this.#doubles.length = (end >>> CHUNK_BITS) + 1;
    this.#reindex();
  }

  /** Gives its memory back now, not when a collector comes by; it is not asked any more. */
  free(): void {
    for (const { buffer } of [...this.#chunks, this.#index, this.#at]) {
      if (buffer instanceof ArrayBuffer && buffer.byteLength > 0) buffer.transfer(0);
    }
    this.#chunks = [];
    this.#doubles = [];
    this.size = 0;
  }

  /** Plain value for another thread. */
  state(): KeyTableState {
    return {
      capacity: this.capacity,
      shape: this.shape,
      refused: this.refused,
      at: this.#at.slice(0, this.size),
      chunks: this.#chunks,
      end: this.#end,
    };
  }

  static from(state: KeyTableState): KeyTable {
    const table = new KeyTable(state.capacity, state.shape);
    const n = state.at.length;
    let length = FIRST_ENTRIES;
    while (length < n) length *= 2;
    table.#index = new Int32Array(length * 2);
    table.#mask = length * 2 - 1;
    table.#at = new Int32Array(length);
    table.#at.set(state.at);
    table.#chunks = [];
    table.#doubles = [];
    state.chunks.forEach((chunk, number) => table.#setChunk(number, chunk));
    table.#end = state.end;
    table.size = n;
    table.refused = state.refused;
    for (let entry = 0; entry < n; entry++) {
      const { array, from, words } = table.key(entry);
      // Hashes are seeded per thread, so they do not travel.
      array[from - table.#keyAt] = hashOf(array, from, words);
    }
    table.#reindex();
    return table;
  }
}

export interface KeyTableState {
  capacity: number;
  shape: RecordShape;
  refused: number;
  at: Int32Array;
  chunks: Int32Array[];
  end: number;
}

/** Order of two keys by their bytes. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** The hash by which tables look up the key in `key[at, at + words)`; another one in every thread. */
export function hashOf(key: Int32Array, at: number, words: number): number {
  return hashEnd(hashMore(SEED, key, at, words));
}

/** `hashOf` in pieces, for keys that begin alike: the state behind some words, 0 words → `hashStart`. */
export const hashStart = SEED;
export function hashMore(state: number, key: Int32Array, at: number, words: number): number {
  let h = state;
  for (let i = at, end = at + words; i < end; i++) {
    let k = Math.imul(key[i] ^ SEED, FACTOR_1);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, FACTOR_2);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  return h;
}

/** The hash that belongs to a state. */
export function hashEnd(state: number): number {
  let h = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
