/**
 * What was closed lately: enough to tell a late or repeated response, or a mirror port's copy, from an orphan.
 *
 * A ring of fixed size with hash chains; an entry is forgotten after its time or when the ring comes round.
 */
export class Recent {
  /** Per entry: two words that identify the transaction, a digest of its response (0 = it was unanswered). */
  readonly keyA: Uint32Array;
  readonly keyB: Uint32Array;
  readonly digest: Uint32Array;
  /** Per entry, run clock in ns: last query copy, answer, and until when it is remembered. */
  readonly queryClock: Float64Array;
  readonly answerClock: Float64Array;
  readonly until: Float64Array;
  /** Per entry: frame numbers of the first query and of the response. */
  readonly queryNumber: Float64Array;
  readonly answerNumber: Float64Array;
  readonly #next: Uint32Array;
  readonly #heads: Uint32Array;
  readonly #capacity: number;
  #at = 0;
  #count = 0;

  constructor(capacity = 1 << 17) {
    this.#capacity = capacity;
    this.keyA = new Uint32Array(capacity);
    this.keyB = new Uint32Array(capacity);
    this.digest = new Uint32Array(capacity);
    this.queryClock = new Float64Array(capacity);
    this.answerClock = new Float64Array(capacity);
    this.until = new Float64Array(capacity);
    this.queryNumber = new Float64Array(capacity);
    this.answerNumber = new Float64Array(capacity);
    this.#next = new Uint32Array(capacity);
    this.#heads = new Uint32Array(capacity);
  }

  /** Index of the newest entry of this key that is still remembered at `clock`; −1 = none. */
  find(keyA: number, keyB: number, clock: number): number {
    if (this.#count === 0) return -1;
    let entry = this.#heads[keyA & (this.#capacity - 1)];
    while (entry !== 0) {
      const i = entry - 1;
      if (this.keyA[i] === keyA && (keyB === 0 || this.keyB[i] === keyB)) return this.until[i] >= clock ? i : -1;
      entry = this.#next[i];
    }
    return -1;
  }

  /** A new entry's index; its columns beyond the key are the caller's to fill. */
  add(keyA: number, keyB: number): number {
    const i = this.#at;
    if (this.#count === this.#capacity) this.#unlink(i);
    else this.#count++;
    this.#at = (i + 1) & (this.#capacity - 1);
    this.keyA[i] = keyA;
    this.keyB[i] = keyB;
    const bucket = keyA & (this.#capacity - 1);
    this.#next[i] = this.#heads[bucket];
    this.#heads[bucket] = i + 1;
    return i;
  }

  #unlink(i: number): void {
    const next = this.#next;
    const bucket = this.keyA[i] & (this.#capacity - 1);
    let at = this.#heads[bucket];
    if (at === i + 1) {
      this.#heads[bucket] = next[i];
      return;
    }
    while (next[at - 1] !== i + 1) at = next[at - 1];
    next[at - 1] = next[i];
  }
}
