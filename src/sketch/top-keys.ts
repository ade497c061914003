import { KeyTable, type KeyTableState } from './key-table.ts';

/**
 * The most frequent keys in bounded memory, each with `width` further sums (tallies).
 *
 * Space-Saving with replacement in bulk: while there was room for every key, all counts are exact. When full, the rarer
 * half is given up and `floor` rises to the highest count given up; a key that comes (back) later starts at `floor`. So a
 * count is never too low and too high by at most `errors[entry]` ≤ `floor`; a key that is absent was seen at most `floor`
 * times. Tallies count from when the key (last) came in: they are never too high. Mergeable.
 */
export class TopKeys {
  readonly keys: KeyTable;
  readonly width: number;
  counts: Float64Array;
  errors: Float64Array;
  /** Tally t of an entry is at `entry * width + t`. */
  tallies: Float64Array;
  floor = 0;
  /** Keys given up so far (one that came back and went again counts twice). */
  evicted = 0;
  /** Called after the entries in `kept` were renumbered 0, 1, 2 …: owners of further columns move theirs. */
  onCompact: ((kept: Uint32Array) => void) | null = null;

  constructor(capacity: number, width = 0, keys: KeyTable = new KeyTable(capacity)) {
    this.keys = keys;
    this.width = width;
    this.counts = new Float64Array(keys.room);
    this.errors = new Float64Array(keys.room);
    this.tallies = new Float64Array(keys.room * width);
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
    this.counts[entry] += count;
    return entry;
  }
  isNew = false;

  #admit(key: Int32Array, words: number): number {
    if (this.keys.full) this.#shrink(this.keys.capacity >>> 1);
    const entry = this.keys.insert(key, words);
    if (entry < 0) return -1;
    if (entry >= this.counts.length) this.#grow();
    this.counts[entry] = this.floor;
    this.errors[entry] = this.floor;
    this.tallies.fill(0, entry * this.width, (entry + 1) * this.width);
    return entry;
  }

  #grow(): void {
    const room = this.keys.room;
    const grow = (old: Float64Array, length: number) => {
      const wider = new Float64Array(length);
      wider.set(old);
      return wider;
    };
    this.counts = grow(this.counts, room);
    this.errors = grow(this.errors, room);
    this.tallies = grow(this.tallies, room * this.width);
  }

  /** Gives up the rarest keys until at most `target` are left. */
  #shrink(target: number): void {
    const { size, counts, errors, tallies, width } = this;
    this.floor = Math.max(this.floor, countAtRank(counts, size, target));
    const kept = new Uint32Array(size);
    let n = 0;
    for (let entry = 0; entry < size; entry++) {
      if (counts[entry] <= this.floor) continue;
      counts[n] = counts[entry];
      errors[n] = errors[entry];
      tallies.copyWithin(n * width, entry * width, (entry + 1) * width);
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
    const { width } = this;
    const myFloor = this.floor;
    const theirFloor = other.floor;
    // A key that only one side has may have been given up by the other: it is charged with that side's floor.
    for (let entry = 0; entry < this.size; entry++) {
      this.counts[entry] += theirFloor;
      this.errors[entry] += theirFloor;
    }
    for (let theirs = 0; theirs < other.size; theirs++) {
      const { array, from, words } = other.keys.record(theirs);
      const key = array.subarray(from, from + words);
      let mine = this.keys.find(key, words);
      if (mine >= 0) {
        this.counts[mine] += other.counts[theirs] - theirFloor;
        this.errors[mine] += other.errors[theirs] - theirFloor;
      } else {
        mine = this.keys.insert(key, words);
        if (mine < 0) continue;
        if (mine >= this.counts.length) this.#grow();
        this.counts[mine] = other.counts[theirs] + myFloor;
        this.errors[mine] = other.errors[theirs] + myFloor;
        this.tallies.fill(0, mine * width, (mine + 1) * width);
      }
      for (let t = 0; t < width; t++) this.tallies[mine * width + t] += other.tallies[theirs * width + t];
      onMerged?.(mine, theirs);
    }
    this.floor = myFloor + theirFloor;
    this.evicted += other.evicted;
    this.keys.refused += other.keys.refused;
    if (this.size > this.keys.capacity) this.#shrink(this.keys.capacity);
  }

  /** The `n` entries highest by count (or by a tally), highest first, equal ones in order of their bytes. */
  top(n: number, tally = -1): number[] {
    const { width, tallies, counts } = this;
    const score = (entry: number) => (tally < 0 ? counts[entry] : tallies[entry * width + tally]);
    const entries: number[] = [];
    for (let entry = 0; entry < this.size; entry++) if (score(entry) > 0) entries.push(entry);
    entries.sort((a, b) => score(b) - score(a) || compareBytes(this.keys.bytes(a), this.keys.bytes(b)));
    return entries.slice(0, n);
  }

  state(): TopKeysState {
    const n = this.size;
    return {
      keys: this.keys.state(),
      width: this.width,
      counts: this.counts.slice(0, n),
      errors: this.errors.slice(0, n),
      tallies: this.tallies.slice(0, n * this.width),
      floor: this.floor,
      evicted: this.evicted,
    };
  }

  static from(state: TopKeysState): TopKeys {
    const top = new TopKeys(state.keys.capacity, state.width, KeyTable.from(state.keys));
    top.counts.set(state.counts);
    top.errors.set(state.errors);
    top.tallies.set(state.tallies);
    top.floor = state.floor;
    top.evicted = state.evicted;
    return top;
  }
}

export interface TopKeysState {
  keys: KeyTableState;
  width: number;
  counts: Float64Array;
  errors: Float64Array;
  tallies: Float64Array;
  floor: number;
  evicted: number;
}

/** The count above which at most `target` of the first `size` counts lie. */
function countAtRank(counts: Float64Array, size: number, target: number): number {
  // Nearly always the answer is a small number: counting sort over the small ones.
  const small = new Uint32Array(4096);
  let large = 0;
  for (let i = 0; i < size; i++) {
    if (counts[i] < small.length) small[counts[i]]++;
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
  return counts.slice(0, size).sort()[size - target - 1];
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
