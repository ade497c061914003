import { type Chunk, joined } from './target.ts';

/** A place in a queue: everything up to it was taken. */
export interface Mark {
  /** Transactions between the mark before and this one. */
  readonly rows: number;
}

/** What waits between rows and a receiver, the oldest first. */
export interface ChunkQueue {
  /** Transactions that were not handed over, and their bytes. */
  readonly rows: number;
  readonly bytes: number;
  /** Whether so many bytes more find room. */
  hasRoom(bytes: number): boolean;
  push(chunk: Chunk): void;
  /** The oldest that was not taken yet, together with those behind it up to `most` bytes; undefined when none waits. */
  take(most: number): Promise<{ chunk: Chunk; mark: Mark } | undefined>;
  /** What was taken up to the mark was handed over. */
  done(mark: Mark): void;
  /** The receiver has everything up to the mark for certain. */
  confirm(mark: Mark): void;
  /** Resolves when what was pushed until now outlives this process, or is with the receiver, or lost and counted. */
  secured(): Promise<void>;
  /** Ends. Of what was taken last and not done, `handed` transactions were. Gives those that are lost with it. */
  close(handed: number): Promise<number>;
}

interface Waiter {
  pushed: number;
  resolve(): void;
}

/** A queue in memory: what it holds is lost with the process. */
export class MemoryQueue implements ChunkQueue {
  rows = 0;
  bytes = 0;
  readonly #most: number;
  readonly #chunks: Chunk[] = [];
  readonly #sizes = new Map<Mark, { bytes: number; number: number }>();
  readonly #waiters: Waiter[] = [];
  /** Chunks that came and that were taken, in all. */
  #pushed = 0;
  #taken = 0;
  #confirmed = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  hasRoom(bytes: number): boolean {
    return this.bytes + bytes < this.#most;
  }

  push(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#pushed++;
    this.rows += chunk.rows;
    this.bytes += chunk.bytes.length;
  }

  async take(most: number): Promise<{ chunk: Chunk; mark: Mark } | undefined> {
    if (this.#chunks.length === 0) return undefined;
    let count = 1;
    let bytes = this.#chunks[0].bytes.length;
    while (count < this.#chunks.length && bytes + this.#chunks[count].bytes.length <= most) {
      bytes += this.#chunks[count++].bytes.length;
    }
    const chunk = joined(this.#chunks.splice(0, count));
    this.#taken += count;
    const mark = { rows: chunk.rows };
    this.#sizes.set(mark, { bytes, number: this.#taken });
    return { chunk, mark };
  }

  done(mark: Mark): void {
    this.rows -= mark.rows;
    this.bytes -= this.#sizes.get(mark)?.bytes ?? 0;
  }

  confirm(mark: Mark): void {
    this.#confirmed = this.#sizes.get(mark)?.number ?? this.#confirmed;
    this.#sizes.delete(mark);
    while (this.#waiters.length > 0 && this.#waiters[0].pushed <= this.#confirmed) this.#waiters.shift()?.resolve();
  }

  secured(): Promise<void> {
    if (this.#confirmed === this.#pushed) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ pushed: this.#pushed, resolve }));
  }

  async close(handed: number): Promise<number> {
    const lost = this.rows - handed;
    this.#chunks.length = 0;
    this.rows = this.bytes = 0;
    for (const { resolve } of this.#waiters.splice(0)) resolve();
    return lost;
  }
}
