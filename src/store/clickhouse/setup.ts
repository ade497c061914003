import { ClickHouseError } from '@clickhouse/client';
import { EXIT, UserError } from '../../core/errors.ts';
import type { ClickHouseOptions, Retention, StoreOptions } from '../store.ts';
import { Connection, reasonIn } from './connection.ts';
import { nativeRows } from './native-writer.ts';
import { identifier, retentionStatements, statementsOf } from './ddl.ts';
import { SCHEMA_VERSION } from './schema.ts';

const UNKNOWN_DATABASE = '81';
const AUTHENTICATION_FAILED = '516';
const META = [
  { name: 'key', type: 'VARCHAR' },
  { name: 'value', type: 'VARCHAR' },
  { name: 'version', type: 'UBIGINT' },
  { name: 'gone', type: 'UTINYINT' },
] as const;

/** Statements that lead from the version before to this one. */
const MIGRATIONS: Readonly<Record<number, (options: ClickHouseOptions) => readonly string[]>> = {};

/** Connects, and makes the database and its tables where they are not there. Throws UserError. */
export async function openDatabase(options: StoreOptions, clickhouse: ClickHouseOptions): Promise<Connection> {
  const { readOnly = false, retention = {} } = options;
  const connection = new Connection(clickhouse);
  try {
    await reach(connection, clickhouse, readOnly);
    await prepare(connection, clickhouse, readOnly, retention);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function reach(connection: Connection, options: ClickHouseOptions, readOnly: boolean): Promise<void> {
  try {
    await connection.one('SELECT 1 AS one');
  } catch (error) {
    if (!(error instanceof ClickHouseError) || error.code !== UNKNOWN_DATABASE || readOnly) throw error;
    const first = new Connection({ ...options, database: 'default' });
    try {
      const on = options.cluster === undefined ? '' : ` ON CLUSTER ${identifier(options.cluster)}`;
      await first.run(`CREATE DATABASE IF NOT EXISTS ${identifier(options.database)}${on}`);
    } finally {
      await first.close();
    }
  }
}

async function prepare(
  connection: Connection,
  options: ClickHouseOptions,
  readOnly: boolean,
  retention: Retention,
): Promise<void> {
  const known = await connection.one(
    `SELECT 1 AS one FROM system.tables WHERE database = currentDatabase() AND name = 'meta'`,
  );
  const version = known === undefined ? 0 : Number((await metaOf(connection, 'schema')) ?? 0);
  if (version > SCHEMA_VERSION) {
    throw new UserError(
      `The store in ${options.database} of ${shown(options)} has schema ${version}, this nametap knows ${SCHEMA_VERSION}. Install a newer nametap, or name another database (store.clickhouse.database).`,
      EXIT.file,
    );
  }
  if (readOnly) {
    if (version === 0) {
      throw new UserError(
        `There is no store in ${options.database} of ${shown(options)}. Run 'nametap serve'.`,
        EXIT.file,
      );
    }
    return;
  }
  // A start that was cut short is gone on with: what is there is left alone.
  const statements = version === 0 ? statementsOf(options, retention) : [];
  for (let next = version + 1; version > 0 && next <= SCHEMA_VERSION; next++) {
    statements.push(...(MIGRATIONS[next]?.(options) ?? []));
  }
  for (const statement of statements) await connection.run(statement);
  if (version === 0) await putMeta(connection, 'retention', JSON.stringify(retention));
  if (version < SCHEMA_VERSION) await putMeta(connection, 'schema', String(SCHEMA_VERSION));
  await keep(connection, options, retention);
}

/** Changes how long tables keep their rows, where that is not what they do. */
export async function keep(connection: Connection, options: ClickHouseOptions, retention: Retention): Promise<void> {
  const wanted = JSON.stringify(retention);
  if ((await metaOf(connection, 'retention')) === wanted) return;
  const bounded = await connection.all<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND position(engine_full, ' TTL ') > 0`,
  );
  const isBounded = (table: string) => bounded.some(({ name }) => name === table);
  for (const statement of retentionStatements(options, retention, isBounded)) await connection.run(statement);
  await putMeta(connection, 'retention', wanted);
}

async function metaOf(connection: Connection, key: string): Promise<string | undefined> {
  const row = await connection.one<{ value: string }>('SELECT value FROM meta FINAL WHERE key = ?', [key]);
  return row?.value;
}

async function putMeta(connection: Connection, key: string, value: string): Promise<void> {
  await connection.insert('meta', META, nativeRows(META, [[key, value, BigInt(Date.now()) * 1_000_000n, 0]]));
}

/** A server's address without what is secret. */
export function shown({ url }: ClickHouseOptions): string {
  const parsed = URL.parse(url);
  return parsed === null ? url : parsed.host;
}

/** Why a store cannot be opened, in one or two sentences. */
export function openFailure(options: ClickHouseOptions, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const where = shown(options);
  const cause = { cause: error };
  if (!(error instanceof ClickHouseError)) {
    return new UserError(
      `ClickHouse at ${where} cannot be reached: ${reasonIn(error)}. Start it, or correct store.clickhouse.url.`,
      EXIT.file,
      cause,
    );
  }
  if (error.code === AUTHENTICATION_FAILED) {
    return new UserError(
      `ClickHouse at ${where} does not let ${options.user} in. Correct store.clickhouse.user and password.`,
      EXIT.file,
      cause,
    );
  }
  return new UserError(`The store on ClickHouse at ${where} cannot be opened: ${reasonIn(error)}.`, EXIT.file, cause);
}
