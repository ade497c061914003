/** Ids of DNS. */
const IDS = 65_536;

/** The queries under way by id, and their order: ids come in random order, and rest as long as may be before the next use. */
export class OpenQueries<T> {
  count = 0;
  /** A ring of the free ids. */
  readonly #free = new Uint16Array(IDS);
  #nextFree = 0;
  readonly #queries: (T | undefined)[] = new Array<T | undefined>(IDS).fill(undefined);
  readonly #sentAt = new Float64Array(IDS);
  /** A list through the open ids, the oldest first; −1 ends it. */
  readonly #before = new Int32Array(IDS);
  readonly #behind = new Int32Array(IDS);
  #first = -1;
  #last = -1;

  /** `random`: 128 KiB to shuffle the ids by. */
  constructor(random: Uint8Array) {
    for (let i = 0; i < IDS; i++) this.#free[i] = i;
    const words = new Uint16Array(random.buffer, random.byteOffset, IDS);
    for (let i = IDS - 1; i > 0; i--) {
      const j = Math.floor((words[i] * (i + 1)) / IDS);
      const id = this.#free[i];
      this.#free[i] = this.#free[j];
      this.#free[j] = id;
    }
  }

  /** The query of an id; undefined when none is under way. */
  at(id: number): T | undefined {
    return this.#queries[id];
  }
  sentAt(id: number): number {
    return this.#sentAt[id];
  }
  /** Id of the query that waits longest; −1 without one. */
  get oldest(): number {
    return this.#first;
  }

  /** Takes a query in and gives its id. The caller sees to it that fewer than all ids are in use. */
  add(query: T, now: number): number {
    const id = this.#free[this.#nextFree];
    this.#nextFree = (this.#nextFree + 1) % IDS;
    this.#queries[id] = query;
    this.#sentAt[id] = now;
    this.#before[id] = this.#last;
    this.#behind[id] = -1;
    if (this.#last < 0) this.#first = id;
    else this.#behind[this.#last] = id;
    this.#last = id;
    this.count++;
    return id;
  }

  remove(id: number): void {
    const before = this.#before[id];
    const behind = this.#behind[id];
    if (before < 0) this.#first = behind;
    else this.#behind[before] = behind;
    if (behind < 0) this.#last = before;
    else this.#before[behind] = before;
    this.#queries[id] = undefined;
    this.count--;
    this.#free[(this.#nextFree + IDS - 1 - this.count) % IDS] = id;
  }
}
