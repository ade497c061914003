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
 * Columns over a `KeyTable`, no object per pair; equal chains are kept once. Bounded: when full, the half seen longest ago is given up and counted
 * (or handed to `onEvict`, for a map that spills to disk). Exact as long as nothing was given up. Mergeable.
 */
export class AddressMap {
  /** Pairs given up so far. */
  evicted = 0;
  /** Receives what is given up, in order of the keys. */
  onEvict: ((pairs: Iterable<MapPair>) => void) | null = null;
  #keys: KeyTable;
  #ttlMin = new Uint32Array(256);
  #ttlMax = new Uint32Array(256);
  #firstSeconds = new Float64Array(256);
  #lastSeconds = new Float64Array(256);
  #firstNanos = new Uint32Array(256);
  #lastNanos = new Uint32Array(256);
  #counts = new Float64Array(256);
  #authoritative = new Uint8Array(256);
  /** Number of the chain in `#chains` + 1; 0 = none. */
  #chainOf = new Uint32Array(256);
  #chains: KeyTable;
  // Key: name in words (tells its own length), then 1 or 4 words of address.
  readonly #key = new Int32Array(MAX_NAME_WORDS + 4);
  readonly #links = new Int32Array(MAX_CHAIN);
  readonly #chainKey = new Int32Array(MAX_CHAIN * MAX_NAME_WORDS);
  readonly #chainBytes = new Uint8Array(this.#chainKey.buffer);

  constructor(capacity: number = MAP_PAIRS, keys = new KeyTable(capacity), chains = new KeyTable(capacity)) {
    this.#keys = keys;
    this.#chains = chains;
    if (keys.room > 256) this.#grow();
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
      this.#counts[entry]++;
      this.#authoritative[entry] |= authoritative;
    }
  }

  /** Widens what is known of a pair; true when this sighting is (among) its first, whose chain counts. */
  #update(entry: number, ttl: number, seconds: number, nanos: number): boolean {
    if (ttl < this.#ttlMin[entry]) this.#ttlMin[entry] = ttl;
    if (ttl > this.#ttlMax[entry]) this.#ttlMax[entry] = ttl;
    const last = this.#lastSeconds[entry];
    if (seconds > last || (seconds === last && nanos > this.#lastNanos[entry])) {
      this.#lastSeconds[entry] = seconds;
      this.#lastNanos[entry] = nanos;
    }
    const first = this.#firstSeconds[entry];
    if (seconds > first || (seconds === first && nanos >= this.#firstNanos[entry])) return this.#counts[entry] === 0;
    this.#firstSeconds[entry] = seconds;
    this.#firstNanos[entry] = nanos;
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
    if (entry >= this.#counts.length) this.#grow();
    this.#firstSeconds[entry] = this.#lastSeconds[entry] = seconds;
    this.#firstNanos[entry] = this.#lastNanos[entry] = nanos;
    this.#ttlMin[entry] = this.#ttlMax[entry] = ttl;
    this.#counts[entry] = 0;
    this.#authoritative[entry] = 0;
    this.#chainOf[entry] = 0;
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
      this.#chainOf[entry] = 0;
      return;
    }
    let chain = this.#chains.find(this.#chainKey, words);
    if (chain < 0) {
      if (this.#chains.full) this.#sweepChains();
      if (!this.#chains.full) chain = this.#chains.insert(this.#chainKey, words);
    }
    this.#chainOf[entry] = chain + 1;
  }

  /** Gives up chains that no pair has any more. */
  #sweepChains(): void {
    const used = new Uint8Array(this.#chains.size + 1);
    for (let entry = 0; entry < this.size; entry++) used[this.#chainOf[entry]] = 1;
    const renumbered = new Uint32Array(used.length);
    const kept: number[] = [];
    for (let chain = 1; chain < used.length; chain++) {
      if (used[chain] === 1) renumbered[chain] = kept.push(chain - 1);
    }
    this.#chains.compact(Uint32Array.from(kept));
    for (let entry = 0; entry < this.size; entry++) this.#chainOf[entry] = renumbered[this.#chainOf[entry]];
  }

  #grow(): void {
    const room = this.#keys.room;
    const wider = <T extends Uint8Array | Uint32Array | Float64Array>(old: T, next: T): T => {
      next.set(old);
      return next;
    };
    this.#ttlMin = wider(this.#ttlMin, new Uint32Array(room));
    this.#ttlMax = wider(this.#ttlMax, new Uint32Array(room));
    this.#firstSeconds = wider(this.#firstSeconds, new Float64Array(room));
    this.#lastSeconds = wider(this.#lastSeconds, new Float64Array(room));
    this.#firstNanos = wider(this.#firstNanos, new Uint32Array(room));
    this.#lastNanos = wider(this.#lastNanos, new Uint32Array(room));
    this.#counts = wider(this.#counts, new Float64Array(room));
    this.#authoritative = wider(this.#authoritative, new Uint8Array(room));
    this.#chainOf = wider(this.#chainOf, new Uint32Array(room));
  }

  /** Gives up the pairs seen longest ago until `target` are left. */
  #shrink(target: number): void {
    const { size } = this;
    const order = this.#lastSeconds.slice(0, size).sort();
    const oldest = order[size - target];
    // Whole seconds tie often; of those at the border just enough go, the ones that came first.
    let spare = target;
    for (let entry = 0; entry < size; entry++) if (this.#lastSeconds[entry] > oldest) spare--;
    let ties = 0;
    for (let entry = 0; entry < size; entry++) if (this.#lastSeconds[entry] === oldest) ties++;
    const kept = new Uint32Array(target);
    const gone: number[] = [];
    let n = 0;
    for (let entry = 0; entry < size; entry++) {
      const last = this.#lastSeconds[entry];
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
      const from = kept[to];
      this.#ttlMin[to] = this.#ttlMin[from];
      this.#ttlMax[to] = this.#ttlMax[from];
      this.#firstSeconds[to] = this.#firstSeconds[from];
      this.#lastSeconds[to] = this.#lastSeconds[from];
      this.#firstNanos[to] = this.#firstNanos[from];
      this.#lastNanos[to] = this.#lastNanos[from];
      this.#counts[to] = this.#counts[from];
      this.#authoritative[to] = this.#authoritative[from];
      this.#chainOf[to] = this.#chainOf[from];
    }
    this.#keys.compact(kept);
    this.#sweepChains();
  }

  merge(other: AddressMap): void {
    for (let theirs = 0; theirs < other.size; theirs++) {
      const { array, from, words } = other.#keys.record(theirs);
      for (let i = 0; i < words; i++) this.#key[i] = array[from + i];
      const seconds = other.#firstSeconds[theirs];
      const nanos = other.#firstNanos[theirs];
      let mine = this.#keys.find(this.#key, words);
      if (mine < 0) mine = this.#admit(words, other.#ttlMin[theirs], seconds, nanos);
      if (mine < 0) continue;
      if (this.#update(mine, other.#ttlMin[theirs], seconds, nanos)) this.#copyChain(mine, other, theirs);
      this.#counts[mine] += other.#counts[theirs];
      this.#update(mine, other.#ttlMax[theirs], other.#lastSeconds[theirs], other.#lastNanos[theirs]);
      this.#authoritative[mine] |= other.#authoritative[theirs];
    }
    this.evicted += other.evicted;
  }

  #copyChain(mine: number, other: AddressMap, theirs: number): void {
    const chain = other.#chainOf[theirs] - 1;
    if (chain < 0) {
      this.#chainOf[mine] = 0;
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
    const { words } = this.#keys.record(entry);
    const bytes = this.#keys.bytes(entry);
    const at = (nameEnd(bytes, 0) + 3) & ~3;
    const wide = words * 4 - at === 16;
    const cnames: string[] = [];
    if (this.#chainOf[entry] > 0) {
      const chain = this.#chains.bytes(this.#chainOf[entry] - 1);
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
      ttl_min: this.#ttlMin[entry],
      ttl_max: this.#ttlMax[entry],
      first_seen: timeText(this.#firstSeconds[entry], this.#firstNanos[entry]),
      last_seen: timeText(this.#lastSeconds[entry], this.#lastNanos[entry]),
      count: this.#counts[entry],
      authoritative: this.#authoritative[entry] === 1,
    };
  }

  state(): AddressMapState {
    const n = this.size;
    return {
      keys: this.#keys.state(),
      ttlMin: this.#ttlMin.slice(0, n),
      ttlMax: this.#ttlMax.slice(0, n),
      firstSeconds: this.#firstSeconds.slice(0, n),
      lastSeconds: this.#lastSeconds.slice(0, n),
      firstNanos: this.#firstNanos.slice(0, n),
      lastNanos: this.#lastNanos.slice(0, n),
      counts: this.#counts.slice(0, n),
      authoritative: this.#authoritative.slice(0, n),
      chainOf: this.#chainOf.slice(0, n),
      chains: this.#chains.state(),
      evicted: this.evicted,
    };
  }

  static from(state: AddressMapState): AddressMap {
    const map = new AddressMap(state.keys.capacity, KeyTable.from(state.keys), KeyTable.from(state.chains));
    map.#ttlMin.set(state.ttlMin);
    map.#ttlMax.set(state.ttlMax);
    map.#firstSeconds.set(state.firstSeconds);
    map.#lastSeconds.set(state.lastSeconds);
    map.#firstNanos.set(state.firstNanos);
    map.#lastNanos.set(state.lastNanos);
    map.#counts.set(state.counts);
    map.#authoritative.set(state.authoritative);
    map.#chainOf.set(state.chainOf);
    map.evicted = state.evicted;
    return map;
  }
}

export interface AddressMapState {
  keys: KeyTableState;
  ttlMin: Uint32Array;
  ttlMax: Uint32Array;
  firstSeconds: Float64Array;
  lastSeconds: Float64Array;
  firstNanos: Uint32Array;
  lastNanos: Uint32Array;
  counts: Float64Array;
  authoritative: Uint8Array;
  chainOf: Uint32Array;
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
