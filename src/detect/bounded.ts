/** How full the tables of one owner are, and how many entries were given up for want of room. */
export interface TableCount {
  name: string;
  used: number;
  limit: number;
  evicted: number;
}

/** What can be counted: `Bounded`, and tables like it. */
export interface Counted {
  readonly size: number;
  readonly capacity: number;
  readonly evicted: number;
}

let heard: Counted[] | undefined;

/** The tables that are made while `make` runs, so that nobody has to hand in what he makes. */
export function tablesMadeBy<T>(make: () => T): { made: T; tables: readonly Counted[] } {
  const outer = heard;
  const tables: Counted[] = [];
  heard = tables;
  try {
    return { made: make(), tables };
  } finally {
    heard = outer;
  }
}

/** Takes note of a table that is made. */
export function noteTable(table: Counted): void {
  heard?.push(table);
}

/** Sums tables up. */
export function countOf(name: string, tables: Iterable<Counted>): TableCount {
  const sum = { name, used: 0, limit: 0, evicted: 0 };
  for (const { size, capacity, evicted } of tables) {
    sum.used += size;
    sum.limit += capacity;
    sum.evicted += evicted;
  }
  return sum;
}

/**
 * State per key for at most `capacity` keys. Two maps take turns: a key that was not used while half the capacity of
 * others were taken is given up, so nothing is ever searched for or moved to keep an order. `evicted` counts those given
 * up, so that a detector can tell that it did not see everything.
 */
export class Bounded<K, V> implements Counted {
  readonly capacity: number;
  evicted = 0;
  #now = new Map<K, V>();
  #before = new Map<K, V>();
  readonly #half: number;
  readonly #gone: ((value: V, key: K) => void) | undefined;

  constructor(capacity: number, gone?: (value: V, key: K) => void) {
    this.capacity = capacity;
    this.#half = Math.max(1, capacity >> 1);
    this.#gone = gone;
    noteTable(this);
  }

  get size(): number {
    return this.#now.size + this.#before.size;
  }

  /** The state of a key, without counting as a use; undefined when there is none. */
  peek(key: K): V | undefined {
    return this.#now.get(key) ?? this.#before.get(key);
  }

  /**
   * The state of a key, made when there is none; it is used now. What `make` needs besides the key is given as `context`:
   * a function that takes it from its surroundings would be made for every transaction.
   */
  take<C>(key: K, make: (key: K, context: C) => V, context?: C): V {
    const known = this.#now.get(key);
    if (known !== undefined) return known;
    let value = this.#before.get(key);
    if (value === undefined) value = make(key, context as C);
    else this.#before.delete(key);
    if (this.#now.size >= this.#half) this.#turn();
    this.#now.set(key, value);
    return value;
  }

  delete(key: K): boolean {
    return this.#now.delete(key) || this.#before.delete(key);
  }

  clear(): void {
    this.#now.clear();
    this.#before.clear();
  }

  *[Symbol.iterator](): Generator<[K, V]> {
    yield* this.#now;
    yield* this.#before;
  }

  #turn(): void {
    this.evicted += this.#before.size;
    if (this.#gone !== undefined) for (const [key, value] of this.#before) this.#gone(value, key);
    this.#before = this.#now;
    this.#now = new Map();
  }
}
