import type { TransactionBatch } from '../../core/transactions.ts';
import type { Backend } from '../backend.ts';
import { type Condition, exactly, rowTest, whereOf } from '../condition.ts';
import { findRelated, findTransaction, findTransactions } from '../explore.ts';
import { exportText } from '../export.ts';
import { databaseReason } from '../failures.ts';
import type { Journal } from '../journal.ts';
import { Line } from '../line.ts';
import { AT } from '../row-columns.ts';
import { decodeRows } from '../rows.ts';
import type { RowStore, Session } from '../session.ts';
import type {
  ExportQuery,
  Origin,
  PassiveQuery,
  PassiveRow,
  RecordKind,
  RecordsQuery,
  Retention,
  Scope,
  StatisticsQuery,
  StoreOptions,
  StoreStatus,
  TransactionsQuery,
} from '../store.ts';
import { Cluster } from './cluster.ts';
import { idOf } from './columns.ts';
import { Days } from './days.ts';
import { Ingest } from './ingest.ts';
import type { PostgresOptions } from './options.ts';
import { exportParquet } from './parquet.ts';
import { findPassive, importPassive, nameHistory } from './passive.ts';
import { deleteRecord, getRecord, listRecords, putRecord } from './records.ts';
import { POSTGRES_SCHEMA } from './schema.ts';
import { prepare } from './setup.ts';
import { statisticsOf } from './statistics.ts';
import { keepUp, usedBytes } from './upkeep.ts';

const FLUSH_MS = 1000;
const UPKEEP_MS = 60_000;

/** The store on PostgreSQL, in its thread. */
export class PostgresBackend implements Backend, RowStore {
  readonly parts = new Days();
  readonly readers: RowStore['readers'];
  readonly idOf = idOf;
  /** The same rows for who asks by id: the planner would not use the index. */
  readonly #byId: RowStore;
  readonly #options: StoreOptions;
  readonly #cluster: Cluster;
  readonly #ingest: Ingest;
  /** Work on rows, and upkeep: each one after the other. */
  readonly #line = new Line();
  readonly #upkeep = new Line();
  readonly #timers: NodeJS.Timeout[] = [];
  #retention: Retention;
  #version = '';
  #appended = 0;
  readonly #dropped: Record<string, number> = {};
  #degraded: string | null = null;
  #unkept: string | null = null;
  #isClosed = false;

  private constructor(options: StoreOptions, postgres: PostgresOptions, journal: Journal | null) {
    this.#options = options;
    this.#retention = options.retention ?? {};
    this.#cluster = new Cluster(postgres, (text) => process.emitWarning(text));
    this.readers = { use: (run, signal) => this.#cluster.read(run, signal) };
    this.#byId = {
      parts: this.parts,
      idOf,
      readers: {
        use: (run, signal) =>
          this.#cluster.read(async (session) => {
            await session.all('SET enable_seqscan = off');
            try {
              return await run(session);
            } finally {
              await session.all('RESET enable_seqscan');
            }
          }, signal),
      },
    };
    this.#ingest = new Ingest(this.#cluster, this.parts, {
      settled: (rows) => {
        this.#appended += rows;
        journal?.settle(rows);
      },
      lost: (rows, cause) => {
        this.#dropped[cause] = (this.#dropped[cause] ?? 0) + rows;
        journal?.settle(rows);
      },
      degraded: (reason) => {
        this.#degraded = reason;
      },
    });
  }

  /** Connects, makes or migrates the tables. Throws UserError or what the server says. */
  static async open(
    options: StoreOptions,
    postgres: PostgresOptions,
    journal: Journal | null,
  ): Promise<PostgresBackend> {
    const backend = new PostgresBackend(options, postgres, journal);
    try {
      await backend.#open(postgres);
    } catch (error) {
      await backend.#cluster.end();
      throw error;
    }
    return backend;
  }

  async #open(postgres: PostgresOptions): Promise<void> {
    const { readOnly = false, flushMs = FLUSH_MS } = this.#options;
    this.#version = await prepare(this.#cluster, postgres, readOnly);
    await this.#cluster.write((session) => this.parts.load(session, true));
    await this.#cluster.start();
    if (readOnly) return;
    await this.#cluster.primary.use((session) => this.parts.makeAhead(session, Date.now()));
    this.#timers.push(setInterval(() => void this.#line.run(() => this.#ingest.flushOpen()), flushMs));
    this.#timers.push(setInterval(() => void this.#keepUp(false).catch(() => {}), UPKEEP_MS));
  }

  append(batch: TransactionBatch, origin: Origin): Promise<void> {
    return this.#line.run(() => this.#ingest.take(batch, origin));
  }

  async statistics(query: StatisticsQuery, condition: Condition, signal: AbortSignal) {
    const { countedRows } = this.#options;
    return this.readers.use(async (session) => {
      await this.parts.load(session);
      const exact = await this.#exactly(session, condition, query);
      return statisticsOf(session, this.parts, query, exact, countedRows);
    }, signal);
  }

  /** A condition that columns alone decide: messages of the rows that they leave open are read first. */
  async #exactly(session: Session, condition: Condition, { from, to }: Scope): Promise<Condition> {
    if (condition.isExact) return condition;
    const { sure } = condition;
    const test = rowTest(condition);
    const where = whereOf(condition, from, to);
    const open = `${this.parts.source([])} WHERE ${where.sql} AND (${sure.sql}) IS NOT TRUE`;
    const ids: bigint[] = [];
    for await (const chunk of session.chunks(open, [...where.params, ...sure.params])) {
      const rows = decodeRows(chunk);
      const column = chunk.numbers(AT.transaction) as BigUint64Array;
      for (let i = 0; i < chunk.count; i++) if (test(rows, i)) ids.push(idOf(column[i]));
    }
    if (ids.length === 0) return exactly(sure.sql, sure.params);
    return exactly(`(${sure.sql}) OR transaction = ANY (?::bigint[])`, [...sure.params, `{${ids.join(',')}}`]);
  }

  async *transactions(query: TransactionsQuery, condition: Condition, signal: AbortSignal) {
    await this.#load(signal);
    yield* findTransactions(this, query, condition, signal);
  }

  #load(signal?: AbortSignal): Promise<void> {
    return this.readers.use((session) => this.parts.load(session), signal);
  }

  async transaction(id: string) {
    await this.#load();
    return findTransaction(this.#byId, id);
  }

  async related(id: string) {
    await this.#load();
    return findRelated(this.#byId, id);
  }

  passive(query: PassiveQuery, signal: AbortSignal) {
    return findPassive(this.#cluster, query, signal);
  }

  importPassive(rows: readonly PassiveRow[]): Promise<number> {
    return importPassive(this.#cluster, rows);
  }

  nameHistory(name: string, limit?: number) {
    return nameHistory(this.#cluster, name, limit);
  }

  export(query: ExportQuery, condition: Condition, path: string, signal: AbortSignal) {
    const what = { store: this, query, condition, path, signal };
    return query.format === 'parquet' ? exportParquet(what) : exportText(what);
  }

  putRecord(kind: RecordKind, value: unknown, options?: { id?: string; time?: number }) {
    return putRecord(this.#cluster, kind, value, options);
  }

  getRecord(kind: RecordKind, id: string) {
    return getRecord(this.#cluster, kind, id);
  }

  listRecords(kind: RecordKind, query?: RecordsQuery) {
    return listRecords(this.#cluster, kind, query);
  }

  deleteRecord(kind: RecordKind, id: string) {
    return deleteRecord(this.#cluster, kind, id);
  }

  keep(retention: Retention): Promise<void> {
    this.#retention = retention;
    return Promise.resolve();
  }

  async status(): Promise<Omit<StoreStatus, 'queue' | 'remark'>> {
    const seen = await this.#figures();
    const { list } = this.parts;
    return {
      engine: `PostgreSQL ${this.#version}`,
      path: this.#cluster.primary.name,
      schema: POSTGRES_SCHEMA,
      ...seen,
      oldest: list.length === 0 ? null : Math.min(...list.map(({ first }) => first)),
      newest: list.length === 0 ? null : Math.max(...list.map(({ last }) => last)),
      lag_s: this.#ingest.lag,
      appended: this.#appended,
      dropped: { ...this.#dropped },
      degraded: this.#degraded ?? this.#unkept,
      postgres: this.#cluster.status(),
    };
  }

  /** A server that is away has no figures, and its state is asked for all the more. */
  async #figures(): Promise<Pick<StoreStatus, 'bytes' | 'tables'>> {
    try {
      return await this.#cluster.primary.use(async (session) => {
        await this.parts.load(session, true);
        const tables = await session.all<{ name: string; rows: number; bytes: number }>(
          `SELECT c.relname::text AS name, greatest(c.reltuples, 0)::bigint AS rows, pg_total_relation_size(c.oid) AS bytes FROM pg_class c
           WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' ORDER BY c.relname`,
        );
        const rowsOf = new Map<string, number>();
        for (const { partition, rows } of this.parts.list) rowsOf.set(partition, (rowsOf.get(partition) ?? 0) + rows);
        return {
          bytes: await usedBytes(session),
          // Of transactions exact, of others what the last ANALYZE found.
          tables: tables.map((table) =>
            table.name.startsWith('transactions') ? { ...table, rows: rowsOf.get(table.name) ?? 0 } : table,
          ),
        };
      });
    } catch (error) {
      this.#degraded ??= `PostgreSQL does not answer: ${databaseReason(error)}.`;
      return { bytes: 0, tables: [] };
    }
  }

  /** Later questions see everything that was taken until now. */
  async flush(): Promise<void> {
    await this.#line.run(() => this.#ingest.settle());
    await this.#cluster.primary.use((session) => this.#cluster.wrote(session));
  }

  async compact(): Promise<void> {
    await this.flush();
    await this.#keepUp(true);
  }

  async #keepUp(all: boolean): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#upkeep.run(async () => {
        const work = { days: this.parts, retention: this.#retention, now: Date.now(), all };
        const gone = await this.#cluster.write((session) => keepUp({ ...work, session }), true);
        if (gone > 0) this.#dropped.retention = (this.#dropped.retention ?? 0) + gone;
      });
      this.#unkept = null;
    } catch (error) {
      this.#unkept = `Old data could not be merged or dropped: ${databaseReason(error)}.`;
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    for (const timer of this.#timers) clearInterval(timer);
    this.#ingest.closing();
    await this.#line.run(() => this.#ingest.settle());
    this.#isClosed = true;
    await this.#upkeep.done();
    await this.#cluster.end();
  }
}
