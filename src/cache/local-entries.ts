/** Texts by key, at most so many bytes: what was not asked for the longest goes first. */
export class LocalEntries {
  readonly #most: number;
  readonly #entries = new Map<string, { text: string; tag: string | undefined }>();
  #bytes = 0;
  #evicted = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get evicted(): number {
    return this.#evicted;
  }

  get(key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // A Map is in the order of insertion: the last one is the one asked for last.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.text;
  }

  set(key: string, text: string, tag?: string): void {
    this.delete(key);
    const bytes = bytesOf(key, text);
    if (bytes > this.#most) return;
    this.#entries.set(key, { text, tag });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#most) break;
      this.delete(oldest);
      this.#evicted++;
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#bytes -= bytesOf(key, entry.text);
    this.#entries.delete(key);
  }

  /** What has this tag goes; without one, what has any. */
  forget(tag?: string): void {
    for (const [key, entry] of this.#entries) {
      if (tag === undefined ? entry.tag !== undefined : entry.tag === tag) this.delete(key);
    }
  }
}

/** As V8 keeps them, at most: two bytes a character, and the entry. */
function bytesOf(key: string, text: string): number {
  return 2 * (key.length + text.length) + 128;
}
