const CHUNK_BITS = 16;
const CHUNK_WORDS = 1 << CHUNK_BITS;
const FIRST_ENTRIES = 256;
/** Words before the key in a record: hash, number of the entry, words of key (low half) and of record (high half). */
const HEADER = 3;
/** Slots of the index: where the record lies in the arena + 1, and above that some bits of its hash. */
const AT_BITS = 27;
const AT = (1 << AT_BITS) - 1;
/** Most words of an arena (512 MiB); a table is full when either this or its capacity is reached. */
const MAX_WORDS = AT - 2 * CHUNK_WORDS;
/** Entries a search may pass before it gives up: hashes are seeded, so only a broken table gets there. */
const MAX_PROBES = 256;
// Names are chosen by strangers; numbers they do not know keep them from choosing their slots too. A seed alone does not:
// with known factors, words can be built whose differences cancel whatever the seed (Aumasson, Bernstein, 2012).
const SEED = (Math.random() * 0x100000000) | 0;
const FACTOR_1 = (Math.random() * 0x100000000) | 1;
const FACTOR_2 = (Math.random() * 0x100000000) | 1;

/**
 * Byte keys, numbered 0, 1, 2 … as they come: open addressing over an arena, no allocation per look-up.
 *
 * A key is whole 32-bit words (pad bytes with 0; a key must tell its own length). Behind a key its record may hold
 * further words that are not compared. Owners keep columns of their own, indexed by entry number.
 */
export class KeyTable {
  readonly capacity: number;
  size = 0;
  /** Keys refused because the search for a slot took too long. */
  refused = 0;
  // A look-up touches two places: a slot here, and the record it points to. Hash bits in the slot spare wrong records.
  #index = new Int32Array(FIRST_ENTRIES * 2);
  #mask = FIRST_ENTRIES * 2 - 1;
  /** Where each entry's record (its header) lies. */
  #at = new Int32Array(FIRST_ENTRIES);
  #chunks: Int32Array[] = [new Int32Array(1024)];
  #end = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get full(): boolean {
    return this.size >= this.capacity || this.#end >= MAX_WORDS;
  }

  /** Entries there is room for before the columns grow: owners size theirs by it. */
  get room(): number {
    return this.#at.length;
  }

  /** Entry of the key in `key[0, words)`, −1 when it is not there. */
  find(key: Int32Array, words: number): number {
    const hash = hashWords(key, words);
    const index = this.#index;
    const mask = this.#mask;
    let i = hash & mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const slot = index[i];
      if (slot === 0) return -1;
      if (((slot ^ hash) & ~AT) === 0) {
        const at = (slot & AT) - 1;
        const chunk = this.#chunks[at >>> CHUNK_BITS];
        const record = at & (CHUNK_WORDS - 1);
        if (chunk[record] === hash && (chunk[record + 2] & 0xffff) === words) {
          const from = record + HEADER;
          let k = 0;
          while (k < words && chunk[from + k] === key[k]) k++;
          if (k === words) return chunk[record + 1];
        }
      }
      i = (i + 1) & mask;
    }
    return -1;
  }

  /**
   * Adds a key that is not there: its record is `key[0, total)`, of which the first `words` are compared. The entry, or
   * −1 when the key was refused. The caller has made sure that the table is not full.
   */
  insert(key: Int32Array, words: number, total: number = words): number {
    const entry = this.size;
    if (entry === this.room) this.#grow();
    const hash = hashWords(key, words);
    const at = this.#reserve(this.#end, HEADER + total);
    if (!this.#place(hash, at)) {
      this.refused++;
      return -1;
    }
    const chunk = this.#chunks[at >>> CHUNK_BITS];
    const record = at & (CHUNK_WORDS - 1);
    chunk[record] = hash;
    chunk[record + 1] = entry;
    chunk[record + 2] = words | (total << 16);
    for (let i = 0; i < total; i++) chunk[record + HEADER + i] = key[i];
    this.#at[entry] = at;
    this.#end = at + HEADER + total;
    this.size = entry + 1;
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
    if (number === this.#chunks.length) this.#chunks.push(new Int32Array(CHUNK_WORDS));
    const chunk = this.#chunks[number];
    const need = (at & (CHUNK_WORDS - 1)) + words;
    if (need > chunk.length) {
      // Only the first chunk starts small, so that little tables stay little.
      const wider = new Int32Array(Math.min(CHUNK_WORDS, Math.max(need, chunk.length * 4)));
      wider.set(chunk);
      this.#chunks[number] = wider;
    }
    return at;
  }

  #grow(): void {
    const length = this.room * 2;
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

  /** Words of entry's record: `array[from, from + total)`, of which the first `words` are the key. */
  record(entry: number): { array: Int32Array; from: number; words: number; total: number } {
    const at = this.#at[entry];
    const array = this.#chunks[at >>> CHUNK_BITS];
    const record = at & (CHUNK_WORDS - 1);
    const lengths = array[record + 2];
    return { array, from: record + HEADER, words: lengths & 0xffff, total: lengths >>> 16 };
  }

  /** Bytes of entry's record, a view. */
  bytes(entry: number): Uint8Array {
    const { array, from, total } = this.record(entry);
    return new Uint8Array(array.buffer, array.byteOffset + from * 4, total * 4);
  }

  /**
   * Keeps only the entries in `kept` (ascending), renumbers them 0, 1, 2 … in that order and gives their memory back.
   * Owners move their columns by the same list.
   */
  compact(kept: Uint32Array): void {
    let end = 0;
    for (let to = 0; to < kept.length; to++) {
      const from = this.#at[kept[to]];
      const source = this.#chunks[from >>> CHUNK_BITS];
      const start = from & (CHUNK_WORDS - 1);
      const length = HEADER + (source[start + 2] >>> 16);
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
    this.#chunks.length = (end >>> CHUNK_BITS) + 1;
    this.#reindex();
  }

  /** Plain value for another thread. */
  state(): KeyTableState {
    const n = this.size;
    return {
      capacity: this.capacity,
      refused: this.refused,
      at: this.#at.slice(0, n),
      chunks: this.#chunks,
      end: this.#end,
    };
  }

  static from(state: KeyTableState): KeyTable {
    const table = new KeyTable(state.capacity);
    const n = state.at.length;
    let length = FIRST_ENTRIES;
    while (length < n) length *= 2;
    table.#index = new Int32Array(length * 2);
    table.#mask = length * 2 - 1;
    table.#at = new Int32Array(length);
    table.#at.set(state.at);
    table.#chunks = state.chunks;
    table.#end = state.end;
    table.size = n;
    table.refused = state.refused;
    for (let entry = 0; entry < n; entry++) {
      const { array, from, words } = table.record(entry);
      // Hashes are seeded per thread, so they do not travel.
      array[from - HEADER] = hashWords(array.subarray(from, from + words), words);
    }
    table.#reindex();
    return table;
  }
}

export interface KeyTableState {
  capacity: number;
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

function hashWords(key: Int32Array, words: number): number {
  let h = SEED;
  for (let i = 0; i < words; i++) {
    let k = Math.imul(key[i] ^ SEED, FACTOR_1);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, FACTOR_2);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
