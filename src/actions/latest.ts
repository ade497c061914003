/** A table of the keys that were set last: beyond its room, the one that has not been set for the longest goes. */
export class Latest<V> {
  readonly #by = new Map<string, V>();
  readonly #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  get(key: string): V | undefined {
    return this.#by.get(key);
  }

  set(key: string, value: V): void {
    this.#by.delete(key);
    this.#by.set(key, value);
    if (this.#by.size <= this.#room) return;
    const [oldest] = this.#by.keys();
    this.#by.delete(oldest);
  }

  values(): V[] {
    return [...this.#by.values()];
  }
}
