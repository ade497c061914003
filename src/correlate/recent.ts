// Words of an entry.
const KEY_A = 0;
const KEY_B = 1;
const NEXT = 2; // next entry + 1 of the chain
/** Digest of the response. */
export const DIGEST = 3;
/** Flags << 16 | length of the query. */
export const ASKED = 4;
const NEWER = 5; // the entry + 1 before it in the chain
export const WORDS = 8;

// Doubles of an entry.
/** Run clock in ns of the last query copy, and of the answer. */
export const QUERY_CLOCK = 0;
export const ANSWER_CLOCK = 1;
/** Frame numbers of the first query and of the response. */
export const QUERY_NUMBER = 2;
export const ANSWER_NUMBER = 3;
export const DOUBLES = 4;

const FIRST_ENTRIES = 4096;
/** Entries of one key looked at: a stranger's choice of ids and names must not make look-ups long. */
const MAX_SAME_KEY = 32;

/**
 * What was closed lately: enough to tell a late or repeated response, or a mirror port's copy, from an orphan.
 *
 * A ring with hash chains. It grows while its oldest entry is still to be remembered, up to `capacity` entries (a power
 * of two); beyond that the oldest is forgotten before its time.
 */
export class Recent {
  words = new Uint32Array(FIRST_ENTRIES * WORDS);
  doubles = new Float64Array(FIRST_ENTRIES * DOUBLES);
  readonly #keep: number;
  readonly #limit: number;
  #capacity = FIRST_ENTRIES;
  #heads = new Uint32Array(FIRST_ENTRIES);
  #at = 0;
  #count = 0;

  /** Entries are remembered for `keepNanos` after their last query copy. */
  constructor(keepNanos: number, limit = 1 << 18) {
    this.#keep = keepNanos;
    this.#limit = limit;
  }

  /** The newest entry of this key that is remembered at `clock`; −1 = none. `keyB` 0 = any. */
  find(keyA: number, keyB: number, clock: number): number {
    if (this.#count === 0) return -1;
    const words = this.words;
    let same = 0;
    for (let entry = this.#heads[keyA & (this.#capacity - 1)]; entry !== 0; ) {
      const w = (entry - 1) * WORDS;
      if (words[w + KEY_A] === keyA) {
        if (keyB === 0 || words[w + KEY_B] === keyB) {
          return this.doubles[(entry - 1) * DOUBLES + QUERY_CLOCK] + this.#keep >= clock ? entry - 1 : -1;
        }
        if (++same === MAX_SAME_KEY) return -1;
      }
      entry = words[w + NEXT];
    }
    return -1;
  }

  /** A new entry; its columns beyond the key are the caller's to fill (from `entry * WORDS`, `entry * DOUBLES`). */
  add(keyA: number, keyB: number, clock: number): number {
    if (this.#count === this.#capacity && this.#capacity < this.#limit) {
      if (this.doubles[this.#at * DOUBLES + QUERY_CLOCK] + this.#keep >= clock) this.#grow();
    }
    const i = this.#at;
    if (this.#count === this.#capacity) this.#unlink(i);
    else this.#count++;
    this.#at = (i + 1) & (this.#capacity - 1);
    const w = i * WORDS;
    this.words[w + KEY_A] = keyA;
    this.words[w + KEY_B] = keyB;
    this.#link(i);
    return i;
  }

  clear(): void {
    this.#heads.fill(0);
    this.#at = 0;
    this.#count = 0;
  }

  #link(i: number): void {
    const words = this.words;
    const bucket = words[i * WORDS + KEY_A] & (this.#capacity - 1);
    const next = this.#heads[bucket];
    words[i * WORDS + NEXT] = next;
    words[i * WORDS + NEWER] = 0;
    if (next !== 0) words[(next - 1) * WORDS + NEWER] = i + 1;
    this.#heads[bucket] = i + 1;
  }

  /** Takes out the oldest entry: it is the last one of its chain. */
  #unlink(i: number): void {
    const words = this.words;
    const newer = words[i * WORDS + NEWER];
    if (newer === 0) this.#heads[words[i * WORDS + KEY_A] & (this.#capacity - 1)] = 0;
    else words[(newer - 1) * WORDS + NEXT] = 0;
  }

  /** Twice the room, the oldest entry first. The ring is full. */
  #grow(): void {
    const { words, doubles } = this;
    const n = this.#capacity;
    this.#capacity = 2 * n;
    this.words = new Uint32Array(2 * n * WORDS);
    this.doubles = new Float64Array(2 * n * DOUBLES);
    this.words.set(words.subarray(this.#at * WORDS));
    this.words.set(words.subarray(0, this.#at * WORDS), (n - this.#at) * WORDS);
    this.doubles.set(doubles.subarray(this.#at * DOUBLES));
    this.doubles.set(doubles.subarray(0, this.#at * DOUBLES), (n - this.#at) * DOUBLES);
    this.#heads = new Uint32Array(2 * n);
    for (let i = 0; i < n; i++) this.#link(i);
    this.#at = n;
  }
}
