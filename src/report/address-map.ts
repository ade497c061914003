import { addressText, word } from '../core/address.ts';
import { timeText } from '../core/clock.ts';
import type { TransactionColumns } from '../core/transactions.ts';
import { compareBytes, KeyTable, type KeyTableState } from '../sketch/key-table.ts';
import { ANSWER, type MessageView } from '../wire/message.ts';
import { copyName, equalNames, nameText, skipName } from '../wire/name.ts';

const TYPE_A = 1;
const TYPE_CNAME = 5;
const TYPE_AAAA = 28;
const CLASS_IN = 1;
/** Longest CNAME chain followed: resolvers follow about a dozen. */
const MAX_CHAIN = 16;
const MAX_NAME_WORDS = 64;

// Doubles of a pair's record, then its words (behind the doubles).
const COUNT = 0;
const FIRST_SECONDS = 1;
const LAST_SECONDS = 2;
const DOUBLES = 6;
const FIRST_NANOS = 6;
const LAST_NANOS = 7;
const TTL_MIN = 8;
const TTL_MAX = 9;
/** Number of the chain in `#chains` + 1; 0 = none. */
const CHAIN = 10;
const AUTHORITATIVE = 11;
const WORDS = 2 * DOUBLES;

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
  /** What is known of each pair, side by side: an update touches one place, not nine. `#doubles` is the same memory. */
  #words: Uint32Array;
  #doubles: Float64Array;
  #chains: KeyTable;
  // Key: name in words (tells its own length), then 1 or 4 words of address.
  readonly #key = new Int32Array(MAX_NAME_WORDS + 4);
  readonly #links = new Int32Array(MAX_CHAIN);
  readonly #chainKey = new Int32Array(MAX_CHAIN * MAX_NAME_WORDS);
  readonly #chainBytes = new Uint8Array(this.#chainKey.buffer);

  constructor(capacity: number = MAP_PAIRS, keys = new KeyTable(capacity), chains = new KeyTable(capacity)) {
    this.#keys = keys;
    this.#chains = chains;
    this.#doubles = new Float64Array(keys.room * DOUBLES);
    this.#words = new Uint32Array(this.#doubles.buffer);
  }

  get size(): number {
    return this.#keys.size;
  }

  get capacity(): number {
    return this.#keys.capacity;
  }

  /**
   * Adds the addresses of row `i`'s response, whose rcode is 0. `name` holds the name asked, folded, padded to `words`
   * words.
   */
  add(view: MessageView, name: Int32Array, words: number, c: TransactionColumns, i: number): void {
    const { records, section, bytes, start, type: types } = view;
    let owner = view.questionName[0];
    const orphan = c.answerSeconds[i] === 0;
    const seconds = orphan ? c.openSeconds[i] : c.answerSeconds[i];
    const nanos = orphan ? c.openNanos[i] : c.answerNanos[i];
    let chain = 0;
    let addresses = 0;
    const authoritative = (view.flags >> 10) & 1;
    const key = this.#key;
    for (let r = 0; r < records && section[r] === ANSWER; r++) {
      const type = types[r];
      if (type !== TYPE_A && type !== TYPE_AAAA && type !== TYPE_CNAME) continue;
      if (view.class[r] !== CLASS_IN || !sameName(bytes, start, view.owner[r], owner)) continue;
      if (type === TYPE_CNAME) {
        if (chain === MAX_CHAIN || addresses > 0 || !isName(view, r)) break;
        owner = view.rdata[r];
        this.#links[chain++] = owner;
        continue;
      }
      const wide = type === TYPE_AAAA;
      if (view.rdlength[r] !== (wide ? 16 : 4)) continue;
      if (addresses++ === 0) for (let k = 0; k < words; k++) key[k] = name[k];
      const at = view.rdata[r];
      key[words] = raw(bytes, at);
      if (wide) {
        key[words + 1] = raw(bytes, at + 4);
        key[words + 2] = raw(bytes, at + 8);
        key[words + 3] = raw(bytes, at + 12);
      }
      const length = words + (wide ? 4 : 1);
      let entry = this.#keys.find(key, length);
      if (entry < 0) entry = this.#admit(length, view.ttl[r], seconds, nanos);
      if (entry < 0) continue;
      if (this.#update(entry, view.ttl[r], seconds, nanos)) this.#setChain(entry, this.#writeChain(view, chain));
      this.#doubles[entry * DOUBLES + COUNT]++;
      this.#words[entry * WORDS + AUTHORITATIVE] |= authoritative;
    }
  }

  /** Widens what is known of a pair; true when this sighting is (among) its first, whose chain counts. */
  #update(entry: number, ttl: number, seconds: number, nanos: number): boolean {
    const doubles = this.#doubles;
    const words = this.#words;
    const d = entry * DOUBLES;
    const w = entry * WORDS;
    if (ttl < words[w + TTL_MIN]) words[w + TTL_MIN] = ttl;
    if (ttl > words[w + TTL_MAX]) words[w + TTL_MAX] = ttl;
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

  /** Makes a new pair, not yet counted; −1 when it was refused. */
  #admit(length: number, ttl: number, seconds: number, nanos: number): number {
    if (this.#keys.full) this.#shrink(this.capacity >>> 1);
    const entry = this.#keys.insert(this.#key, length);
    if (entry < 0) {
      this.evicted++;
      return -1;
    }
    const d = entry * DOUBLES;
    const w = entry * WORDS;
    if (d >= this.#doubles.length) this.#grow();
    this.#doubles[d + FIRST_SECONDS] = this.#doubles[d + LAST_SECONDS] = seconds;
    this.#words[w + FIRST_NANOS] = this.#words[w + LAST_NANOS] = nanos;
    this.#words[w + TTL_MIN] = this.#words[w + TTL_MAX] = ttl;
    this.#doubles[d + COUNT] = 0;
    this.#words[w + AUTHORITATIVE] = 0;
    this.#words[w + CHAIN] = 0;
    return entry;
  }

  /** Writes the chain's names into `#chainKey`; its words. */
  #writeChain(view: MessageView, chain: number): number {
    let at = 0;
    for (let i = 0; i < chain; i++) at += copyName(view.bytes, this.#links[i], view.start, this.#chainBytes, at, true);
    const end = (at + 3) & ~3;
    this.#chainBytes.fill(0, at, end);
    return end >> 2;
  }

  #setChain(entry: number, words: number): void {
    if (words === 0) {
      this.#words[entry * WORDS + CHAIN] = 0;
      return;
    }
    let chain = this.#chains.find(this.#chainKey, words);
    if (chain < 0) {
      if (this.#chains.full) this.#sweepChains();
      if (!this.#chains.full) chain = this.#chains.insert(this.#chainKey, words);
    }
    this.#words[entry * WORDS + CHAIN] = chain + 1;
  }

  /** Gives up chains that no pair has any more. */
  #sweepChains(): void {
    const used = new Uint8Array(this.#chains.size + 1);
    for (let entry = 0; entry < this.size; entry++) used[this.#words[entry * WORDS + CHAIN]] = 1;
    const renumbered = new Uint32Array(used.length);
    const kept: number[] = [];
    for (let chain = 1; chain < used.length; chain++) {
      if (used[chain] === 1) renumbered[chain] = kept.push(chain - 1);
    }
    this.#chains.compact(Uint32Array.from(kept));
    for (let entry = 0; entry < this.size; entry++)
      this.#words[entry * WORDS + CHAIN] = renumbered[this.#words[entry * WORDS + CHAIN]];
  }

  #grow(): void {
    const doubles = new Float64Array(this.#keys.room * DOUBLES);
    doubles.set(this.#doubles);
    this.#doubles = doubles;
    this.#words = new Uint32Array(doubles.buffer);
  }

  /** Gives up the pairs seen longest ago until `target` are left. */
  #shrink(target: number): void {
    const { size } = this;
    const lastSeconds = Float64Array.from({ length: size }, (_, i) => this.#doubles[i * DOUBLES + LAST_SECONDS]);
    const order = lastSeconds.toSorted();
    const oldest = order[size - target];
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
    this.#move(kept.subarray(0, n));
  }

  #move(kept: Uint32Array): void {
    for (let to = 0; to < kept.length; to++) {
      this.#doubles.copyWithin(to * DOUBLES, kept[to] * DOUBLES, (kept[to] + 1) * DOUBLES);
    }
    this.#keys.compact(kept);
    this.#sweepChains();
  }

  merge(other: AddressMap): void {
    for (let theirs = 0; theirs < other.size; theirs++) {
      const { array, from, words } = other.#keys.record(theirs);
      for (let i = 0; i < words; i++) this.#key[i] = array[from + i];
      const w = theirs * WORDS;
      const d = theirs * DOUBLES;
      const seconds = other.#doubles[d + FIRST_SECONDS];
      const nanos = other.#words[w + FIRST_NANOS];
      const ttl = other.#words[w + TTL_MIN];
      let mine = this.#keys.find(this.#key, words);
      if (mine < 0) mine = this.#admit(words, ttl, seconds, nanos);
      if (mine < 0) continue;
      if (this.#update(mine, ttl, seconds, nanos)) this.#copyChain(mine, other, theirs);
      this.#doubles[mine * DOUBLES + COUNT] += other.#doubles[d + COUNT];
      const last = other.#doubles[d + LAST_SECONDS];
      this.#update(mine, other.#words[w + TTL_MAX], last, other.#words[w + LAST_NANOS]);
      this.#words[mine * WORDS + AUTHORITATIVE] |= other.#words[w + AUTHORITATIVE];
    }
    this.evicted += other.evicted;
  }

  #copyChain(mine: number, other: AddressMap, theirs: number): void {
    const chain = other.#words[theirs * WORDS + CHAIN] - 1;
    if (chain < 0) {
      this.#words[mine * WORDS + CHAIN] = 0;
      return;
    }
    const { array, from, words } = other.#chains.record(chain);
    for (let i = 0; i < words; i++) this.#chainKey[i] = array[from + i];
    this.#setChain(mine, words);
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
    const w = entry * WORDS;
    const d = entry * DOUBLES;
    const { words } = this.#keys.record(entry);
    const bytes = this.#keys.bytes(entry);
    const at = (nameEnd(bytes, 0) + 3) & ~3;
    const wide = words * 4 - at === 16;
    const cnames: string[] = [];
    if (this.#words[entry * WORDS + CHAIN] > 0) {
      const chain = this.#chains.bytes(this.#words[entry * WORDS + CHAIN] - 1);
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
      ttl_min: this.#words[w + TTL_MIN],
      ttl_max: this.#words[w + TTL_MAX],
      first_seen: timeText(this.#doubles[d + FIRST_SECONDS], this.#words[w + FIRST_NANOS]),
      last_seen: timeText(this.#doubles[d + LAST_SECONDS], this.#words[w + LAST_NANOS]),
      count: this.#doubles[d + COUNT],
      authoritative: this.#words[w + AUTHORITATIVE] === 1,
    };
  }

  state(): AddressMapState {
    const n = this.size;
    return {
      keys: this.#keys.state(),
      pairs: this.#doubles.slice(0, n * DOUBLES),
      chains: this.#chains.state(),
      evicted: this.evicted,
    };
  }

  static from(state: AddressMapState): AddressMap {
    const map = new AddressMap(state.keys.capacity, KeyTable.from(state.keys), KeyTable.from(state.chains));
    map.#doubles.set(state.pairs);
    map.evicted = state.evicted;
    return map;
  }
}

export interface AddressMapState {
  keys: KeyTableState;
  pairs: Float64Array;
  chains: KeyTableState;
  evicted: number;
}

/** Whether two names of a message are equal; nearly always one is a pointer to the other. */
function sameName(bytes: Uint8Array, start: number, a: number, b: number): boolean {
  if (bytes[a] >= 0xc0 && start + (((bytes[a] & 0x3f) << 8) | bytes[a + 1]) === b) return true;
  return equalNames(bytes, a, start, bytes, b, start);
}

/** Whether the rdata of a CNAME record is one whole name and not the root: `MessageView` has not looked into it. */
function isName(view: MessageView, r: number): boolean {
  const end = view.rdata[r] + view.rdlength[r];
  return (
    view.rdlength[r] > 0 &&
    view.bytes[view.rdata[r]] !== 0 &&
    skipName(view.bytes, view.rdata[r], view.start, end) === end
  );
}

function nameEnd(bytes: Uint8Array, at: number): number {
  while (bytes[at] !== 0) at += bytes[at] + 1;
  return at + 1;
}

/** Four bytes as they lie in a record. */
function raw(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function hexText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
