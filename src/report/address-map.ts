import { addressText, word } from '../core/address.ts';
import { timeText } from '../core/clock.ts';
import type { TransactionColumns } from '../core/transactions.ts';
import { compareBytes, hashEnd, hashMore, hashOf, KeyTable, type KeyTableState } from '../sketch/key-table.ts';
import type { MessageView } from '../wire/message.ts';
import { nameText } from '../wire/name.ts';
import type { FoldedNames } from './folded-names.ts';
import { NOTED, NotedAnswers } from './noted-answers.ts';

// The compiler knows its values, those of imported names it reads from memory (decision 10).
const N = { ...NOTED };
const MAX_NAME_WORDS = 64;

// Doubles and words of a pair's record.
const COUNT = 0;
const FIRST_SECONDS = 1;
const LAST_SECONDS = 2;
const FIRST_NANOS = 0;
const LAST_NANOS = 1;
const TTL_MIN = 2;
const TTL_MAX = 3;
/** Number of the chain in `#chains` + 1; 0 = none. */
const CHAIN = 4;
const AUTHORITATIVE = 5;
const PAIR = { ints: 6, doubles: 3 };

/** Pairs held unless asked otherwise. */
export const MAP_PAIRS = 2_000_000;

/** One pair of the map, as shown (CONTRACTS: --map). Times are RFC 3339, TTLs seconds. */
export interface MapRow {
  name: string;
  cnames: string[];
  type: 'A' | 'AAAA';
  data: string;
  ttl_min: number;
  ttl_max: number;
  first_seen: string;
  last_seen: string;
  count: number;
  authoritative: boolean;
}
/** A pair and the key it is sorted by, as text that sorts the same way. */
export interface MapPair {
  key: string;
  row: MapRow;
}
export const MAP_COLUMNS = [
  'name',
  'cnames',
  'type',
  'data',
  'ttl_min',
  'ttl_max',
  'first_seen',
  'last_seen',
  'count',
  'authoritative',
] as const satisfies readonly (keyof MapRow)[];

/**
 * Which names had which addresses: (name asked, type, address) with the CNAME chain it was first seen through.
 *
 * Records over a `KeyTable`, no object per pair; equal chains are kept once. Bounded: when full, the half seen longest ago
 * is given up and counted (or handed to `onEvict`, for a map that spills to disk). Exact as long as nothing was given
 * up. Mergeable.
 */
export class AddressMap {
  /** Pairs given up so far. */
  evicted = 0;
  /** Receives what is given up, in order of the keys. */
  onEvict: ((pairs: Iterable<MapPair>) => void) | null = null;
  #keys: KeyTable;
  #chains: KeyTable;
  // Key: name in words (tells its own length), then 1 or 4 words of address.
  readonly #key = new Int32Array(MAX_NAME_WORDS + 4);
  /** Answers noted and not yet counted. */
  readonly #noted = new NotedAnswers();
  #hashes = new Int32Array(1024);

  constructor(capacity: number = MAP_PAIRS, keys = new KeyTable(capacity, PAIR), chains = new KeyTable(capacity)) {
    this.#keys = keys;
    this.#chains = chains;
  }

  get size(): number {
    return this.#keys.size;
  }

  get capacity(): number {
    return this.#keys.capacity;
  }

  /** Notes the addresses of row `row`'s response, whose rcode is 0. True when what is noted should be counted now. */
  note(view: MessageView, row: number): boolean {
    this.#noted.note(view, row);
    return this.#noted.isCrowded;
  }

  /** Counts what was noted. `names` holds the name asked of every row, folded; `c` the rows' columns. */
  count(names: FoldedNames, c: TransactionColumns): void {
    const { notes, addresses, count: n } = this.#noted;
    if (this.#hashes.length < n) this.#hashes = new Int32Array(2 * n);
    const hashes = this.#hashes;
    for (let k = 0; k < n; k++) {
      const note = k * N.NOTE_WORDS;
      const address = notes[note + N.ADDRESSES_AT];
      const state = names.states[notes[note + N.ROW]];
      hashes[k] = hashEnd(hashMore(state, addresses, address + 1, addresses[address + 5]));
    }
    this.#keys.touch(hashes, 0, n);
    for (let k = 0; k < n; k++) this.#countAnswer(names, c, k * N.NOTE_WORDS, hashes[k]);
    this.#noted.clear();
  }

  #countAnswer(names: FoldedNames, c: TransactionColumns, note: number, firstHash: number): void {
    const { notes, addresses, chains } = this.#noted;
    const keys = this.#keys;
    const key = this.#key;
    const row = notes[note + N.ROW];
    const orphan = c.answerSeconds[row] === 0;
    const seconds = orphan ? c.openSeconds[row] : c.answerSeconds[row];
    const nanos = orphan ? c.openNanos[row] : c.answerNanos[row];
    const words = names.lengths[row];
    for (let k = 0, at = names.starts[row]; k < words; k++) key[k] = names.words[at + k];
    let at = notes[note + N.ADDRESSES_AT];
    let known = false;
    for (let k = 0; k < notes[note + N.ADDRESSES]; k++, at += N.ADDRESS_WORDS) {
      const length = addresses[at + 5];
      for (let j = 0; j < length; j++) key[words + j] = addresses[at + 1 + j];
      const total = words + length;
      // Addresses that came in one answer lie side by side, and mostly come again in that order.
      let entry: number = known ? keys.findNext(key, 0, total) : -1;
      let hash = firstHash;
      if (entry < 0) {
        if (k > 0) hash = hashEnd(hashMore(names.states[row], addresses, at + 1, length));
        entry = keys.find(key, 0, total, hash);
      }
      if (entry < 0) entry = this.#admit(total, hash, addresses[at], seconds, nanos);
      known = entry >= 0;
      if (entry < 0) continue;
      if (this.#update(addresses[at], seconds, nanos)) {
        this.#setChain(chains, notes[note + N.CHAIN_AT], notes[note + N.CHAIN_WORDS]);
      }
      keys.doubles[keys.double + COUNT]++;
      keys.words[keys.int + AUTHORITATIVE] |= notes[note + N.AA];
    }
  }

  /** Widens what is known of the pair at hand; true when this sighting is (among) its first, whose chain counts. */
  #update(ttl: number, seconds: number, nanos: number): boolean {
    const { doubles, double: d, words, int: w } = this.#keys;
    // TTLs are 32 bits without sign.
    if (ttl >>> 0 < words[w + TTL_MIN] >>> 0) words[w + TTL_MIN] = ttl;
    if (ttl >>> 0 > words[w + TTL_MAX] >>> 0) words[w + TTL_MAX] = ttl;
    const last = doubles[d + LAST_SECONDS];
    if (seconds > last || (seconds === last && nanos > words[w + LAST_NANOS])) {
      doubles[d + LAST_SECONDS] = seconds;
      words[w + LAST_NANOS] = nanos;
    }
    const first = doubles[d + FIRST_SECONDS];
    if (seconds > first || (seconds === first && nanos >= words[w + FIRST_NANOS])) return doubles[d + COUNT] === 0;
    doubles[d + FIRST_SECONDS] = seconds;
    words[w + FIRST_NANOS] = nanos;
    return true;
  }

  /** Makes a new pair of `#key`, not yet counted; −1 when it was refused. */
  #admit(length: number, hash: number, ttl: number, seconds: number, nanos: number): number {
    const keys = this.#keys;
    if (keys.full) this.#shrink(this.capacity >>> 1);
    const entry = keys.insert(this.#key, 0, length, hash);
    if (entry < 0) {
      this.evicted++;
      return -1;
    }
    const { doubles, double: d, words, int: w } = keys;
    doubles[d + FIRST_SECONDS] = doubles[d + LAST_SECONDS] = seconds;
    words[w + FIRST_NANOS] = words[w + LAST_NANOS] = nanos;
    words[w + TTL_MIN] = words[w + TTL_MAX] = ttl;
    return entry;
  }

  /** Gives the pair at hand the chain in `key[at, at + words)`. */
  #setChain(key: Int32Array, at: number, words: number): void {
    const chains = this.#chains;
    let chain = -1;
    if (words > 0) {
      chain = chains.find(key, at, words);
      if (chain < 0) {
        if (chains.full) this.#sweepChains();
        if (!chains.full) chain = chains.insert(key, at, words);
      }
    }
    this.#keys.words[this.#keys.int + CHAIN] = chain + 1;
  }

  /** Gives up chains that no pair has any more. The pair at hand stays at hand. */
  #sweepChains(): void {
    const keys = this.#keys;
    const atHand = keys.at;
    const used = new Uint8Array(this.#chains.size + 1);
    for (let entry = 0; entry < this.size; entry++) {
      keys.seek(entry);
      used[keys.words[keys.int + CHAIN]] = 1;
    }
    const renumbered = new Int32Array(used.length);
    const kept: number[] = [];
    for (let chain = 1; chain < used.length; chain++) {
      if (used[chain] === 1) renumbered[chain] = kept.push(chain - 1);
    }
    this.#chains.compact(Uint32Array.from(kept));
    for (let entry = 0; entry < this.size; entry++) {
      keys.seek(entry);
      keys.words[keys.int + CHAIN] = renumbered[keys.words[keys.int + CHAIN]];
    }
    keys.seekAt(atHand);
  }

  /** Gives up the pairs seen longest ago until `target` are left. */
  #shrink(target: number): void {
    const { size } = this;
    const keys = this.#keys;
    const lastSeconds = Float64Array.from({ length: size }, (_, entry) => {
      keys.seek(entry);
      return keys.doubles[keys.double + LAST_SECONDS];
    });
    const oldest = lastSeconds.toSorted()[size - target];
    // Whole seconds tie often; of those at the border just enough go, the ones that came first.
    let spare = target;
    for (let entry = 0; entry < size; entry++) if (lastSeconds[entry] > oldest) spare--;
    let ties = 0;
    for (let entry = 0; entry < size; entry++) if (lastSeconds[entry] === oldest) ties++;
    const kept = new Uint32Array(target);
    const gone: number[] = [];
    let n = 0;
    for (let entry = 0; entry < size; entry++) {
      const last = lastSeconds[entry];
      const keep = last > oldest || (last === oldest && ties-- <= spare);
      if (keep) kept[n++] = entry;
      else if (this.onEvict !== null) gone.push(entry);
    }
    this.evicted += size - n;
    if (this.onEvict !== null) this.onEvict(this.#pairs(gone));
    keys.compact(kept.subarray(0, n));
    if (n > 0) keys.seek(0);
    this.#sweepChains();
  }

  merge(other: AddressMap): void {
    const mine = this.#keys;
    const theirs = other.#keys;
    for (let entry = 0; entry < other.size; entry++) {
      const { array, from, words } = theirs.key(entry);
      theirs.seek(entry);
      const { doubles, double: d, words: ints, int: w } = theirs;
      for (let i = 0; i < words; i++) this.#key[i] = array[from + i];
      const seconds = doubles[d + FIRST_SECONDS];
      const hash = hashOf(array, from, words);
      let found = mine.find(array, from, words, hash);
      if (found < 0) found = this.#admit(words, hash, ints[w + TTL_MIN], seconds, ints[w + FIRST_NANOS]);
      if (found < 0) continue;
      if (this.#update(ints[w + TTL_MIN], seconds, ints[w + FIRST_NANOS])) this.#copyChain(other, ints[w + CHAIN]);
      mine.doubles[mine.double + COUNT] += doubles[d + COUNT];
      this.#update(ints[w + TTL_MAX], doubles[d + LAST_SECONDS], ints[w + LAST_NANOS]);
      mine.words[mine.int + AUTHORITATIVE] |= ints[w + AUTHORITATIVE];
    }
    this.evicted += other.evicted;
  }

  #copyChain(other: AddressMap, chain: number): void {
    if (chain === 0) return this.#setChain(this.#key, 0, 0);
    const { array, from, words } = other.#chains.key(chain - 1);
    this.#setChain(array, from, words);
  }

  /** All pairs, by name, type and address. */
  *rows(): Generator<MapRow> {
    for (const { row } of this.pairs()) yield row;
  }

  /** All pairs with their sort keys, in order of them. */
  pairs(): Generator<MapPair> {
    return this.#pairs(Array.from({ length: this.size }, (_, i) => i));
  }

  *#pairs(entries: number[]): Generator<MapPair> {
    const keys = new Map(entries.map((entry) => [entry, this.#keys.bytes(entry)]));
    entries.sort((a, b) => compareBytes(keys.get(a) as Uint8Array, keys.get(b) as Uint8Array));
    for (const entry of entries) {
      const key = keys.get(entry) as Uint8Array;
      yield { key: hexText(key), row: this.#row(entry) };
    }
  }

  #row(entry: number): MapRow {
    const keys = this.#keys;
    const { words: length } = keys.key(entry);
    const bytes = keys.bytes(entry);
    const at = (nameEnd(bytes, 0) + 3) & ~3;
    const wide = length * 4 - at === 16;
    keys.seek(entry);
    const { doubles, double: d, words, int: w } = keys;
    const cnames: string[] = [];
    if (words[w + CHAIN] > 0) {
      const chain = this.#chains.bytes(words[w + CHAIN] - 1);
      // Padding reads as a root name, which no chain holds.
      for (let i = 0; i < chain.length && chain[i] !== 0; i = nameEnd(chain, i)) cnames.push(nameText(chain, i, 0));
    }
    return {
      name: nameText(bytes, 0, 0),
      cnames,
      type: wide ? 'AAAA' : 'A',
      data: wide
        ? addressText(6, word(bytes, at), word(bytes, at + 4), word(bytes, at + 8), word(bytes, at + 12))
        : addressText(4, 0, 0, 0, word(bytes, at)),
      ttl_min: words[w + TTL_MIN] >>> 0,
      ttl_max: words[w + TTL_MAX] >>> 0,
      first_seen: timeText(doubles[d + FIRST_SECONDS], words[w + FIRST_NANOS]),
      last_seen: timeText(doubles[d + LAST_SECONDS], words[w + LAST_NANOS]),
      count: doubles[d + COUNT],
      authoritative: words[w + AUTHORITATIVE] === 1,
    };
  }

  state(): AddressMapState {
    return { keys: this.#keys.state(), chains: this.#chains.state(), evicted: this.evicted };
  }

  static from(state: AddressMapState): AddressMap {
    const map = new AddressMap(state.keys.capacity, KeyTable.from(state.keys), KeyTable.from(state.chains));
    map.evicted = state.evicted;
    return map;
  }
}

export interface AddressMapState {
  keys: KeyTableState;
  chains: KeyTableState;
  evicted: number;
}

function nameEnd(bytes: Uint8Array, at: number): number {
  while (bytes[at] !== 0) at += bytes[at] + 1;
  return at + 1;
}

function hexText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
