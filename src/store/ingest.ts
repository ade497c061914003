import { DNS } from '../core/carrier.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { DistinctCollector } from './distinct.ts';
import { CHUNK_ROWS, ChunkWriter } from './chunk-writer.ts';
import type { Appender, Connection, Database } from './duckdb.ts';
import { PassiveCollector } from './passive-delta.ts';
import { type Parts, tableOf } from './parts.ts';
import { RowEncoder } from './row-encoder.ts';
import { TRANSACTION_COLUMNS } from './schema.ts';
import type { Origin } from './store.ts';
import { StretchCollector } from './stretches.ts';
import { TimeOrder } from './time-order.ts';

const utf8 = new TextEncoder();

/** What one transaction of the database holds. */
interface Writer {
  readonly connection: Connection;
  readonly isFirst: boolean;
  readonly chunk: ChunkWriter;
  appender: Appender | null;
  rows: number;
  /** Numbers of tokens by line that are written with them. */
  readonly tokens: Map<string, number>;
  first: number;
  last: number;
  /** When its first row came, by `performance.now()`. */
  since: number;
}

/** What is known of rows besides the rows, since the last write of it. */
export interface Learnt {
  passive: PassiveCollector;
  distinct: DistinctCollector;
}

/**
 * Rows into the open part. Two writers take turns: while one commits on a thread of the database, the other is filled
 * here. Calls must not overlap (the store has one line of work).
 */
export class Ingest {
  readonly learnt: Learnt = { passive: new PassiveCollector(), distinct: new DistinctCollector() };
  readonly stretches = new StretchCollector();
  readonly #parts: Parts;
  readonly #writers: Writer[] = [];
  readonly #encoder = new RowEncoder();
  readonly #settled: (rows: number, error: unknown) => void;
  #committing: Promise<void> = Promise.resolve();
  /** Number of the last token taken, by line; the last of all. */
  readonly #taken = new Map<string, number>();
  #token = '';
  readonly #order = new TimeOrder();
  /** Seconds from the first row of a write to its being on the disk. */
  lag: number | null = null;

  /** `settled`: so many rows are on the disk, or (with an error) are lost. */
  constructor(parts: Parts, settled: (rows: number, error: unknown) => void) {
    this.#parts = parts;
    this.#settled = settled;
  }

  async start(database: Database): Promise<void> {
    this.#taken.clear();
    for (let i = 0; i < 2; i++) {
      this.#writers.push({
        connection: await database.connect(),
        isFirst: i === 0,
        chunk: new ChunkWriter(TRANSACTION_COLUMNS),
        appender: null,
        rows: 0,
        tokens: new Map(),
        first: Number.POSITIVE_INFINITY,
        last: Number.NEGATIVE_INFINITY,
        since: 0,
      });
    }
    const [{ connection }] = this.#writers;
    const known = await connection.all<{ key: string; last: number }>(
      `SELECT key, max(value::DOUBLE) AS last FROM meta WHERE starts_with(key, '${TOKEN_KEY}') GROUP BY key`,
    );
    for (const { key, last } of known) this.#taken.set(key.slice(TOKEN_KEY.length), last);
  }

  /** Takes all rows of a batch, unless its token says that they are here. What fails is told to `settled`. */
  async take(batch: TransactionBatch, origin: Origin): Promise<void> {
    const [writer] = this.#writers;
    if (origin.token !== undefined && !this.#isNew(writer, origin.token)) {
      this.#settled(batch.count, undefined);
      return;
    }
    try {
      await this.#encode(writer, batch, origin);
      writer.rows += batch.count;
    } catch (error) {
      await this.#abandon(writer, writer.rows + batch.count, error);
    }
  }

  /** Whether what a token names was not taken yet: numbers of a line only rise. It is taken from now on. */
  #isNew(writer: Writer, token: string): boolean {
    // Further batches of the last one belong to it.
    if (token === this.#token) return true;
    const at = token.lastIndexOf('/');
    const line = token.slice(0, at);
    const number = Number(token.slice(at + 1));
    if (number <= (this.#taken.get(line) ?? -1)) return false;
    this.#token = token;
    this.#taken.set(line, number);
    writer.tokens.set(line, number);
    return true;
  }

  async #encode(writer: Writer, batch: TransactionBatch, origin: Origin): Promise<void> {
    if (writer.appender === null) {
      await writer.connection.run('BEGIN');
      writer.appender = writer.connection.appender(tableOf(this.#parts.open.part));
      writer.since = performance.now();
    }
    const { appender, chunk } = writer;
    const encoded = (texts: readonly (string | undefined)[] = []) => texts.map((text) => utf8.encode(text ?? ''));
    const from = {
      sensor: utf8.encode(origin.sensor ?? ''),
      interfaces: encoded(origin.interfaces),
      marks: encoded(origin.marks),
    };
    const order = this.#order.of(batch);
    for (let k = 0; k < batch.count; k++) {
      const i = order[k];
      if (chunk.count === 0 || k === 0) {
        this.#encoder.copy(batch, order, k, Math.min(batch.count - k, CHUNK_ROWS - chunk.count), chunk);
      }
      this.#encoder.read(batch, i);
      this.#encoder.write(batch, i, chunk, from);
      const ms = this.learn(batch, i, this.#encoder, origin.sensor ?? '');
      if (ms < writer.first) writer.first = ms;
      if (ms > writer.last) writer.last = ms;
      if (chunk.full) chunk.flush(appender);
    }
  }

  /** Adds what a row read by `encoder` teaches; its time in ms. */
  learn(batch: TransactionBatch, i: number, encoder: RowEncoder, sensor: string): number {
    const c = batch.col;
    const ms = timeOf(batch, i);
    this.stretches.add(batch, i, encoder, ms);
    const { passive, distinct } = this.learnt;
    distinct.add(batch, i, encoder, Math.floor(ms / 60_000));
    if (encoder.hasResponse && c.protocol[i] === DNS) passive.add(encoder.response, ms, sensor);
    return ms;
  }

  /** Begins to write what has come; resolves when what came before is on the disk (`settle` waits for all). */
  async flush(): Promise<void> {
    const [writer, other] = this.#writers;
    if (writer.appender === null) return;
    await this.#committing;
    this.#writers[0] = other;
    this.#writers[1] = writer;
    this.#committing = this.#commit(writer, writer.appender);
  }

  /** Everything taken is on the disk, or counted as lost. */
  async settle(): Promise<void> {
    await this.flush();
    await this.#committing;
  }

  async #commit(writer: Writer, appender: Appender): Promise<void> {
    const { rows, first, last, since } = writer;
    try {
      writer.chunk.flush(appender);
      appender.close();
      for (const [line, number] of writer.tokens) await noteToken(writer, TOKEN_KEY + line, number);
      await writer.connection.run('COMMIT');
    } catch (error) {
      await this.#abandon(writer, rows, error);
      return;
    }
    const { open } = this.#parts;
    open.rows += rows;
    open.first = Math.min(open.first, first);
    open.last = Math.max(open.last, last);
    open.added = Date.now();
    this.lag = (performance.now() - since) / 1000;
    clear(writer);
    this.#settled(rows, undefined);
  }

  /** Gives the rows of a write up. What cannot even be rolled back is gone with the database; its owner opens it anew. */
  async #abandon(writer: Writer, rows: number, error: unknown): Promise<void> {
    writer.appender?.discard();
    await writer.connection.run('ROLLBACK').catch(() => {});
    clear(writer);
    this.#settled(rows, error);
  }

  close(): void {
    for (const { connection } of this.#writers) connection.close();
  }
}

/** When a transaction began, ms. */
export function timeOf({ col: { openSeconds, openNanos } }: TransactionBatch, i: number): number {
  return openSeconds[i] * 1000 + Math.floor(openNanos[i] / 1e6);
}

/** Where `meta` keeps the last token of a line. */
const TOKEN_KEY = 'token:';

/** Both writers add rows and one of them removes older ones: what two transactions remove at a time conflicts. */
async function noteToken({ connection, isFirst }: Writer, key: string, number: number): Promise<void> {
  if (isFirst) await connection.run('DELETE FROM meta WHERE key = ?', [key]);
  await connection.run('INSERT INTO meta VALUES (?, ?)', [key, String(number)]);
}

function clear(writer: Writer): void {
  writer.chunk.clear();
  writer.appender = null;
  writer.rows = 0;
  writer.tokens.clear();
  writer.first = Number.POSITIVE_INFINITY;
  writer.last = Number.NEGATIVE_INFINITY;
}
