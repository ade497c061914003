const CHUNK_BITS = 16;
const CHUNK_WORDS = 1 << CHUNK_BITS;
const FIRST_ENTRIES = 256;
const META = 4;
const ENTRY_BITS = 22;
const ENTRY = (1 << ENTRY_BITS) - 1;
/** Most entries a table can hold: 4,194,302. */
export const MAX_ENTRIES = ENTRY - 1;
/** Entries a search may pass before it gives up: hashes are seeded, so only a broken table gets there. */
const MAX_PROBES = 256;
// Names are chosen by strangers; a seed they do not know keeps them from choosing their slots too.
const SEED = (Math.random() * 0x100000000) | 0;

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
  // Slots: number of the entry + 1 in the low bits, some bits of its hash above, so that a wrong entry costs no look.
  #index = new Int32Array(FIRST_ENTRIES * 2);
  #mask = FIRST_ENTRIES * 2 - 1;
  // Per entry side by side, to be fetched together: hash, where its record lies, words of key and of record.
  #meta = new Int32Array(FIRST_ENTRIES * META);
  #chunks: Int32Array[] = [new Int32Array(1024)];
  #end = 0;

  constructor(capacity: number) {
    this.capacity = Math.min(capacity, MAX_ENTRIES);
  }

  get full(): boolean {
    return this.size >= this.capacity;
  }

  /** Entries there is room for before the columns grow: owners size theirs by it. */
  get room(): number {
    return this.#meta.length / META;
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
      if (((slot ^ hash) & ~ENTRY) === 0) {
        const entry = (slot & ENTRY) - 1;
        if (this.#equal(entry, hash, key, words)) return entry;
      }
      i = (i + 1) & mask;
    }
    return -1;
  }

  #equal(entry: number, hash: number, key: Int32Array, words: number): boolean {
    const meta = this.#meta;
    const m = entry * META;
    if (meta[m] !== hash || meta[m + 2] !== words) return false;
    const at = meta[m + 1];
    const chunk = this.#chunks[at >>> CHUNK_BITS];
    const from = at & (CHUNK_WORDS - 1);
    for (let i = 0; i < words; i++) if (chunk[from + i] !== key[i]) return false;
    return true;
  }

  /**
   * Adds a key that is not there: its record is `key[0, total)`, of which the first `words` are compared. The entry, or
   * −1 when the key was refused. The caller has made sure that the table is not full.
   */
  insert(key: Int32Array, words: number, total: number = words): number {
    const entry = this.size;
    if (entry === this.room) this.#grow();
    const hash = hashWords(key, words);
    if (!this.#place(hash, entry)) {
      this.refused++;
      return -1;
    }
    const at = this.#reserve(this.#end, total);
    this.#setMeta(entry, hash, at, words, total);
    const chunk = this.#chunks[at >>> CHUNK_BITS];
    const from = at & (CHUNK_WORDS - 1);
    for (let i = 0; i < total; i++) chunk[from + i] = key[i];
    this.#end = at + total;
    this.size = entry + 1;
    return entry;
  }

  #setMeta(entry: number, hash: number, at: number, words: number, total: number): void {
    const m = entry * META;
    this.#meta[m] = hash;
    this.#meta[m + 1] = at;
    this.#meta[m + 2] = words;
    this.#meta[m + 3] = total;
  }

  #place(hash: number, entry: number): boolean {
    const mask = this.#mask;
    let i = hash & mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      if (this.#index[i] === 0) {
        this.#index[i] = (hash & ~ENTRY) | (entry + 1);
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
    const wider = new Int32Array(length * META);
    wider.set(this.#meta);
    this.#meta = wider;
    this.#index = new Int32Array(length * 2);
    this.#mask = length * 2 - 1;
    this.#reindex();
  }

  #reindex(): void {
    this.#index.fill(0);
    for (let entry = 0; entry < this.size; entry++) this.#place(this.#meta[entry * META], entry);
  }

  /** Words of entry's record: `array[from, from + total)`, of which the first `words` are the key. */
  record(entry: number): { array: Int32Array; from: number; words: number; total: number } {
    const m = entry * META;
    const at = this.#meta[m + 1];
    return {
      array: this.#chunks[at >>> CHUNK_BITS],
      from: at & (CHUNK_WORDS - 1),
      words: this.#meta[m + 2],
      total: this.#meta[m + 3],
    };
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
      const m = kept[to] * META;
      const from = this.#meta[m + 1];
      const total = this.#meta[m + 3];
      const at = this.#reserve(end, total);
      const source = this.#chunks[from >>> CHUNK_BITS];
      const start = from & (CHUNK_WORDS - 1);
      const target = this.#chunks[at >>> CHUNK_BITS];
      // Records only ever move towards the front, so this may run in place.
      target.set(source.subarray(start, start + total), at & (CHUNK_WORDS - 1));
      this.#setMeta(to, this.#meta[m], at, this.#meta[m + 2], total);
      end = at + total;
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
      meta: this.#meta.slice(0, n * META),
      chunks: this.#chunks,
      end: this.#end,
    };
  }

  static from(state: KeyTableState): KeyTable {
    const table = new KeyTable(state.capacity);
    const n = state.meta.length / META;
    let length = FIRST_ENTRIES;
    while (length < n) length *= 2;
    table.#index = new Int32Array(length * 2);
    table.#mask = length * 2 - 1;
    table.#meta = new Int32Array(length * META);
    table.#meta.set(state.meta);
    table.#chunks = state.chunks;
    table.#end = state.end;
    table.size = n;
    table.refused = state.refused;
    for (let entry = 0; entry < n; entry++) {
      const { array, from, words } = table.record(entry);
      // Hashes are seeded per thread, so they do not travel.
      table.#meta[entry * META] = hashWords(array.subarray(from, from + words), words);
    }
    table.#reindex();
    return table;
  }
}

export interface KeyTableState {
  capacity: number;
  refused: number;
  meta: Int32Array;
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
    let k = Math.imul(key[i], 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
