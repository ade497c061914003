import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { reasonOf, UserError } from '../core/errors.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { DUCKDB, type SqlDialect } from '../filter/dialect.ts';
import { compileSql } from '../filter/sql.ts';
import { CLICKHOUSE } from './clickhouse/dialect.ts';
import { ALL, type Condition, conditionOf } from './condition.ts';
import { openFailure } from './failures.ts';
import { Journal } from './journal.ts';
import type { Call, Reply, ToWorker, WorkerStart } from './messages.ts';
import { POSTGRES } from './postgres/dialect.ts';
import type {
  ExportQuery,
  Origin,
  PassiveQuery,
  PassiveRow,
  RecordKind,
  Records,
  RecordsQuery,
  Retention,
  StatisticsQuery,
  Store,
  StoreEngine,
  StoreOptions,
  StoreStatus,
  TransactionsPage,
  TransactionsQuery,
} from './store.ts';

const QUEUE_ROWS = 262_144;
/** Batches that may wait too: each holds a few megabytes, whatever its rows. */
const QUEUE_BATCHES = 24;
/** Of those whose owner waits for room: a file is read as fast as it is stored, and need not lie in memory. */
const WAITING_BATCHES = 8;
const JOURNAL = 'journal';

/** Databases that a store may be on: the script of its thread, and the SQL that filters become. */
const ENGINES: Readonly<Record<StoreEngine, { script: string; dialect: SqlDialect }>> = {
  duckdb: { script: './worker', dialect: DUCKDB },
  clickhouse: { script: './clickhouse/worker', dialect: CLICKHOUSE },
  postgres: { script: './postgres/worker', dialect: POSTGRES },
};

/** Opens a store, in a thread of its own; makes it when it is not there. Throws UserError. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const journal = options.path === null || options.readOnly === true ? null : join(options.path, JOURNAL);
  try {
    if (options.path !== null && journal !== null) mkdirSync(options.path, { recursive: true, mode: 0o750 });
  } catch (error) {
    throw openFailure(options.path ?? '', error);
  }
  const start: WorkerStart = { options, journal };
  const { script, dialect } = ENGINES[options.engine ?? 'duckdb'];
  const worker = new Worker(new URL(`${script}${import.meta.url.slice(-3)}`, import.meta.url), { workerData: start });
  const face = new StoreFace(worker, dialect, options);
  try {
    await face.opened;
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  if (journal !== null) face.journal = Journal.open(journal);
  return face;
}

interface Waiting {
  resolve(value: never): void;
  reject(error: unknown): void;
  page?(page: TransactionsPage): void;
}

/** The store as other threads see it: calls go to its thread, rows wait in a bounded queue. */
class StoreFace implements Store {
  readonly opened: Promise<void>;
  readonly records: Records;
  journal: Journal | null = null;
  readonly #worker: Worker;
  readonly #dialect: SqlDialect;
  readonly #capacity: number;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #queuedRows = 0;
  #queuedBatches = 0;
  #room: (() => void)[] = [];
  #refused = 0;
  /** Rows of batches that the store's thread threw at, and why: a defect, but not a silent one. */
  #thrown = { rows: 0, why: '' };
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(worker: Worker, dialect: SqlDialect, { queueRows = QUEUE_ROWS }: StoreOptions) {
    this.#worker = worker;
    this.#dialect = dialect;
    this.#capacity = queueRows;
    this.opened = new Promise((resolve, reject) => this.#waiting.set(0, { resolve, reject }));
    worker.on('message', (reply: Reply) => this.#reply(reply));
    worker.on('error', (error) => this.#end(error));
    worker.on('exit', () => this.#end(new Error('the thread of the store has ended')));
    this.records = {
      put: (kind, value, given) => this.#ask({ name: 'putRecord', kind, value, ...(given && { options: given }) }),
      get: (kind, id) => this.#ask({ name: 'getRecord', kind, id }),
      list: (kind: RecordKind, query?: RecordsQuery) =>
        this.#ask({ name: 'listRecords', kind, ...(query && { query }) }),
      delete: (kind, id) => this.#ask({ name: 'deleteRecord', kind, id }),
    };
  }

  #reply(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    if ('page' in reply) {
      waiting.page?.(reply.page);
      return;
    }
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiting.reject(errorOf(reply.error));
    else waiting.resolve(reply.value as never);
  }

  #end(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
    this.#leave(0);
  }

  #send(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #ask<T>(call: Call, signal?: AbortSignal, page?: (page: TransactionsPage) => void): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing !== undefined && call.name !== 'close') return Promise.reject(new Error('the store is closed'));
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const id = this.#next++;
    const abort = () => this.#send({ abort: id });
    const result = new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, ...(page && { page }) });
    });
    this.#send({ id, call });
    signal?.addEventListener('abort', abort);
    return result
      .catch((error: unknown) => {
        signal?.throwIfAborted();
        throw error;
      })
      .finally(() => signal?.removeEventListener('abort', abort));
  }

  async append(batch: TransactionBatch, origin: Origin, wait: boolean): Promise<boolean> {
    const rows = batch.count;
    while (!this.#hasRoom(rows, wait ? WAITING_BATCHES : QUEUE_BATCHES)) {
      if (!wait) {
        this.#refused += rows;
        return false;
      }
      await new Promise<void>((resolve) => this.#room.push(resolve));
      if (this.#failure !== undefined) throw this.#failure;
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#queuedRows += rows;
    this.#queuedBatches++;
    this.journal?.accept(rows);
    const id = this.#next++;
    const taken = new Promise<void>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#send({ id, buffer: batch.buffer, origin }, [batch.buffer]);
    const thrown = (error: unknown) => {
      // When all of it has ended, whoever asks next is told.
      if (this.#failure === undefined) this.#thrown = { rows: this.#thrown.rows + rows, why: reasonOf(error) };
    };
    void taken.catch(thrown).then(() => this.#leave(rows));
    return true;
  }

  #hasRoom(rows: number, batches: number): boolean {
    return this.#queuedBatches === 0 || (this.#queuedRows + rows <= this.#capacity && this.#queuedBatches < batches);
  }

  #leave(rows: number): void {
    if (rows > 0) {
      this.#queuedRows -= rows;
      this.#queuedBatches--;
    }
    const waiting = this.#room;
    this.#room = [];
    for (const resolve of waiting) resolve();
  }

  async statistics(query: StatisticsQuery, signal?: AbortSignal) {
    return this.#ask<Awaited<ReturnType<Store['statistics']>>>(
      { name: 'statistics', query, condition: this.#compiled(query.filter) },
      signal,
    );
  }

  transactions(query: TransactionsQuery, signal?: AbortSignal): AsyncIterable<TransactionsPage> {
    const condition = this.#compiled(query.filter);
    const ask = this.#ask.bind(this);
    return (async function* () {
      const stop = new AbortController();
      const signals = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
      const pages: TransactionsPage[] = [];
      let wake = () => {};
      let isDone = false;
      let failure: Error | undefined;
      ask<void>({ name: 'transactions', query, condition }, signals, (page) => {
        pages.push(page);
        wake();
      })
        .catch((error: unknown) => {
          failure = error instanceof Error ? error : new Error(String(error));
        })
        .finally(() => {
          isDone = true;
          wake();
        });
      try {
        for (;;) {
          const page = pages.shift();
          if (page !== undefined) yield page;
          else if (isDone) break;
          else {
            await new Promise<void>((resolve) => {
              wake = resolve;
              if (pages.length > 0 || isDone) resolve();
            });
          }
        }
        if (failure !== undefined) throw failure;
      } finally {
        stop.abort();
      }
    })();
  }

  transaction(id: string): ReturnType<Store['transaction']> {
    return this.#ask({ name: 'transaction', id });
  }

  related(id: string): ReturnType<Store['related']> {
    return this.#ask({ name: 'related', id });
  }

  passive(query: PassiveQuery, signal?: AbortSignal): ReturnType<Store['passive']> {
    return this.#ask({ name: 'passive', query }, signal);
  }

  importPassive(rows: readonly PassiveRow[]): Promise<number> {
    return this.#ask({ name: 'importPassive', rows });
  }

  nameHistory(of: string, limit?: number): ReturnType<Store['nameHistory']> {
    return this.#ask({ name: 'nameHistory', of, ...(limit !== undefined && { limit }) });
  }

  async export(query: ExportQuery, path: string, signal?: AbortSignal): Promise<{ rows: number; bytes: number }> {
    return this.#ask({ name: 'export', query, condition: this.#compiled(query.filter), path }, signal);
  }

  async status(): Promise<StoreStatus> {
    const status = await this.#ask<Omit<StoreStatus, 'queue'>>({ name: 'status' });
    const { rows, why } = this.#thrown;
    const dropped: Record<string, number> = {
      ...status.dropped,
      ...(this.#refused > 0 && { store_queue: this.#refused }),
    };
    if (rows > 0) dropped.store_error = (dropped.store_error ?? 0) + rows;
    const degraded = status.degraded ?? (rows > 0 ? `Transactions could not be taken: ${why}.` : null);
    return { ...status, dropped, degraded, queue: { length: this.#queuedRows, capacity: this.#capacity } };
  }

  flush(): Promise<void> {
    return this.#ask({ name: 'flush' });
  }

  compact(): Promise<void> {
    return this.#ask({ name: 'compact' });
  }

  keep(retention: Retention): Promise<void> {
    return this.#ask({ name: 'keep', retention });
  }

  /** Throws FilterError. */
  #compiled(filter: string | undefined): Condition {
    if (filter === undefined || filter.trim() === '') return ALL;
    return conditionOf(compileSql(filter, { dialect: this.#dialect }));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#ask<void>({ name: 'close' });
    } finally {
      this.journal?.close();
      await this.#worker.terminate();
    }
  }
}

function errorOf({ name, message, exit }: { name: string; message: string; exit?: UserError['exit'] }): Error {
  if (exit !== undefined) return new UserError(message, exit);
  const error = new Error(message);
  error.name = name;
  return error;
}
