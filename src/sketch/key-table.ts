const CHUNK_BITS = 16;
const CHUNK_WORDS = 1 << CHUNK_BITS;
const FIRST_ENTRIES = 256;
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
  #index = new Int32Array(FIRST_ENTRIES * 2);
  #mask = FIRST_ENTRIES * 2 - 1;
  #hashes = new Int32Array(FIRST_ENTRIES);
  #at = new Uint32Array(FIRST_ENTRIES);
  #keyWords = new Uint16Array(FIRST_ENTRIES);
  #words = new Uint16Array(FIRST_ENTRIES);
  #chunks: Int32Array[] = [new Int32Array(1024)];
  #end = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get full(): boolean {
    return this.size >= this.capacity;
  }

  /** Entries there is room for before the columns grow: owners size theirs by it. */
  get room(): number {
    return this.#hashes.length;
  }

  /** Entry of the key in `key[0, words)`, −1 when it is not there. */
  find(key: Int32Array, words: number): number {
    const hash = hashWords(key, words);
    const index = this.#index;
    const mask = this.#mask;
    let i = hash & mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const entry = index[i] - 1;
      if (entry < 0) return -1;
      if (this.#hashes[entry] === hash && this.#keyWords[entry] === words && this.#equal(entry, key, words)) {
        return entry;
      }
      i = (i + 1) & mask;
    }
    return -1;
  }

  #equal(entry: number, key: Int32Array, words: number): boolean {
    const at = this.#at[entry];
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
    if (entry === this.#hashes.length) this.#growEntries();
    const hash = hashWords(key, words);
    if (!this.#place(hash, entry)) {
      this.refused++;
      return -1;
    }
    this.#hashes[entry] = hash;
    this.#keyWords[entry] = words;
    this.#words[entry] = total;
    const at = this.#reserve(this.#end, total);
    this.#at[entry] = at;
    const chunk = this.#chunks[at >>> CHUNK_BITS];
    const from = at & (CHUNK_WORDS - 1);
    for (let i = 0; i < total; i++) chunk[from + i] = key[i];
    this.#end = at + total;
    this.size = entry + 1;
    return entry;
  }

  #place(hash: number, entry: number): boolean {
    const mask = this.#mask;
    let i = hash & mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      if (this.#index[i] === 0) {
        this.#index[i] = entry + 1;
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

  #growEntries(): void {
    const length = this.#hashes.length * 2;
    const grow = <T extends Int32Array | Uint32Array | Uint16Array>(old: T, wider: T): T => {
      wider.set(old);
      return wider;
    };
    this.#hashes = grow(this.#hashes, new Int32Array(length));
    this.#at = grow(this.#at, new Uint32Array(length));
    this.#keyWords = grow(this.#keyWords, new Uint16Array(length));
    this.#words = grow(this.#words, new Uint16Array(length));
    this.#index = new Int32Array(length * 2);
    this.#mask = length * 2 - 1;
    this.#reindex();
  }

  #reindex(): void {
    this.#index.fill(0);
    for (let entry = 0; entry < this.size; entry++) this.#place(this.#hashes[entry], entry);
  }

  /** Words of entry's record: `array[from, from + total)`, of which the first `words` are the key. */
  record(entry: number): { array: Int32Array; from: number; words: number; total: number } {
    const at = this.#at[entry];
    return {
      array: this.#chunks[at >>> CHUNK_BITS],
      from: at & (CHUNK_WORDS - 1),
      words: this.#keyWords[entry],
      total: this.#words[entry],
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
      const entry = kept[to];
      const total = this.#words[entry];
      const from = this.#at[entry];
      const at = this.#reserve(end, total);
      const source = this.#chunks[from >>> CHUNK_BITS];
      const start = from & (CHUNK_WORDS - 1);
      const target = this.#chunks[at >>> CHUNK_BITS];
      // Records only ever move towards the front, so this may run in place.
      target.set(source.subarray(start, start + total), at & (CHUNK_WORDS - 1));
      this.#hashes[to] = this.#hashes[entry];
      this.#keyWords[to] = this.#keyWords[entry];
      this.#words[to] = total;
      this.#at[to] = at;
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
      at: this.#at.slice(0, n),
      keyWords: this.#keyWords.slice(0, n),
      words: this.#words.slice(0, n),
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
    table.#hashes = new Int32Array(length);
    table.#at = new Uint32Array(length);
    table.#keyWords = new Uint16Array(length);
    table.#words = new Uint16Array(length);
    table.#at.set(state.at);
    table.#keyWords.set(state.keyWords);
    table.#words.set(state.words);
    table.#chunks = state.chunks;
    table.#end = state.end;
    table.size = n;
    table.refused = state.refused;
    for (let entry = 0; entry < n; entry++) {
      const { array, from, words } = table.record(entry);
      // Hashes are seeded per thread, so they do not travel.
      table.#hashes[entry] = hashWords(array.subarray(from, from + words), words);
    }
    table.#reindex();
    return table;
  }
}

export interface KeyTableState {
  capacity: number;
  refused: number;
  at: Uint32Array;
  keyWords: Uint16Array;
  words: Uint16Array;
  chunks: Int32Array[];
  end: number;
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
