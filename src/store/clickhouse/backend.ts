import { createWriteStream } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { EXIT, UserError } from '../../core/errors.ts';
import type { TransactionBatch } from '../../core/transactions.ts';
import { addressHalves, addressOctets } from '../addresses.ts';
import type { Backend } from '../backend.ts';
import { type Condition, whereOf } from '../condition.ts';
import { findRelated, findTransaction, findTransactions } from '../explore.ts';
import { exportText } from '../export.ts';
import type { Journal } from '../journal.ts';
import { Line } from '../line.ts';
import { reversedName, storedName } from '../passive-names.ts';
import { findPassiveIn, nameHistoryIn, type PassiveEngine, typeNumber } from '../passive-query.ts';
import type {
  ClickHouseOptions,
  ExportQuery,
  NameHistoryRow,
  Origin,
  PassivePage,
  PassiveQuery,
  PassiveRow,
  RecordKind,
  RecordsQuery,
  RelatedTransactions,
  Retention,
  StatisticsQuery,
  StatisticsResult,
  StoredTransaction,
  StoreOptions,
  StoreRecord,
  StoreStatus,
  TransactionsPage,
  TransactionsQuery,
} from '../store.ts';
import { type Connection, reasonIn } from './connection.ts';
import { anyRows, hourlyRows } from './explore.ts';
import { Ingest, type Settled } from './ingest.ts';
import { exactCondition } from './matches.ts';
import { nativeRows } from './native-writer.ts';
import { ClickHouseRecords } from './records.ts';
import { TABLE_NAMES } from './ddl.ts';
import { SCHEMA_VERSION, SIGHTED, SIGHTED_TABLE } from './schema.ts';
import { keep, openDatabase, shown } from './setup.ts';
import { type Known, knownOf } from './known.ts';
import { answer } from './statistics.ts';
import { planOf } from './plan.ts';

const FLUSH_MS = 1000;
const DAY_MS = 86_400_000;

/** The store on ClickHouse: rows in by the second, questions answered by the server. */
export class ClickHouseBackend implements Backend {
  readonly #connection: Connection;
  readonly #options: ClickHouseOptions;
  readonly #journal: Journal | null;
  readonly #ingest: Ingest;
  readonly #records: ClickHouseRecords;
  readonly #line = new Line();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #dropped: Record<string, number> = {};
  readonly #countedRows: number | undefined;
  #retention: Retention;
  #appended = 0;
  /** Why rows were given up since the last `flush`. */
  #lost: unknown;

  private constructor(
    connection: Connection,
    options: ClickHouseOptions,
    { flushMs = FLUSH_MS, readOnly, retention = {}, countedRows }: StoreOptions,
    journal: Journal | null,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#journal = journal;
    this.#retention = retention;
    this.#countedRows = countedRows;
    this.#records = new ClickHouseRecords(connection);
    this.#ingest = new Ingest(connection, (what) => this.#settled(what));
    if (readOnly !== true) this.#timer = setInterval(() => this.#tick(), flushMs);
  }

  /** Connects; makes what is not there. Throws UserError. */
  static async open(options: StoreOptions, journal: Journal | null): Promise<ClickHouseBackend> {
    const { clickhouse } = options;
    if (clickhouse === undefined) {
      throw new UserError('A store on ClickHouse needs its address (store.clickhouse.url).', EXIT.usage);
    }
    return new ClickHouseBackend(await openDatabase(options, clickhouse), clickhouse, options, journal);
  }

  #settled({ rows, error }: Settled): void {
    this.#journal?.settle(rows);
    if (error === undefined) {
      this.#appended += rows;
      return;
    }
    this.#dropped.store_refused = (this.#dropped.store_refused ?? 0) + rows;
    this.#lost = error;
  }

  #tick(): void {
    this.#line.run(() => this.#ingest.tick()).catch(() => {});
  }

  append(batch: TransactionBatch, origin: Origin): Promise<void> {
    return this.#line.run(() => this.#ingest.take(batch, origin));
  }

  async flush(): Promise<void> {
    await this.#line.run(() => this.#ingest.settle());
    if (this.#lost === undefined) return;
    const error = this.#lost;
    this.#lost = undefined;
    throw new Error(`ClickHouse refused transactions: ${reasonIn(error)}`, { cause: error });
  }

  async statistics(query: StatisticsQuery, condition: Condition, signal: AbortSignal): Promise<StatisticsResult> {
    const rows = await hourlyRows(this.#connection, query, signal);
    const exact = await exactCondition(this.#connection, rows, condition, query, {
      isCluster: this.#isCluster,
      signal,
    });
    const { transactionsDays = 0 } = this.#retention;
    const heldFrom = transactionsDays > 0 ? Date.now() - transactionsDays * DAY_MS : Number.NEGATIVE_INFINITY;
    const plan = planOf(rows, query, exact, { countedRows: this.#countedRows, heldFrom });
    return answer(this.#connection, plan, signal);
  }

  get #isCluster(): boolean {
    return this.#options.cluster !== undefined;
  }

  async *transactions(
    query: TransactionsQuery,
    condition: Condition,
    signal: AbortSignal,
  ): AsyncGenerator<TransactionsPage> {
    yield* findTransactions(await hourlyRows(this.#connection, query, signal), query, condition, signal);
  }

  transaction(id: string): Promise<StoredTransaction | null> {
    return findTransaction(anyRows(this.#connection, Date.now()), id);
  }

  related(id: string): Promise<RelatedTransactions> {
    return findRelated(anyRows(this.#connection, Date.now()), id);
  }

  get #passive(): PassiveEngine {
    return {
      rows: (byData) => (byData ? 'passive_by_data' : 'passive'),
      missing: 'missing',
      u64: 'UInt64',
      first: 'tupleElement(min(origin), 1)',
      sensor: 'tupleElement(min(origin), 2)',
      count: 'sum(count)',
      endsWith: (text, end) => `endsWith(${text}, ${end})`,
      all: (sql, params, signal) => this.#connection.all(sql, params, signal),
    };
  }

  passive(query: PassiveQuery, signal: AbortSignal): Promise<PassivePage> {
    return findPassiveIn(this.#passive, query, signal);
  }

  async importPassive(rows: readonly PassiveRow[]): Promise<number> {
    const cells = rows.map((row) => {
      const address = addressOctets(row.rdata);
      const halves = address === undefined ? { prefix: 0n, suffix: 0n } : addressHalves(address);
      const { prefix, suffix } = halves;
      const key = [reversedName(storedName(row.rrname)), Math.max(0, typeNumber(row.rrtype))] as const;
      const data = address === undefined ? row.rdata : '';
      const seen = [Math.floor(row.time_first), Math.floor(row.time_last), row.count] as const;
      return [...key, data, prefix, suffix, row.cnames?.join(' ') ?? '', row.sensor ?? '', ...seen];
    });
    // The same rows twice are twice as many sightings: two imports, not one that is repeated.
    if (cells.length > 0) {
      await this.#connection.insert(SIGHTED_TABLE, SIGHTED, nativeRows(SIGHTED, cells), randomUUID());
    }
    return rows.length;
  }

  nameHistory(name: string, limit?: number): Promise<NameHistoryRow[]> {
    return nameHistoryIn(this.#passive, name, limit);
  }

  async export(
    query: ExportQuery,
    condition: Condition,
    path: string,
    signal: AbortSignal,
  ): Promise<{ rows: number; bytes: number }> {
    const store = await hourlyRows(this.#connection, query, signal);
    if (query.format !== 'parquet') return exportText({ store, query, condition, path, signal });
    const how = { isCluster: this.#isCluster, signal };
    const exact = await exactCondition(this.#connection, store, condition, query, how);
    const where = whereOf(exact, query.from, query.to);
    const from = `FROM transactions WHERE ${where.sql}`;
    const limit = query.limit === undefined ? '' : ` LIMIT ${Math.max(0, Math.floor(query.limit))}`;
    const addresses = 'IPv6NumToString(client_address) AS client_text, IPv6NumToString(server_address) AS server_text';
    const sql = `SELECT * EXCEPT (client_address, server_address, family), domain, timestamp, client, server, ${addresses} ${from} ORDER BY time${limit} FORMAT Parquet`;
    const counted = await this.#connection.one<{ n: number }>(
      `SELECT toInt64(count()) AS n FROM (SELECT time ${from}${limit})`,
      where.params,
      signal,
    );
    const out = createWriteStream(path);
    await pipeline(await this.#connection.stream(sql, where.params, signal), out, { signal });
    return { rows: counted?.n ?? 0, bytes: out.bytesWritten };
  }

  putRecord(kind: RecordKind, value: unknown, options?: { id?: string; time?: number }): Promise<string> {
    return this.#records.put(kind, value, options);
  }

  getRecord(kind: RecordKind, id: string): Promise<StoreRecord | null> {
    return this.#records.get(kind, id);
  }

  listRecords(kind: RecordKind, query?: RecordsQuery): Promise<StoreRecord[]> {
    return this.#records.list(kind, query);
  }

  deleteRecord(kind: RecordKind, id: string): Promise<boolean> {
    return this.#records.delete(kind, id);
  }

  keep(retention: Retention): Promise<void> {
    this.#retention = retention;
    return keep(this.#connection, this.#options, retention);
  }

  async status(): Promise<Omit<StoreStatus, 'queue' | 'remark'>> {
    const host = shown(this.#options);
    const { waiting } = this.#ingest;
    let failure: string | null =
      waiting === null ? null : `does not take transactions: ${reasonIn(waiting)}. They wait`;
    let known: Known = { version: '', tables: [], oldest: null, newest: null };
    try {
      known = await knownOf(this.#connection, this.#options);
    } catch (error) {
      failure ??= `cannot be asked: ${reasonIn(error)}. Transactions wait`;
    }
    return {
      engine: `ClickHouse ${known.version}`.trim(),
      path: `${host}/${this.#options.database}`,
      schema: SCHEMA_VERSION,
      bytes: known.tables.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      tables: known.tables,
      oldest: known.oldest,
      newest: known.newest,
      lag_s: this.#ingest.lag,
      appended: this.#appended,
      dropped: { ...this.#dropped },
      degraded: failure === null ? null : `ClickHouse at ${host} ${failure}, and are tried again.`,
    };
  }

  async compact(): Promise<void> {
    await this.flush();
    // The server merges by itself; this only makes it do so now.
    if (!this.#isCluster) for (const name of TABLE_NAMES) await this.#connection.run(`OPTIMIZE TABLE ${name}`);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    // What waits for the server holds the line.
    this.#ingest.hurry();
    await this.#line.run(() => this.#ingest.settle());
    await this.#connection.close();
  }
}
