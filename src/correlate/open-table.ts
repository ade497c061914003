/**
 * The table of open transactions: a hash table with chains over typed arrays, and a list in order of deadline.
 *
 * One slot is 32 words, 8 doubles and 128 bytes for the query's wire form (longer ones are kept aside), so a look-up
 * touches few cache lines and nothing is allocated per message (`open-slot.ts`). It grows by doubling up to `limit` slots; when it is
 * full the caller evicts the slot with the nearest deadline and counts it.
 */

import { UDP } from '../core/carrier.ts';
import type { Words } from '../core/words.ts';
import * as Slot from './open-slot.ts';

// A copy of this module: the compiler knows its values, those of imported names it reads from memory (decision 10).
const T = { ...Slot };
const MAX_NUMBERS_IN_SLOT = 63;
const MAX_NUMBERS = 1 << 20;

export class OpenTable {
  words: Uint32Array;
  doubles: Float64Array;
  inline: Uint8Array;
  /** The same memory. */
  inlineWords: Int32Array;
  /** Wire bytes of queries longer than `INLINE_BYTES`, by slot. */
  readonly long = new Map<number, Uint8Array>();
  /** Wire bytes of a response kept while its slot is open (early, truncated, transfer). */
  readonly response = new Map<number, Uint8Array>();
  /** Nanoseconds that setting up the TCP connection took, by slot of its first query. */
  readonly setup = new Map<number, number>();
  /** Bytes kept aside of queries and responses. */
  aside = 0;
  /** Frame numbers of further query copies and responses, by slot (see `keepNumber`). */
  readonly moreQueries = new Map<number, number[]>();
  readonly moreResponses = new Map<number, number[]>();
  #numbers = 0;
  size = 0;
  #heads: Uint32Array;
  #capacity: number;
  #free = 0;
  readonly #limit: number;
  // One list per state, each with one time-out, so each is in order of deadline by construction.
  readonly #first = new Uint32Array(T.STATES);
  readonly #last = new Uint32Array(T.STATES);

  constructor(limit: number, initial = 4096) {
    this.#limit = limit;
    this.#capacity = Math.min(limit, initial);
    this.words = new Uint32Array(this.#capacity * T.WORDS);
    this.doubles = new Float64Array(this.#capacity * T.DOUBLES);
    this.inline = new Uint8Array(this.#capacity * T.INLINE_BYTES);
    this.inlineWords = new Int32Array(this.inline.buffer);
    this.#heads = new Uint32Array(powerOfTwo(this.#capacity * 2));
    this.#link(0);
  }

  get full(): boolean {
    return this.#free === 0 && this.#capacity >= this.#limit;
  }

  /** First slot + 1 of the chain for a hash; 0 = none. Follow `words[slot * WORDS + NEXT]`. */
  head(hash: number): number {
    return this.#heads[hash & (this.#heads.length - 1)];
  }

  /** Takes a slot for a hash, zeroed and in its chain but in no deadline list. The table must not be `full`. */
  take(hash: number): number {
    if (this.#free === 0) this.#grow();
    const slot = this.#free - 1;
    const w = slot * T.WORDS;
    const words = this.words;
    this.#free = words[w + T.NEXT];
    // A call of `fill` costs more than this; what is before always comes from the message.
    for (let i = w + T.STATE; i < w + T.WORDS; i++) words[i] = 0;
    const doubles = this.doubles;
    for (let i = slot * T.DOUBLES, end = i + T.DOUBLES; i < end; i++) doubles[i] = 0;
    const bucket = hash & (this.#heads.length - 1);
    words[w + T.HASH] = hash;
    words[w + T.NEXT] = this.#heads[bucket];
    this.#heads[bucket] = slot + 1;
    this.size++;
    return slot;
  }

  /** Gives a slot back: out of its chain and its deadline list, everything kept aside is forgotten. */
  release(slot: number): void {
    const words = this.words;
    const w = slot * T.WORDS;
    this.unschedule(slot);
    const bucket = words[w + T.HASH] & (this.#heads.length - 1);
    let at = this.#heads[bucket];
    if (at === slot + 1) this.#heads[bucket] = words[w + T.NEXT];
    else {
      while (words[(at - 1) * T.WORDS + T.NEXT] !== slot + 1) at = words[(at - 1) * T.WORDS + T.NEXT];
      words[(at - 1) * T.WORDS + T.NEXT] = words[w + T.NEXT];
    }
    if (words[w + T.QUERY_LENGTH] > T.INLINE_BYTES) {
      this.long.delete(slot);
      this.aside -= words[w + T.QUERY_LENGTH];
    }
    if (words[w + T.STATE] !== T.OPEN) this.#dropResponse(slot);
    if (this.setup.size > 0 && ((words[w + T.CLASS_KIND] >> 8) & 0xff) !== UDP) this.setup.delete(slot);
    if (words[w + T.QUERIES] > 1 || words[w + T.RESPONSES] > 1) {
      this.#dropNumbers(this.moreQueries, slot);
      this.#dropNumbers(this.moreResponses, slot);
    }
    words[w + T.STATE] = T.FREE;
    words[w + T.NEXT] = this.#free;
    this.#free = slot + 1;
    this.size--;
  }

  /** Puts a slot at the end of its state's deadline list. */
  schedule(slot: number, state: number, deadline: number): void {
    const words = this.words;
    const w = slot * T.WORDS;
    words[w + T.STATE] = state;
    this.doubles[slot * T.DOUBLES + T.DEADLINE] = deadline;
    const last = this.#last[state];
    words[w + T.EARLIER] = last;
    words[w + T.LATER] = 0;
    if (last === 0) this.#first[state] = slot + 1;
    else words[(last - 1) * T.WORDS + T.LATER] = slot + 1;
    this.#last[state] = slot + 1;
  }

  unschedule(slot: number): void {
    const words = this.words;
    const w = slot * T.WORDS;
    const state = words[w + T.STATE];
    const earlier = words[w + T.EARLIER];
    const later = words[w + T.LATER];
    if (earlier === 0) this.#first[state] = later;
    else words[(earlier - 1) * T.WORDS + T.LATER] = later;
    if (later === 0) this.#last[state] = earlier;
    else words[(later - 1) * T.WORDS + T.EARLIER] = earlier;
  }

  /** All slots with a deadline: by state, in order of deadline. */
  scheduled(): number[] {
    const slots: number[] = [];
    for (let state = T.OPEN; state < T.STATES; state++) {
      for (let at = this.#first[state]; at !== 0; at = this.words[(at - 1) * T.WORDS + T.LATER]) slots.push(at - 1);
    }
    return slots;
  }

  /** Slot + 1 with the nearest deadline of all; 0 when empty. Ties: the lower frame number. */
  nearest(): number {
    let best = 0;
    let deadline = Number.POSITIVE_INFINITY;
    for (let state = T.OPEN; state < T.STATES; state++) {
      const first = this.#first[state];
      if (first === 0) continue;
      const d = (first - 1) * T.DOUBLES;
      const due = this.doubles[d + T.DEADLINE];
      if (due < deadline || (due === deadline && this.doubles[d + T.ORDER_NUMBER] < this.#number(best))) {
        best = first;
        deadline = due;
      }
    }
    return best;
  }

  /** Keeps the query's wire bytes. */
  keepQuery(slot: number, bytes: Uint8Array, at: number, length: number, words: Words): void {
    this.words[slot * T.WORDS + T.QUERY_LENGTH] = length;
    if (length <= T.INLINE_BYTES) {
      const source = words.of(bytes);
      const target = this.inlineWords;
      let to = (slot * T.INLINE_BYTES) >> 2;
      let from = at;
      for (const stop = at + length - 3; from < stop; from += 4) target[to++] = source.getInt32(from, true);
      const { inline } = this;
      for (to *= 4; from < at + length; from++) inline[to++] = bytes[from];
    } else {
      this.long.set(slot, bytes.slice(at, at + length));
      this.aside += length;
    }
  }

  /** Keeps the response's wire bytes while the slot is open. */
  keepResponse(slot: number, bytes: Uint8Array, from: number, to: number): void {
    this.#dropResponse(slot);
    this.response.set(slot, bytes.slice(from, to));
    this.aside += to - from;
  }

  /** Remembers the frame of a further copy: at most 64 a slot (with the first), 2^20 in all. */
  keepNumber(map: Map<number, number[]>, slot: number, number: number): void {
    if (this.#numbers >= MAX_NUMBERS) return;
    const kept = map.get(slot);
    if (kept === undefined) map.set(slot, [number]);
    else if (kept.length < MAX_NUMBERS_IN_SLOT) kept.push(number);
    else return;
    this.#numbers++;
  }

  #dropNumbers(map: Map<number, number[]>, slot: number): void {
    const kept = map.get(slot);
    if (kept === undefined) return;
    map.delete(slot);
    this.#numbers -= kept.length;
  }

  #dropResponse(slot: number): void {
    const kept = this.response.get(slot);
    if (kept === undefined) return;
    this.response.delete(slot);
    this.aside -= kept.length;
  }

  #number(plusOne: number): number {
    return this.doubles[(plusOne - 1) * T.DOUBLES + T.ORDER_NUMBER];
  }

  #link(from: number): void {
    for (let slot = this.#capacity - 1; slot >= from; slot--) {
      this.words[slot * T.WORDS + T.NEXT] = this.#free;
      this.#free = slot + 1;
    }
  }

  /** Twice as many chains or more; within each the newest slot stays first. */
  #rechain(): void {
    const words = this.words;
    const before = this.#heads;
    const heads = new Uint32Array(powerOfTwo(this.#capacity * 2));
    const tails = new Uint32Array(heads.length);
    for (const head of before) {
      for (let at = head; at !== 0; ) {
        const next = words[(at - 1) * T.WORDS + T.NEXT];
        const bucket = words[(at - 1) * T.WORDS + T.HASH] & (heads.length - 1);
        if (tails[bucket] === 0) heads[bucket] = at;
        else words[(tails[bucket] - 1) * T.WORDS + T.NEXT] = at;
        words[(at - 1) * T.WORDS + T.NEXT] = 0;
        tails[bucket] = at;
        at = next;
      }
    }
    this.#heads = heads;
  }

  #grow(): void {
    const old = this.#capacity;
    this.#capacity = Math.min(this.#limit, old * 2);
    const words = new Uint32Array(this.#capacity * T.WORDS);
    words.set(this.words);
    this.words = words;
    const doubles = new Float64Array(this.#capacity * T.DOUBLES);
    doubles.set(this.doubles);
    this.doubles = doubles;
    const inline = new Uint8Array(this.#capacity * T.INLINE_BYTES);
    inline.set(this.inline);
    this.inline = inline;
    this.inlineWords = new Int32Array(inline.buffer);
    this.#rechain();
    this.#link(old);
  }
}

function powerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}
