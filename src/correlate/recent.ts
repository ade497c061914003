// Words of an entry.
const KEY_A = 0;
const KEY_B = 1;
const NEXT = 2; // serial of the next older entry of the chain
const DIGEST = 3;
const ASKED = 4;
const IP_ID = 5;
const WORDS = 8;

// Doubles of an entry.
const QUERY_CLOCK = 0;
const ANSWER_CLOCK = 1;
const QUERY_NUMBER = 2;
const ANSWER_NUMBER = 3;
const DOUBLES = 4;

const FIRST_ENTRIES = 4096;
const CHAINS_PER_ENTRY = 1;
/** Buckets of the latest times: few enough to stay in the nearest caches. */
const LATEST = 1 << 14;
/** Entries of one key looked at: a stranger's choice of ids and names must not make look-ups long. */
const MAX_SAME_KEY = 32;

/** What is remembered of a transaction that was closed. */
export interface Closed {
  /** Digest of the response. */
  digest: number;
  /** Flags << 16 | length of the query. */
  asked: number;
  /** Identification of the IPv4 header of the last query copy. */
  ipId: number;
  /** Run clock in ns of the last query copy. */
  queryClock: number;
  /** Frame numbers of the first query and of the response. */
  queryNumber: number;
  answerNumber: number;
}

/**
 * What was closed lately: enough to tell a late or repeated response, or a mirror port's copy, from an orphan.
 *
 * A ring with hash chains by serial number: an entry whose serial has fallen out of the ring ends its chain, so nothing
 * is ever taken out. It grows while its oldest entry is still to be remembered, up to `limit` entries (a power of two);
 * beyond that the oldest is forgotten before its time. Entries come by the thousand and are looked for by the dozen:
 * chains are brought up to date when somebody looks, many entries at once.
 */
export class Recent {
  #words = new Uint32Array(FIRST_ENTRIES * WORDS);
  #doubles = new Float64Array(FIRST_ENTRIES * DOUBLES);
  readonly #keep: number;
  readonly #limit: number;
  #capacity = FIRST_ENTRIES;
  /** Serial of the newest entry of each chain; 0 = none. */
  #heads = new Uint32Array(FIRST_ENTRIES * CHAINS_PER_ENTRY);
  /** By hash: the latest query of an entry. Nearly every look-up for a copy ends here. */
  readonly #latest = new Float64Array(LATEST).fill(Number.NEGATIVE_INFINITY);
  /** Serial of the newest entry; an entry lies at its serial modulo the capacity. */
  #newest = 0;
  /** Serial of the last entry that is in its chain. */
  #linked = 0;

  /** Entries are remembered for `keepNanos` after their last query copy. */
  constructor(keepNanos: number, limit = 1 << 18) {
    this.#keep = keepNanos;
    this.#limit = limit;
  }

  /** The newest entry of this key that is remembered at `clock`; −1 = none. `keyB` 0 = any. */
  find(keyA: number, keyB: number, clock: number): number {
    if (this.#linked < this.#newest) this.#linkAll();
    const words = this.#words;
    const oldest = this.#newest - this.#capacity;
    const mask = this.#capacity - 1;
    let same = 0;
    for (let serial = this.#heads[keyA & (this.#heads.length - 1)]; serial > oldest && serial > 0; ) {
      const entry = serial & mask;
      const w = entry * WORDS;
      if (words[w + KEY_A] === keyA) {
        if (keyB === 0 || words[w + KEY_B] === keyB) {
          return this.#doubles[entry * DOUBLES + QUERY_CLOCK] + this.#keep >= clock ? entry : -1;
        }
        if (++same === MAX_SAME_KEY) return -1;
      }
      serial = words[w + NEXT];
    }
    return -1;
  }

  /** False when no entry of this key can have had its last query copy at or after `clock`. */
  mayHaveSince(keyA: number, clock: number): boolean {
    return this.#latest[keyA & (LATEST - 1)] >= clock;
  }

  /** Frame numbers of the first query and of the response of an entry. */
  queryNumber(entry: number): number {
    return this.#doubles[entry * DOUBLES + QUERY_NUMBER];
  }
  answerNumber(entry: number): number {
    return this.#doubles[entry * DOUBLES + ANSWER_NUMBER];
  }

  /** True when an entry's last query was one of these flags, length and identification, and not before `clock`. */
  wasAsked(entry: number, asked: number, ipId: number, clock: number): boolean {
    const words = this.#words;
    const w = entry * WORDS;
    if (this.#doubles[entry * DOUBLES + QUERY_CLOCK] < clock) return false;
    return words[w + ASKED] === asked && words[w + IP_ID] === ipId;
  }

  /** True when an entry's answer has this digest, and came not before `clock`. */
  wasAnswered(entry: number, digest: number, clock: number): boolean {
    return this.#doubles[entry * DOUBLES + ANSWER_CLOCK] >= clock && this.#words[entry * WORDS + DIGEST] === digest;
  }

  /** A new entry, of now. */
  add(keyA: number, keyB: number, now: number, closed: Closed): void {
    if (this.#newest === 0xffff_ffff) this.clear();
    let i = (this.#newest + 1) & (this.#capacity - 1);
    if (this.#newest >= this.#capacity && this.#capacity < this.#limit) {
      if (this.#doubles[i * DOUBLES + QUERY_CLOCK] + this.#keep >= now) {
        this.#grow();
        i = (this.#newest + 1) & (this.#capacity - 1);
      }
    }
    this.#newest++;
    const words = this.#words;
    const w = i * WORDS;
    words[w + KEY_A] = keyA;
    words[w + KEY_B] = keyB;
    words[w + DIGEST] = closed.digest;
    words[w + ASKED] = closed.asked;
    words[w + IP_ID] = closed.ipId;
    const doubles = this.#doubles;
    const d = i * DOUBLES;
    doubles[d + QUERY_CLOCK] = closed.queryClock;
    doubles[d + ANSWER_CLOCK] = now;
    doubles[d + QUERY_NUMBER] = closed.queryNumber;
    doubles[d + ANSWER_NUMBER] = closed.answerNumber;
    const bucket = keyA & (LATEST - 1);
    if (closed.queryClock > this.#latest[bucket]) this.#latest[bucket] = closed.queryClock;
  }

  clear(): void {
    this.#heads.fill(0);
    this.#latest.fill(Number.NEGATIVE_INFINITY);
    this.#newest = this.#linked = 0;
  }

  /** Puts the entries that are new since the last time into their chains. */
  #linkAll(): void {
    const first = Math.max(this.#linked, this.#newest - this.#capacity) + 1;
    for (let serial = first; serial <= this.#newest; serial++) this.#link(serial & (this.#capacity - 1), serial);
    this.#linked = this.#newest;
  }

  #link(i: number, serial: number): void {
    const words = this.#words;
    const bucket = words[i * WORDS + KEY_A] & (this.#heads.length - 1);
    words[i * WORDS + NEXT] = this.#heads[bucket];
    this.#heads[bucket] = serial;
  }

  /** Twice the room. The ring is full. */
  #grow(): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const n = this.#capacity;
    this.#capacity = 2 * n;
    this.#words = new Uint32Array(2 * n * WORDS);
    this.#doubles = new Float64Array(2 * n * DOUBLES);
    this.#heads = new Uint32Array(2 * n * CHAINS_PER_ENTRY);
    // From the oldest to the end of the ring, and from its beginning to the newest.
    const oldest = this.#newest - n + 1;
    const split = oldest & (n - 1);
    this.#move(words, doubles, split, n, oldest);
    this.#move(words, doubles, 0, split, oldest + n - split);
    this.#linked = oldest - 1;
  }

  /** Copies entries [from, to) of smaller columns to where `serial` and those behind it lie now. */
  #move(words: Uint32Array, doubles: Float64Array, from: number, to: number, serial: number): void {
    const at = serial & (this.#capacity - 1);
    this.#words.set(words.subarray(from * WORDS, to * WORDS), at * WORDS);
    this.#doubles.set(doubles.subarray(from * DOUBLES, to * DOUBLES), at * DOUBLES);
  }
}
