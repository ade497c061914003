/**
 * The table of open transactions: a hash table with chains over typed arrays, and a list in order of deadline.
 *
 * One slot is 32 words, 8 doubles and 128 bytes for the query's wire form (longer ones are kept aside), so a look-up
 * touches few cache lines and nothing is allocated per message. It grows by doubling up to `limit` slots; when it is
 * full the caller evicts the slot with the nearest deadline and counts it.
 */

// Words of a slot.
export const HASH = 0;
export const NEXT = 1; // next slot + 1 in the chain, also of the free list
export const CLIENT = 2; // 4 words
export const SERVER = 6; // 4 words
export const PORTS = 10; // client port << 16 | server port
export const ID_TYPE = 11; // message id << 16 | question type
export const CLASS_KIND = 12; // question class << 16 | transport << 8 | protocol << 4 | family
export const NAME_HASH = 13;
export const STATE = 14;
export const QUERIES = 15;
export const RESPONSES = 16;
export const DUPLICATES = 17;
export const PASSED = 18; // a message of it passed the filter
export const OPEN_NANOS = 19;
export const LAST_NANOS = 20;
export const ANSWER_NANOS = 21;
export const QUERY_BYTES = 22; // on the wire
export const QUERY_LENGTH = 23; // at hand
export const RESPONSE_BYTES = 24; // of a datagram that came in fragments with the top bit set
export const CAPTURED_ON = 25; // interface << 16 | vlan (0xffff none)
export const QUERY_FLAGS = 26; // identification of the IPv4 header of the last copy << 16 | flags
export const QUERY_FAULT = 27; // code << 24 | place << 20 | offset (20 bits)
export const EARLIER = 28; // deadline list: previous slot + 1
export const LATER = 29; // next slot + 1
export const PAIR_EARLIER = 30; // chain of the table of truncated answers, both ways
export const PAIR_NEXT = 31;
export const SOA_SEEN = 30; // zone transfer (never truncated): SOA records with the new serial so far, and that serial
export const SERIAL = 31;
export const WORDS = 32;
/** Bit of `RESPONSE_BYTES`. */
export const FRAGMENTED = 0x80000000;

// Doubles of a slot.
export const OPEN_SECONDS = 0;
export const LAST_SECONDS = 1;
export const ANSWER_SECONDS = 2;
export const OPEN_NUMBER = 3;
/** Frame that scheduled the slot last: what orders rows that close at the same time. */
export const ORDER_NUMBER = 4;
export const ANSWER_NUMBER = 5;
export const DEADLINE = 6; // run clock, ns
export const LAST_CLOCK = 7; // run clock of the last query copy (early response: of it)
export const DOUBLES = 8;

export const INLINE_BYTES = 128;
const MAX_NUMBERS_IN_SLOT = 63;
const MAX_NUMBERS = 1 << 20;

// States.
export const FREE = 0;
export const OPEN = 1;
/** A response whose query has not been seen yet (it may be stamped up to 1 ms later). */
export const EARLY = 2;
/** Answered with TC over UDP: waits for the TCP retry. */
export const TRUNCATED = 3;
/** A zone transfer that has begun. */
export const TRANSFER = 4;
export const STATES = 5;

export class OpenTable {
  words: Uint32Array;
  doubles: Float64Array;
  inline: Uint8Array;
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
  readonly #first = new Uint32Array(STATES);
  readonly #last = new Uint32Array(STATES);

  constructor(limit: number, initial = 4096) {
    this.#limit = limit;
    this.#capacity = Math.min(limit, initial);
    this.words = new Uint32Array(this.#capacity * WORDS);
    this.doubles = new Float64Array(this.#capacity * DOUBLES);
    this.inline = new Uint8Array(this.#capacity * INLINE_BYTES);
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
    const w = slot * WORDS;
    const words = this.words;
    this.#free = words[w + NEXT];
    // A call of `fill` costs more than this.
    for (let i = w; i < w + WORDS; i++) words[i] = 0;
    const doubles = this.doubles;
    for (let i = slot * DOUBLES, end = i + DOUBLES; i < end; i++) doubles[i] = 0;
    const bucket = hash & (this.#heads.length - 1);
    words[w + HASH] = hash;
    words[w + NEXT] = this.#heads[bucket];
    this.#heads[bucket] = slot + 1;
    this.size++;
    return slot;
  }

  /** Gives a slot back: out of its chain and its deadline list, everything kept aside is forgotten. */
  release(slot: number): void {
    const words = this.words;
    const w = slot * WORDS;
    this.unschedule(slot);
    const bucket = words[w + HASH] & (this.#heads.length - 1);
    let at = this.#heads[bucket];
    if (at === slot + 1) this.#heads[bucket] = words[w + NEXT];
    else {
      while (words[(at - 1) * WORDS + NEXT] !== slot + 1) at = words[(at - 1) * WORDS + NEXT];
      words[(at - 1) * WORDS + NEXT] = words[w + NEXT];
    }
    if (words[w + QUERY_LENGTH] > INLINE_BYTES) {
      this.long.delete(slot);
      this.aside -= words[w + QUERY_LENGTH];
    }
    if (this.response.size > 0) this.#dropResponse(slot);
    if (this.setup.size > 0) this.setup.delete(slot);
    if (this.#numbers > 0) {
      this.#dropNumbers(this.moreQueries, slot);
      this.#dropNumbers(this.moreResponses, slot);
    }
    words[w + STATE] = FREE;
    words[w + NEXT] = this.#free;
    this.#free = slot + 1;
    this.size--;
  }

  /** Puts a slot at the end of its state's deadline list. */
  schedule(slot: number, state: number, deadline: number): void {
    const words = this.words;
    const w = slot * WORDS;
    words[w + STATE] = state;
    this.doubles[slot * DOUBLES + DEADLINE] = deadline;
    const last = this.#last[state];
    words[w + EARLIER] = last;
    words[w + LATER] = 0;
    if (last === 0) this.#first[state] = slot + 1;
    else words[(last - 1) * WORDS + LATER] = slot + 1;
    this.#last[state] = slot + 1;
  }

  unschedule(slot: number): void {
    const words = this.words;
    const w = slot * WORDS;
    const state = words[w + STATE];
    const earlier = words[w + EARLIER];
    const later = words[w + LATER];
    if (earlier === 0) this.#first[state] = later;
    else words[(earlier - 1) * WORDS + LATER] = later;
    if (later === 0) this.#last[state] = earlier;
    else words[(later - 1) * WORDS + EARLIER] = earlier;
  }

  /** All slots with a deadline: by state, in order of deadline. */
  scheduled(): number[] {
    const slots: number[] = [];
    for (let state = OPEN; state < STATES; state++) {
      for (let at = this.#first[state]; at !== 0; at = this.words[(at - 1) * WORDS + LATER]) slots.push(at - 1);
    }
    return slots;
  }

  /** Slot + 1 with the nearest deadline of all; 0 when empty. Ties: the lower frame number. */
  nearest(): number {
    let best = 0;
    let deadline = Number.POSITIVE_INFINITY;
    for (let state = OPEN; state < STATES; state++) {
      const first = this.#first[state];
      if (first === 0) continue;
      const d = (first - 1) * DOUBLES;
      const due = this.doubles[d + DEADLINE];
      if (due < deadline || (due === deadline && this.doubles[d + ORDER_NUMBER] < this.#number(best))) {
        best = first;
        deadline = due;
      }
    }
    return best;
  }

  /** Keeps the query's wire bytes. */
  keepQuery(slot: number, bytes: Uint8Array, at: number, length: number): void {
    this.words[slot * WORDS + QUERY_LENGTH] = length;
    if (length <= INLINE_BYTES) {
      const inline = this.inline;
      for (let i = 0, to = slot * INLINE_BYTES; i < length; i++) inline[to + i] = bytes[at + i];
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
    return this.doubles[(plusOne - 1) * DOUBLES + ORDER_NUMBER];
  }

  #link(from: number): void {
    for (let slot = this.#capacity - 1; slot >= from; slot--) {
      this.words[slot * WORDS + NEXT] = this.#free;
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
        const next = words[(at - 1) * WORDS + NEXT];
        const bucket = words[(at - 1) * WORDS + HASH] & (heads.length - 1);
        if (tails[bucket] === 0) heads[bucket] = at;
        else words[(tails[bucket] - 1) * WORDS + NEXT] = at;
        words[(at - 1) * WORDS + NEXT] = 0;
        tails[bucket] = at;
        at = next;
      }
    }
    this.#heads = heads;
  }

  #grow(): void {
    const old = this.#capacity;
    this.#capacity = Math.min(this.#limit, old * 2);
    const words = new Uint32Array(this.#capacity * WORDS);
    words.set(this.words);
    this.words = words;
    const doubles = new Float64Array(this.#capacity * DOUBLES);
    doubles.set(this.doubles);
    this.doubles = doubles;
    const inline = new Uint8Array(this.#capacity * INLINE_BYTES);
    inline.set(this.inline);
    this.inline = inline;
    this.#rechain();
    this.#link(old);
  }
}

function powerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}
