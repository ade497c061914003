import { compareBytes, KeyTable, type KeyTableState } from './key-table.ts';

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
  readonly keys: KeyTable;
  /** Numbers per entry: its count, its error, and the tallies. */
  readonly stride: number;
  /** All of an entry's numbers lie side by side from `entry * stride`: COUNT, ERROR, then the tallies from FIRST_TALLY. */
  values: Float64Array;
  floor = 0;
  /** Keys given up so far (one that came back and went again counts twice). */
  evicted = 0;
  /** Called after the entries in `kept` were renumbered 0, 1, 2 …: owners of further columns move theirs. */
  onCompact: ((kept: Uint32Array) => void) | null = null;

  constructor(capacity: number, tallies = 0, keys: KeyTable = new KeyTable(capacity)) {
    this.keys = keys;
    this.stride = FIRST_TALLY + tallies;
    this.values = new Float64Array(keys.room * this.stride);
  }

  count(entry: number): number {
    return this.values[entry * this.stride + COUNT];
  }

  error(entry: number): number {
    return this.values[entry * this.stride + ERROR];
  }

  get size(): number {
    return this.keys.size;
  }

  /** True as long as every key that came is here with its exact count. */
  get exact(): boolean {
    return this.evicted === 0 && this.keys.refused === 0;
  }

  /** Counts the key in `key[0, words)`; its entry, −1 when it was refused. `isNew` tells whether it just came in. */
  add(key: Int32Array, words: number, count = 1): number {
    let entry = this.keys.find(key, words);
    if (entry < 0) {
      entry = this.#admit(key, words);
      if (entry < 0) return -1;
      this.isNew = true;
    } else this.isNew = false;
    this.values[entry * this.stride] += count;
    return entry;
  }
  isNew = false;

  #admit(key: Int32Array, words: number): number {
    if (this.keys.full) this.#shrink(this.keys.capacity >>> 1);
    const entry = this.keys.insert(key, words);
    if (entry < 0) return -1;
    this.#clear(entry, this.floor);
    return entry;
  }

  #clear(entry: number, floor: number): void {
    const at = entry * this.stride;
    if (at >= this.values.length) {
      const wider = new Float64Array(this.keys.room * this.stride);
      wider.set(this.values);
      this.values = wider;
    }
    this.values.fill(0, at, at + this.stride);
    this.values[at + COUNT] = floor;
    this.values[at + ERROR] = floor;
  }

  /** Gives up the rarest keys until at most `target` are left. */
  #shrink(target: number): void {
    const { size, values, stride } = this;
    this.floor = Math.max(this.floor, countAtRank(values, stride, size, target));
    const kept = new Uint32Array(size);
    let n = 0;
    for (let entry = 0; entry < size; entry++) {
      if (values[entry * stride] <= this.floor) continue;
      values.copyWithin(n * stride, entry * stride, (entry + 1) * stride);
      kept[n++] = entry;
    }
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
    const { stride } = this;
    const myFloor = this.floor;
    const theirFloor = other.floor;
    // A key that only one side has may have been given up by the other: it is charged with that side's floor.
    for (let entry = 0; entry < this.size; entry++) {
      this.values[entry * stride + COUNT] += theirFloor;
      this.values[entry * stride + ERROR] += theirFloor;
    }
    for (let theirs = 0; theirs < other.size; theirs++) {
      const { array, from, words } = other.keys.record(theirs);
      const key = array.subarray(from, from + words);
      let mine = this.keys.find(key, words);
      let charged = theirFloor;
      if (mine < 0) {
        mine = this.keys.insert(key, words);
        if (mine < 0) continue;
        this.#clear(mine, myFloor);
        charged = 0;
      }
      const at = mine * stride;
      for (let k = 0; k < stride; k++) this.values[at + k] += other.values[theirs * stride + k];
      this.values[at + COUNT] -= charged;
      this.values[at + ERROR] -= charged;
      onMerged?.(mine, theirs);
    }
    this.floor = myFloor + theirFloor;
    this.evicted += other.evicted;
    this.keys.refused += other.keys.refused;
    if (this.size > this.keys.capacity) this.#shrink(this.keys.capacity);
  }

  /** The `n` entries highest by count (or by another of their numbers), highest first, equal ones by their bytes. */
  top(n: number, by: number = COUNT): number[] {
    const { stride, values } = this;
    const score = (entry: number) => values[entry * stride + by];
    const entries: number[] = [];
    for (let entry = 0; entry < this.size; entry++) if (score(entry) > 0) entries.push(entry);
    // Only those that can be among the n are worth sorting.
    const least = entries.length <= n ? 0 : Float64Array.from(entries, score).sort()[entries.length - n];
    const best = entries.filter((entry) => score(entry) >= least);
    best.sort((a, b) => score(b) - score(a) || compareBytes(this.keys.bytes(a), this.keys.bytes(b)));
    return best.slice(0, n);
  }

  state(): TopKeysState {
    const n = this.size;
    return {
      keys: this.keys.state(),
      values: this.values.slice(0, n * this.stride),
      tallies: this.stride - FIRST_TALLY,
      floor: this.floor,
      evicted: this.evicted,
    };
  }

  static from(state: TopKeysState): TopKeys {
    const top = new TopKeys(state.keys.capacity, state.tallies, KeyTable.from(state.keys));
    top.values.set(state.values);
    top.floor = state.floor;
    top.evicted = state.evicted;
    return top;
  }
}

export interface TopKeysState {
  keys: KeyTableState;
  values: Float64Array;
  tallies: number;
  floor: number;
  evicted: number;
}

/** The count above which at most `target` of the first `size` counts lie. */
function countAtRank(values: Float64Array, stride: number, size: number, target: number): number {
  // Nearly always the answer is a small number: counting sort over the small ones.
  const small = new Uint32Array(4096);
  let large = 0;
  for (let i = 0; i < size; i++) {
    const count = values[i * stride];
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
  return Float64Array.from({ length: size }, (_, i) => values[i * stride]).sort()[size - target - 1];
}
