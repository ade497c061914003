import { setTimeout as sleep } from 'node:timers/promises';
import type { TransactionBatch } from '../core/transactions.ts';
import { ByteWriter, CHUNK_BYTES } from './byte-writer.ts';
import type { DropCause, Sink, SinkContext, SinkStatus } from './sink.ts';

/** Whole records, one after the other. */
export interface Chunk {
  bytes: Uint8Array<ArrayBuffer>;
  /** Offset in `bytes` behind each record. */
  ends: readonly number[];
  /** Transactions that the records are of. */
  rows: number;
}

/**
 * Makes what writes the records of one transaction to `writer`, and their ends to `ends`; gives false when it is too long
 * for the receiver.
 */
export type Encoding = (writer: ByteWriter) => (batch: TransactionBatch, row: number, ends: number[]) => boolean;

/** The other end: a file, a socket. */
export interface Target {
  /**
   * Resolves when a chunk is handed over whole; rejects when it is not: then it is given again, after a pause. An empty
   * one asks only for what is behind. The signal aborts when there is no more time.
   */
  send(chunk: Chunk, signal: AbortSignal): Promise<void>;
  /** Transactions that were handed over twice, to be sure. */
  readonly repeated?: number;
  reopen?(): void;
  close(): Promise<void>;
}

/** Records wait this long for more. */
const GATHER_MS = 100;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

/**
 * The way from rows to a target, the same for every sink: records are made at once, wait in a bounded queue, and are
 * handed over in order; what fails is tried again, ever more slowly; what finds no room is dropped and counted.
 */
export class Delivery implements Sink {
  readonly #target: Target;
  readonly #encode: ReturnType<Encoding>;
  readonly #context: SinkContext;
  readonly #most: number;
  readonly #writer = new ByteWriter(2 * CHUNK_BYTES);
  readonly #queue: Chunk[] = [];
  readonly #dropped: Record<DropCause, number> = { queue_full: 0, too_long: 0, closed: 0 };
  readonly #ending = new AbortController();
  #ends: number[] = [];
  #rows = 0;
  /** Bytes in the queue. */
  #bytes = 0;
  #written = 0;
  #failed = 0;
  #error: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #pause: AbortController | undefined;
  #waiters: (() => void)[] = [];

  constructor(target: Target, encoding: Encoding, context: SinkContext, queueBytes: number) {
    this.#target = target;
    this.#encode = encoding(this.#writer);
    this.#context = context;
    this.#most = queueBytes;
  }

  rows(batch: TransactionBatch, from: number, to: number): void {
    const writer = this.#writer;
    const { passes } = this.#context;
    for (let i = from; i < to; i++) {
      if (!passes(batch, i)) continue;
      if (this.#ending.signal.aborted) {
        this.#dropped.closed++;
        continue;
      }
      if (this.#bytes + writer.length >= this.#most) {
        this.#dropped.queue_full++;
        continue;
      }
      const before = writer.length;
      const { length } = this.#ends;
      if (this.#encode(batch, i, this.#ends)) this.#rows++;
      else {
        writer.length = before;
        this.#ends.length = length;
        this.#dropped.too_long++;
      }
      if (writer.length >= CHUNK_BYTES) this.#cut();
    }
    if (writer.length > 0) this.#timer ??= setTimeout(() => this.#cut(), GATHER_MS);
  }

  ready(): Promise<void> | undefined {
    if (this.#bytes + this.#writer.length < this.#most / 2 || this.#ending.signal.aborted) return undefined;
    this.#cut();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  status(): SinkStatus {
    const queued = this.#queue.reduce((sum, { rows }) => sum + rows, this.#rows);
    return {
      written: this.#written,
      queue: queued,
      repeated: this.#target.repeated ?? 0,
      dropped: { ...this.#dropped },
      failed: this.#failed,
      error: this.#error,
    };
  }

  reopen(): void {
    this.#target.reopen?.();
    this.retry();
  }

  /** Tries again at once, also with nothing to write: what a lost connection held back is handed over then. */
  retry(): void {
    this.#pause?.abort();
    this.#push({ bytes: new Uint8Array(0), ends: [], rows: 0 });
  }

  async close(patienceMs: number): Promise<void> {
    this.#cut();
    this.#pause?.abort();
    const late = setTimeout(() => this.#ending.abort(), patienceMs);
    await this.#running;
    clearTimeout(late);
    this.#ending.abort();
    for (const { rows } of this.#queue.splice(0)) this.#dropped.closed += rows;
    this.#release();
    try {
      await this.#target.close();
    } catch (error) {
      this.#context.notice('warn', messageOf(error));
    }
  }

  /** Queues what was made since the last cut. */
  #cut(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writer.length === 0) return;
    const chunk = { bytes: this.#writer.take(), ends: this.#ends, rows: this.#rows };
    this.#ends = [];
    this.#rows = 0;
    this.#push(chunk);
  }

  #push(chunk: Chunk): void {
    this.#queue.push(chunk);
    this.#bytes += chunk.bytes.length;
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (this.#queue.length > 0 && !this.#ending.signal.aborted) {
      const [chunk] = this.#queue;
      try {
        await this.#target.send(chunk, this.#ending.signal);
      } catch (error) {
        this.#fails(messageOf(error));
        await this.#rest(pause);
        pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
        continue;
      }
      pause = FIRST_PAUSE_MS;
      this.#queue.shift();
      this.#bytes -= chunk.bytes.length;
      this.#written += chunk.rows;
      this.#works();
      if (this.#bytes < this.#most / 2) this.#release();
    }
    // In the same breath as the last look at the queue.
    this.#isRunning = false;
  }

  async #rest(ms: number): Promise<void> {
    this.#pause = new AbortController();
    try {
      await sleep(ms, undefined, { signal: AbortSignal.any([this.#pause.signal, this.#ending.signal]) });
    } catch {
      // Woken: there is a reason to try at once, or no more time to.
    }
    this.#pause = undefined;
  }

  #fails(message: string): void {
    this.#failed++;
    if (this.#error === null) this.#context.notice('warn', message);
    this.#error = message;
  }

  #works(): void {
    if (this.#error === null) return;
    this.#error = null;
    this.#context.notice('info', `works again; ${this.#dropped.queue_full} transactions were dropped until now`);
  }

  #release(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
