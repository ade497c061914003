/**
 * State per key for a bounded number of keys: the one that was not used for longest makes room. `evicted` counts those
 * that were given up, so that a detector can tell that it did not see everything.
 */
export class Bounded<K, V> {
  readonly capacity: number;
  evicted = 0;
  readonly #map = new Map<K, V>();
  readonly #gone: ((value: V, key: K) => void) | undefined;

  constructor(capacity: number, gone?: (value: V, key: K) => void) {
    this.capacity = capacity;
    this.#gone = gone;
  }

  get size(): number {
    return this.#map.size;
  }

  /** The state of a key, without counting as a use; undefined when there is none. */
  peek(key: K): V | undefined {
    return this.#map.get(key);
  }

  /** The state of a key, made when there is none; it is now the one used last. */
  take(key: K, make: (key: K) => V): V {
    const map = this.#map;
    let value = map.get(key);
    if (value !== undefined) {
      // Half of the time at most: the order need not be exact.
      if (map.size > this.capacity >> 1) {
        map.delete(key);
        map.set(key, value);
      }
      return value;
    }
    if (map.size >= this.capacity) this.#evict();
    value = make(key);
    map.set(key, value);
    return value;
  }

  delete(key: K): boolean {
    return this.#map.delete(key);
  }

  clear(): void {
    this.#map.clear();
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#map[Symbol.iterator]();
  }

  #evict(): void {
    for (const [key, value] of this.#map) {
      this.#map.delete(key);
      this.evicted++;
      this.#gone?.(value, key);
      return;
    }
  }
}
