import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseOptions } from '../store.ts';
import { bound } from './dialect.ts';
import { type NativeBlock, nativeBlocks } from './native-reader.ts';
import type { NativeColumn } from './native-writer.ts';
import type { Row, Session, SqlValue } from '../session.ts';

/** Milliseconds that a statement may take. */
const PATIENCE_MS = 120_000;
const CONNECTIONS = 10;
/** Rows of a block of an answer: a few megabytes, read while the next comes. */
const BLOCK_ROWS = 8192;

/** What every statement runs with. */
const SETTINGS = {
  // Names of results are those of columns: what is inside an aggregate is the column.
  prefer_column_name_to_alias: 1,
  // A cast of NULL is NULL, as in the other databases.
  cast_keep_nullable: 1,
  low_cardinality_allow_in_native_format: 0,
  date_time_input_format: 'best_effort',
} as const;

/** Errors after which the same statement may do: too busy, no room at the moment, another node, Keeper (ErrorCodes.cpp). */
const PASSING = new Set([
  '159', // TIMEOUT_EXCEEDED
  '202', // TOO_MANY_SIMULTANEOUS_QUERIES
  '203', // NO_FREE_CONNECTION
  '209', // SOCKET_TIMEOUT
  '210', // NETWORK_ERROR
  '225', // NO_ZOOKEEPER
  '236', // ABORTED
  '241', // MEMORY_LIMIT_EXCEEDED
  '242', // TABLE_IS_READ_ONLY
  '243', // NOT_ENOUGH_SPACE
  '252', // TOO_MANY_PARTS
  '279', // ALL_CONNECTION_TRIES_FAILED
  '285', // TOO_FEW_LIVE_REPLICAS
  '286', // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  '289', // REPLICA_IS_NOT_IN_QUORUM
  '319', // UNKNOWN_STATUS_OF_INSERT
  '394', // QUERY_WAS_CANCELLED
  '473', // DEADLOCK_AVOIDED
  '516', // AUTHENTICATION_FAILED: a password that is being changed
  '999', // KEEPER_EXCEPTION
]);

/** That it is worth trying again: the server was not there, or cannot at the moment. */
export function isPassing(error: unknown): boolean {
  return error instanceof ClickHouseError ? PASSING.has(error.code) : true;
}

/** First line of what ClickHouse or the network says. */
export function reasonIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const errors = error instanceof AggregateError ? error.errors : [error];
  const text = errors
    .map((one: unknown) => (one instanceof Error ? one.message : String(one)))
    .filter((message) => message !== '')
    .join(', ');
  return (text.split('\n')[0] || error.name).replace(/[.:\s]+$/, '');
}

/** A server, over its HTTP interface. Every answer is read as columns (Native format). */
export class Connection {
  readonly #client: ClickHouseClient;

  constructor({ url, user, password, database }: ClickHouseOptions, patience: number = PATIENCE_MS) {
    this.#client = createClient({
      url,
      username: user,
      password: password ?? '',
      database,
      application: 'nametap',
      request_timeout: patience,
      max_open_connections: CONNECTIONS,
      compression: { response: false, request: false },
      log: { level: ClickHouseLogLevel.OFF },
      clickhouse_settings: SETTINGS,
    });
  }

  /** A statement without an answer. */
  async run(
    sql: string,
    values: readonly SqlValue[] = [],
    settings: Record<string, string | number> = {},
  ): Promise<void> {
    const { query, params } = bound(sql, values);
    await this.#client.command({ query, query_params: params, clickhouse_settings: settings });
  }

  /** Few rows, as objects. */
  async all<T = Row>(sql: string, values: readonly SqlValue[] = [], signal?: AbortSignal): Promise<T[]> {
    const rows: T[] = [];
    for await (const block of this.blocks(sql, values, signal)) {
      for (let i = 0; i < block.count; i++) rows.push(block.row(i) as T);
    }
    return rows;
  }

  async one<T = Row>(sql: string, values: readonly SqlValue[] = [], signal?: AbortSignal): Promise<T | undefined> {
    return (await this.all<T>(sql, values, signal))[0];
  }

  /** Many rows, block by block, as they come. */
  async *blocks(sql: string, values: readonly SqlValue[] = [], signal?: AbortSignal): AsyncGenerator<NativeBlock> {
    yield* nativeBlocks(await this.stream(`${sql} FORMAT Native`, values, signal));
  }

  /** The octets of an answer, in the format that the statement names. */
  async stream(sql: string, values: readonly SqlValue[], signal?: AbortSignal): Promise<Readable> {
    const { query, params } = bound(sql, values);
    const { stream } = await this.#client.exec({
      query,
      query_params: params,
      clickhouse_settings: { max_block_size: String(BLOCK_ROWS), cancel_http_readonly_queries_on_client_close: 1 },
      ...(signal !== undefined && { abort_signal: signal }),
    });
    return stream;
  }

  /**
   * Adds the rows of a block. With `token` the server takes what it names once, also in what is made of it by views.
   */
  async insert(
    table: string,
    columns: readonly NativeColumn[],
    block: readonly Uint8Array[],
    token?: string,
  ): Promise<void> {
    const names = columns.map(({ name }) => name).join(', ');
    const { stream } = await this.#client.exec({
      query: `INSERT INTO ${table} (${names}) FORMAT Native`,
      values: Readable.from(block, { objectMode: false }),
      clickhouse_settings: {
        ...(token !== undefined && {
          insert_deduplicate: 1,
          insert_deduplication_token: token,
          deduplicate_blocks_in_dependent_materialized_views: 1,
        }),
        async_insert: 0,
        distributed_foreground_insert: 1,
        // An imported file has rows of any number of days.
        max_partitions_per_insert_block: '0',
        // One insert is one block of the table, whatever its size: what a token names.
        min_insert_block_size_rows: '1048576',
        min_insert_block_size_bytes: '1073741824',
        max_insert_threads: '1',
      },
    });
    stream.resume();
    await new Promise<void>((resolve, reject) =>
      stream.once('end', resolve).once('close', resolve).once('error', reject),
    );
  }

  /** Statements that end when the signal aborts. */
  session(signal?: AbortSignal): Session {
    return {
      all: (sql, values) => this.all(sql, values, signal),
      one: (sql, values) => this.one(sql, values, signal),
      chunks: (sql, values) => this.blocks(sql, values, signal),
    };
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
