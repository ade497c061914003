import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { traced } from '../tracing/spans.ts';
import { reasonOf } from '../core/errors.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { ByteWriter, CHUNK_BYTES } from './byte-writer.ts';
import { Circuit, type Pauses } from './circuit.ts';
import { DeadLetters, recordText } from './dead-letters.ts';
import { type ChunkQueue, type Mark, MemoryQueue } from './queue.ts';
import { type DropCause, NOTHING_DROPPED, type Sink, type SinkContext, type SinkStatus } from './sink.ts';
import { Spool, type SpoolSettings } from './spool.ts';
import { type Chunk, recordsOf, Refused, type Receipt, type Target } from './target.ts';

/**
 * Makes what writes the records of one transaction to `writer`, and their ends to `ends`; gives false when it is too long
 * for the receiver.
 */
export type Encoding = (writer: ByteWriter) => (batch: TransactionBatch, row: number, ends: number[]) => boolean;

export interface DeliverySettings {
  /** Bytes that may wait in memory. */
  queue: number;
  /** Where more may wait, on disk; absent: nowhere. */
  spool?: SpoolSettings | undefined;
}

/** Records wait this long for more. */
const GATHER_MS = 100;
const PAUSES: Pauses = { firstMs: 100, longestMs: 30_000 };
/** How often is looked whether what was handed over is certain by now. */
const SETTLE_MS = 250;
const NOTHING: Chunk = { bytes: new Uint8Array(0), ends: [], rows: 0 };

/**
 * The way from rows to a receiver, the same for every sink: records are made at once, wait in a bounded queue (in memory, or
 * on disk), and are handed over in order, at least once; what fails is tried again, ever more slowly; what finds no room is
 * dropped, what the receiver refuses becomes a dead letter, and everything is counted.
 */
export class Delivery implements Sink {
  readonly #target: Target;
  readonly #encode: ReturnType<Encoding>;
  readonly #context: SinkContext;
  readonly #queue: ChunkQueue;
  readonly #spool: Spool | null;
  readonly #dead: DeadLetters;
  readonly #writer = new ByteWriter(2 * CHUNK_BYTES);
  readonly #dropped: Record<DropCause, number> = { ...NOTHING_DROPPED };
  readonly #circuit: Circuit;
  readonly #ending = new AbortController();
  #ends: number[] = [];
  /** Rows in the writer. */
  #rows = 0;
  #written = 0;
  #refused = 0;
  /** Of the chunk at hand, transactions that are dealt with. */
  #partly = 0;
  #known = 0;
  #error: string | null = null;
  /** Handed over, and not certain yet. */
  readonly #unsure: Mark[] = [];
  #owes = false;
  #gather: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #pause: AbortController | undefined;
  #waiters: (() => void)[] = [];

  /** Throws UserError when the spool cannot be used. */
  constructor(
    target: Target,
    encoding: Encoding,
    context: SinkContext,
    settings: DeliverySettings,
    pauses: Pauses = PAUSES,
  ) {
    this.#target = target;
    this.#encode = encoding(this.#writer);
    this.#context = context;
    this.#circuit = new Circuit(pauses);
    const { queue, spool } = settings;
    const { folder, owner } = context;
    this.#spool = spool === undefined ? null : Spool.open(folder, { ...spool, memoryBytes: queue }, context);
    this.#queue = this.#spool ?? new MemoryQueue(queue);
    this.#dead = new DeadLetters(join(folder, 'dead.ndjson'), owner);
    if (this.#queue.rows > 0) this.#start();
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
      if (!this.#queue.hasRoom(writer.length)) {
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
    if (writer.length > 0) this.#gather ??= setTimeout(() => this.#cut(), GATHER_MS);
  }

  /** Takes records made elsewhere, a chunk as it is: it is handed over whole. */
  take(chunk: Chunk): void {
    if (this.#ending.signal.aborted) this.#dropped.closed += chunk.rows;
    else if (!this.#queue.hasRoom(chunk.bytes.length)) this.#dropped.queue_full += chunk.rows;
    else {
      this.#queue.push(chunk);
      this.#start();
    }
  }

  ready(): Promise<void> | undefined {
    // Half of it stays free for those that cannot wait.
    if (this.#hasMuchRoom() || this.#ending.signal.aborted) return undefined;
    this.#cut();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  async secured(): Promise<void> {
    this.#cut();
    await this.#queue.secured();
  }

  status(): SinkStatus {
    const spool = this.#spool;
    return {
      written: this.#written,
      queue: this.#queue.rows - this.#partly + this.#rows,
      restored: spool?.restored ?? 0,
      repeated: (this.#target.repeated ?? 0) + this.#known,
      refused: this.#refused,
      dropped: { ...this.#dropped, spool_damaged: spool?.damaged ?? 0 },
      failed: this.#circuit.failed,
      circuit: this.#circuit.state,
      spool: spool === null ? null : { bytes: spool.bytes, most: spool.mostBytes, oldest: spool.oldest },
      error: this.#error ?? spool?.error ?? null,
    };
  }

  reopen(): void {
    this.#target.reopen?.();
    this.retry();
  }

  /** Tries again at once, also with nothing to write: what a lost connection held back is handed over then. */
  retry(): void {
    this.#owes = true;
    this.#pause?.abort();
    this.#start();
  }

  async close(patienceMs: number): Promise<void> {
    this.#cut();
    this.#pause?.abort();
    const late = setTimeout(() => this.#ending.abort(), patienceMs);
    // What is on disk waits for the next start: a receiver that is away now is not waited for.
    if (this.#spool !== null && this.#error !== null) this.#ending.abort();
    await this.#running;
    clearTimeout(late);
    this.#ending.abort();
    clearTimeout(this.#settling);
    try {
      await this.#target.close();
      this.#settle();
    } catch (error) {
      this.#context.notice('warn', reasonOf(error));
    }
    clearTimeout(this.#settling);
    this.#dropped.closed += await this.#queue.close(this.#partly);
    this.#partly = 0;
    this.#release();
  }

  #hasMuchRoom(): boolean {
    const { bytes } = this.#queue;
    return this.#queue.hasRoom(2 * this.#writer.length + bytes);
  }

  /** Queues what was made since the last cut. */
  #cut(): void {
    clearTimeout(this.#gather);
    this.#gather = undefined;
    if (this.#writer.length === 0) return;
    const chunk = { bytes: this.#writer.take(), ends: this.#ends, rows: this.#rows };
    this.#ends = [];
    this.#rows = 0;
    this.#queue.push(chunk);
    this.#start();
  }

  #start(): void {
    if (this.#isRunning || this.#ending.signal.aborted) return;
    this.#isRunning = true;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#ending.signal.aborted && (this.#queue.rows > 0 || this.#owes)) {
      this.#owes = false;
      const taken = await this.#take();
      if (taken === null) continue;
      // What is behind comes first: it is older.
      const isThere = await this.#hand(taken?.chunk ?? NOTHING);
      if (!isThere) break;
      if (taken === undefined) continue;
      this.#queue.done(taken.mark);
      this.#partly = 0;
      this.#unsure.push(taken.mark);
      this.#settle();
      if (this.#hasMuchRoom()) this.#release();
    }
    // In the same breath as the last look at the queue.
    this.#isRunning = false;
  }

  /** The next of the queue, undefined when it is empty; null when the disk did not give it, after a pause. */
  async #take(): Promise<Awaited<ReturnType<ChunkQueue['take']>> | null> {
    try {
      return await this.#queue.take(this.#target.sendBytes ?? 0);
    } catch (error) {
      await this.#rest(this.#fails(`The spool cannot be read: ${reasonOf(error)}`));
      return null;
    }
  }

  /** Hands a chunk over, however often that has to be tried; false when time ran out before. */
  async #hand(chunk: Chunk): Promise<boolean> {
    const parts = [chunk];
    while (parts.length > 0 && !this.#ending.signal.aborted) {
      const [part] = parts;
      this.#circuit.attempt();
      let pause: number | null = null;
      try {
        const receipt = await traced(
          'sink send',
          'client',
          { 'nametap.sink': this.#context.name, 'nametap.rows': part.rows },
          () => Promise.resolve(this.#target.send(part, this.#ending.signal)),
        );
        const rest = this.#accepted(part, receipt ?? {});
        parts.shift();
        if (rest === null) this.#works();
        else {
          parts.unshift(rest);
          pause = this.#fails(receipt?.later?.why ?? '');
        }
      } catch (error) {
        if (error instanceof Refused) parts.splice(0, 1, ...this.#narrowed(part, error.message));
        else pause = this.#fails(reasonOf(error));
      }
      if (pause !== null) await this.#rest(pause);
    }
    return parts.length === 0;
  }

  /** Counts what a receipt says; gives what has to be handed over again. */
  #accepted(chunk: Chunk, { known = 0, refused = [], later }: Receipt): Chunk | null {
    for (const { record, why } of refused) this.#bury(recordsOf(chunk, [record]), why);
    this.#known += known;
    const again = later?.records ?? [];
    const done = chunk.rows - refused.length - again.length;
    this.#written += done;
    this.#partly += done;
    return again.length === 0 ? null : recordsOf(chunk, again);
  }

  /** What to try instead of a chunk that was refused: its halves; nothing where it cannot be split any more. */
  #narrowed(chunk: Chunk, why: string): Chunk[] {
    const { length } = chunk.ends;
    if (length > 1 && length === chunk.rows) {
      const all = chunk.ends.map((_, i) => i);
      const middle = length >> 1;
      return [recordsOf(chunk, all.slice(0, middle)), recordsOf(chunk, all.slice(middle))];
    }
    this.#bury(chunk, why);
    return [];
  }

  #bury(chunk: Chunk, why: string): void {
    if (chunk.rows === 0) return;
    const { name } = this.#context;
    this.#refused += chunk.rows;
    this.#partly += chunk.rows;
    const where = this.#dead.bury(why, {
      time: new Date().toISOString(),
      sink: name,
      rows: chunk.rows,
      ...recordText(chunk.bytes),
    });
    // One line for the first: a receiver that refuses everything would fill the log.
    if (this.#refused === chunk.rows)
      this.#context.notice('warn', `the receiver refuses transactions (${why}): ${where}`);
  }

  /** Confirms what is certain by now, and comes back for the rest. */
  #settle(): void {
    while (this.#unsure.length > (this.#target.unsure ?? 0)) {
      const mark = this.#unsure.shift();
      if (mark !== undefined) this.#queue.confirm(mark);
    }
    clearTimeout(this.#settling);
    if (this.#unsure.length > 0) this.#settling = setTimeout(() => this.#settle(), SETTLE_MS).unref();
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

  /** Gives the pause before the next attempt, ms. */
  #fails(message: string): number {
    if (this.#error === null) this.#context.notice('warn', message);
    this.#error = message;
    return this.#circuit.fails();
  }

  #works(): void {
    this.#circuit.works();
    if (this.#error === null) return;
    this.#error = null;
    this.#context.notice('info', `works again; ${this.#dropped.queue_full} transactions were dropped until now`);
  }

  #release(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
