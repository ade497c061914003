import { setTimeout } from 'node:timers/promises';
import type { TransactionBatch } from '../../core/transactions.ts';
import { databaseReason } from '../failures.ts';
import { RowEncoder } from '../row-encoder.ts';
import type { Origin } from '../store.ts';
import { TimeOrder } from '../time-order.ts';
import type { Cluster } from './cluster.ts';
import { storable } from './columns.ts';
import { dayOf, type Days } from './days.ts';
import { Flush } from './flush.ts';
import { isPassing } from './pool.ts';

/** Rows of a transaction of the database at most; named ones are as large as they are. */
const FLUSH_ROWS = 100_000;
/** Pauses between tries, ms: from the first to the longest. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5000;
/** How long closing waits for a server that is not there, ms. */
const CLOSING_MS = 10_000;
const utf8 = new TextEncoder();

/** What is told of rows that were taken. */
export interface IngestEvents {
  /** Rows are on the disk. */
  settled(rows: number): void;
  /** Rows were given up, by cause. */
  lost(rows: number, cause: string): void;
  /** Why rows wait; null when they do not any more. */
  degraded(reason: string | null): void;
}

/**
 * Rows into the database: one write is filled while the one before is on its way. A server that is away is tried again until it is
 * back; that a write arrived whose answer got lost is told by its token. Calls of `take` must not overlap.
 */
export class Ingest {
  /** Seconds from the first row of a write to its being on the disk. */
  lag: number | null = null;
  /** Rows that came again under a token that had been written. */
  repeated = 0;
  readonly #cluster: Cluster;
  readonly #days: Days;
  readonly #events: IngestEvents;
  readonly #encoder = new RowEncoder();
  readonly #order = new TimeOrder();
  #filling: Flush | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closingAt = Number.POSITIVE_INFINITY;

  constructor(cluster: Cluster, days: Days, events: IngestEvents) {
    this.#cluster = cluster;
    this.#days = days;
    this.#events = events;
  }

  /** Takes all rows of a batch; resolves when there is room for the next one. */
  async take(batch: TransactionBatch, origin: Origin): Promise<void> {
    if (batch.count === 0) return;
    const before = this.#filling;
    if (before !== undefined && (before.isNamed || origin.token !== undefined) && before.token !== origin.token) {
      await this.flush();
    }
    const filling = (this.#filling ??= new Flush(origin.token));
    this.#encode(filling, batch, origin);
    if (!filling.isNamed && (filling.full || filling.rows >= FLUSH_ROWS)) await this.flush();
  }

  #encode(flush: Flush, batch: TransactionBatch, origin: Origin): void {
    const encoded = (texts: readonly (string | undefined)[] = []) =>
      texts.map((text) => utf8.encode(storable(text ?? '')));
    const sensor = storable(origin.sensor ?? '');
    const from = { sensor: utf8.encode(sensor), interfaces: encoded(origin.interfaces), marks: encoded(origin.marks) };
    const order = this.#order.of(batch);
    const { openSeconds, openNanos } = batch.col;
    const encoder = this.#encoder;
    // How far the plain numbers of this run of rows are copied.
    let copied = 0;
    let day = dayOf(timeOf(openSeconds[order[0]], openNanos[order[0]]));
    let writer = flush.writerOf(day);
    for (let k = 0; k < batch.count; k++) {
      const i = order[k];
      const ms = timeOf(openSeconds[i], openNanos[i]);
      if (dayOf(ms) !== day) {
        day = dayOf(ms);
        writer = flush.writerOf(day);
        copied = k;
      }
      if (k >= copied) {
        const end = runEnd(batch, order, k, Math.min(batch.count, k + writer.room), day);
        encoder.copy(batch, order, k, end - k, writer);
        copied = end;
      }
      encoder.read(batch, i);
      const row = writer.count;
      encoder.write(batch, i, writer, from);
      flush.learn(batch, i, encoder, writer, row, ms, sensor);
      if (writer.full) writer.flush();
    }
  }

  /** Begins to write what has come, once what came before is written. A named write is whole only when its owner says so. */
  async flush(): Promise<void> {
    const flush = this.#filling;
    if (flush === undefined) return;
    this.#filling = undefined;
    await this.#writing;
    this.#writing = this.#write(flush);
  }

  /** As `flush`, unless what is being filled is a named write. */
  async flushOpen(): Promise<void> {
    if (this.#filling?.isNamed === false) await this.flush();
  }

  /** Everything taken is on the disk, or counted as lost. */
  async settle(): Promise<void> {
    await this.flush();
    await this.#writing;
  }

  async #write(flush: Flush): Promise<void> {
    const { rows } = flush;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
      try {
        const isNew = await this.#cluster.primary.use((session) => flush.write(session, this.#days));
        if (!isNew) this.repeated += rows;
        this.#events.degraded(null);
        this.#events.settled(rows);
        this.lag = (performance.now() - flush.since) / 1000;
        return;
      } catch (error) {
        const reason = databaseReason(error);
        if (!isPassing(error)) {
          this.#events.degraded(
            `PostgreSQL does not take transactions: ${reason}. They are counted as dropped (store_error).`,
          );
          this.#events.lost(rows, 'store_error');
          return;
        }
        if (performance.now() > this.#closingAt) {
          this.#events.lost(rows, 'store_error');
          return;
        }
        this.#events.degraded(`PostgreSQL does not take transactions: ${reason}. They wait, and it is tried again.`);
        await setTimeout(pause);
      }
    }
  }

  /** Nothing waits for ever any more. */
  closing(): void {
    this.#closingAt = performance.now() + CLOSING_MS;
  }
}

/** Where the rows of a day end, up to `most`. */
function runEnd({ col }: TransactionBatch, order: Uint32Array, from: number, most: number, day: number): number {
  let end = from + 1;
  while (end < most && dayOf(timeOf(col.openSeconds[order[end]], col.openNanos[order[end]])) === day) end++;
  return end;
}

/** In ms; times that the store cannot keep become the last ones that it can (as `putTime` has it). */
function timeOf(seconds: number, nanos: number): number {
  const ms = seconds * 1000 + Math.floor(nanos / 1e6);
  return Math.max(-9_223_372_036_854, Math.min(9_223_372_036_854, ms));
}
