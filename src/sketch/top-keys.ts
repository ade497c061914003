import { compareBytes, hashOf, KeyTable, type KeyTableState } from './key-table.ts';

/** Where an entry's count and error lie among its numbers, and where its tallies begin. */
export const COUNT = 0;
export const ERROR = 1;
export const FIRST_TALLY = 2;

/**
 * The most frequent keys in bounded memory, each with further sums of the owner's (tallies).
 *
 * Space-Saving with replacement in bulk: while there was room for every key, all counts are exact. When full, the rarer
 * half is given up and `floor` rises to the highest count given up; a key that comes (back) later starts at `floor`. So a
 * count is never too low and too high by at most its error ≤ `floor`; a key that is absent was seen at most `floor`
 * times. Tallies count from when the key (last) came in: they are never too high. Mergeable.
 */
export class TopKeys {
  /** The keys; the doubles of a record are its count, its error, and the tallies from FIRST_TALLY. */
  readonly keys: KeyTable;
  floor = 0;
  /** Keys given up so far (one that came back and went again counts twice). */
  evicted = 0;
  /** Whether the key that `add` was given last just came in. */
  isNew = false;
  /** Called after the entries in `kept` were renumbered 0, 1, 2 …: owners of further columns move theirs. */
  onCompact: ((kept: Uint32Array) => void) | null = null;

  /** `ints`: further words of the owner's with every key, not merged. */
  constructor(
    capacity: number,
    tallies = 0,
    ints = 0,
    keys = new KeyTable(capacity, { ints, doubles: FIRST_TALLY + tallies }),
  ) {
    this.keys = keys;
  }

  /** One of an entry's numbers: COUNT, ERROR or a tally. */
  value(entry: number, number: number): number {
    this.keys.seek(entry);
    return this.keys.doubles[this.keys.double + number];
  }

  count(entry: number): number {
    return this.value(entry, COUNT);
  }

  error(entry: number): number {
    return this.value(entry, ERROR);
  }

  get size(): number {
    return this.keys.size;
  }

  /** True as long as every key that came is here with its exact count. */
  get exact(): boolean {
    return this.evicted === 0 && this.keys.refused === 0;
  }

  /**
   * Counts the key in `key[at, at + words)`; its entry, −1 when it was refused. Its record is at hand in `keys`, so that
   * the owner can go on to its tallies.
   */
  add(key: Int32Array, at: number, words: number, hash: number = hashOf(key, at, words)): number {
    const { keys } = this;
    let entry = keys.find(key, at, words, hash);
    this.isNew = entry < 0;
    if (entry < 0) {
      entry = this.#admit(key, at, words, hash);
      if (entry < 0) return -1;
    }
    keys.doubles[keys.double]++;
    return entry;
  }

  #admit(key: Int32Array, at: number, words: number, hash: number): number {
    const { keys } = this;
    if (keys.full) this.#shrink(keys.capacity >>> 1);
    const entry = keys.insert(key, at, words, hash);
    if (entry < 0) return -1;
    keys.doubles[keys.double + COUNT] = keys.doubles[keys.double + ERROR] = this.floor;
    return entry;
  }

  /** Gives up the rarest keys until at most `target` are left. */
  #shrink(target: number): void {
    const { size } = this;
    const counts = Float64Array.from({ length: size }, (_, entry) => this.count(entry));
    this.floor = Math.max(this.floor, countAtRank(counts, target));
    const kept = new Uint32Array(size);
    let n = 0;
    for (let entry = 0; entry < size; entry++) if (counts[entry] > this.floor) kept[n++] = entry;
    this.evicted += size - n;
    const list = kept.subarray(0, n);
    this.keys.compact(list);
    this.onCompact?.(list);
  }

  /**
   * Adds another's counts and tallies. `onMerged` hears into which entry of mine each of theirs went, so that owners of
   * further columns can follow; `onCompact` may be called once behind the last.
   */
  merge(other: TopKeys, onMerged?: (mine: number, theirs: number) => void): void {
    const { keys } = this;
    const stride = keys.shape.doubles;
    const myFloor = this.floor;
    const theirFloor = other.floor;
    // A key that only one side has may have been given up by the other: it is charged with that side's floor.
    for (let entry = 0; entry < this.size; entry++) {
      keys.seek(entry);
      keys.doubles[keys.double + COUNT] += theirFloor;
      keys.doubles[keys.double + ERROR] += theirFloor;
    }
    for (let theirs = 0; theirs < other.size; theirs++) {
      const { array, from, words } = other.keys.key(theirs);
      const hash = hashOf(array, from, words);
      let mine = keys.find(array, from, words, hash);
      let charged = theirFloor;
      if (mine < 0) {
        mine = keys.insert(array, from, words, hash);
        if (mine < 0) continue;
        keys.doubles[keys.double + COUNT] = keys.doubles[keys.double + ERROR] = myFloor;
        charged = 0;
      }
      other.keys.seek(theirs);
      const at = keys.double;
      for (let k = 0; k < stride; k++) keys.doubles[at + k] += other.keys.doubles[other.keys.double + k];
      keys.doubles[at + COUNT] -= charged;
      keys.doubles[at + ERROR] -= charged;
      onMerged?.(mine, theirs);
    }
    this.floor = myFloor + theirFloor;
    this.evicted += other.evicted;
    keys.refused += other.keys.refused;
    if (this.size > keys.capacity) this.#shrink(keys.capacity);
  }

  /** The `n` entries highest by count (or by another of their numbers), highest first, equal ones by their bytes. */
  top(n: number, by: number = COUNT): number[] {
    const scores = Float64Array.from({ length: this.size }, (_, entry) => this.value(entry, by));
    const entries: number[] = [];
    for (let entry = 0; entry < this.size; entry++) if (scores[entry] > 0) entries.push(entry);
    // Only those that can be among the n are worth sorting.
    const least = entries.length <= n ? 0 : scores.toSorted()[scores.length - n];
    const best = entries.filter((entry) => scores[entry] >= least);
    best.sort((a, b) => scores[b] - scores[a] || compareBytes(this.keys.bytes(a), this.keys.bytes(b)));
    return best.slice(0, n);
  }

  state(): TopKeysState {
    return { keys: this.keys.state(), floor: this.floor, evicted: this.evicted };
  }

  static from(state: TopKeysState): TopKeys {
    const top = new TopKeys(state.keys.capacity, 0, 0, KeyTable.from(state.keys));
    top.floor = state.floor;
    top.evicted = state.evicted;
    return top;
  }
}

export interface TopKeysState {
  keys: KeyTableState;
  floor: number;
  evicted: number;
}

/** The count above which at most `target` of the counts lie. */
function countAtRank(counts: Float64Array, target: number): number {
  // Nearly always the answer is a small number: counting sort over the small ones.
  const small = new Uint32Array(4096);
  let large = 0;
  for (const count of counts) {
    if (count < small.length) small[count]++;
    else large++;
  }
  if (large <= target) {
    let above = large;
    for (let count = small.length - 1; count > 0; count--) {
      if (above + small[count] > target) return count;
      above += small[count];
    }
    return 0;
  }
  return counts.toSorted()[counts.length - target - 1];
}
