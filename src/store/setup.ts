import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, UserError } from '../core/errors.ts';
import { type Connection, Database } from './duckdb.ts';
import { openFailure } from './failures.ts';
import { Parts, tableOf } from './parts.ts';
import { before, columnsSince, migrationsSince, SCHEMA_VERSION, STRETCHES_SINCE, TABLES } from './schema.ts';
import { transaction } from './sql-transaction.ts';
import { type StoreOptions, TEMPORARY_FOLDER } from './store.ts';

/** Files of a store's folder. */
export const DATABASE_FILE = 'nametap.duckdb';
export const PARTS_FOLDER = 'parts';
/** Oldest DuckDB that reads the file: what its compression needs. */
export const STORAGE_VERSION = 'v1.5.0';

export interface Opened {
  database: Database;
  connection: Connection;
  parts: Parts;
  /** The store was made now. */
  isNew: boolean;
  /** Schema version it had. */
  version: number;
}

/** Opens, makes or migrates the database. Throws UserError in one or two sentences. */
export async function openDatabase(options: StoreOptions): Promise<Opened> {
  const { path, readOnly = false } = options;
  const file = path === null ? null : join(path, DATABASE_FILE);
  try {
    if (path !== null) prepareFolder(path, readOnly);
    const database = await Database.open(file, settingsOf(options));
    try {
      return await begin(database, options);
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw openFailure(file ?? 'in memory', error);
  }
}

function prepareFolder(path: string, readOnly: boolean): void {
  const file = join(path, DATABASE_FILE);
  if (readOnly) {
    if (existsSync(file)) return;
    throw new UserError(`There is no store in ${path}. Run 'nametap serve', or give its folder (--data).`, EXIT.file);
  }
  mkdirSync(join(path, PARTS_FOLDER), { recursive: true, mode: 0o750 });
  accessSync(path, constants.W_OK);
  if (existsSync(file)) accessSync(file, constants.W_OK);
  rmSync(`${file}.new`, { force: true });
  rmSync(join(path, TEMPORARY_FOLDER), { recursive: true, force: true });
}

function settingsOf({ path, readOnly, memoryMb = 250, threads = 2 }: StoreOptions): Record<string, string> {
  return {
    access_mode: readOnly === true && path !== null ? 'READ_ONLY' : 'READ_WRITE',
    memory_limit: `${memoryMb}MB`,
    threads: String(threads),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    // Checkpoints are made by the store, when no writer is under way.
    checkpoint_threshold: '1TB',
    // Rows of parts come through appenders, in order; everything else has an ORDER BY where order matters.
    preserve_insertion_order: 'false',
    storage_compatibility_version: STORAGE_VERSION,
    // Memory that is free again goes back to the system soon: it is not counted in the limit.
    allocator_background_threads: 'true',
    allocator_flush_threshold: '16MB',
    allocator_bulk_deallocation_flush_threshold: '32MB',
    ...(path !== null && { temp_directory: join(path, TEMPORARY_FOLDER), max_temp_directory_size: '4GB' }),
  };
}

async function begin(database: Database, { path, readOnly = false }: StoreOptions): Promise<Opened> {
  const connection = await database.connect();
  const parts = new Parts(path === null ? null : join(path, PARTS_FOLDER));
  const known = await connection.one(`SELECT 1 FROM duckdb_tables() WHERE table_name = 'meta'`);
  if (known === undefined) {
    if (readOnly) throw new UserError(`The store in ${path ?? 'memory'} is empty.`, EXIT.file);
    await transaction(connection, async () => {
      for (const statement of TABLES) await connection.run(statement);
      await setMeta(connection, 'schema', String(SCHEMA_VERSION));
      parts.began(await parts.begin(connection));
    });
    return { database, connection, parts, isNew: true, version: SCHEMA_VERSION };
  }
  const version = Number(await getMeta(connection, 'schema'));
  if (version > SCHEMA_VERSION) {
    throw new UserError(
      `The store ${path ?? ''} has schema ${version}, this nametap knows ${SCHEMA_VERSION}. Install a newer nametap, or give another folder (--data).`,
      EXIT.file,
    );
  }
  if (version < SCHEMA_VERSION && !readOnly) await migrate(connection, parts, version);
  else if (migrationsSince(version).length > 0) {
    throw new UserError(
      `The store ${path ?? ''} has schema ${version}, and cannot be changed to ${SCHEMA_VERSION} while it is only looked at. Run 'nametap serve' once, which does it.`,
      EXIT.file,
    );
  }
  await parts.load(connection);
  if (!readOnly) removeStrays(parts);
  return { database, connection, parts, isNew: false, version };
}

/** Leads an older store to today's schema, in one transaction. Parquet files stay as they are: see `partColumns`. */
async function migrate(connection: Connection, parts: Parts, version: number): Promise<void> {
  await transaction(connection, async () => {
    for (const statement of migrationsSince(version)) await connection.run(statement);
    await parts.load(connection);
    for (const part of parts.list) {
      if (part.kind === 'parquet') continue;
      for (const { name, type } of columnsSince(part.version)) {
        await connection.run(`ALTER TABLE ${tableOf(part.part)} ADD COLUMN ${name} ${type} DEFAULT ${before(type)}`);
      }
      await connection.run('UPDATE parts SET version = ? WHERE part = ?', [SCHEMA_VERSION, part.part]);
    }
    if (version < STRETCHES_SINCE) {
      // Nobody looked at what these rows hold: anything may be there.
      for (const { first, last, rows } of parts.list) {
        if (rows > 0) await connection.run(`INSERT INTO stretches VALUES (?, ?, ''::BLOB)`, [first, last]);
      }
      await setMeta(connection, 'sought', JSON.stringify(parts.end));
    }
    await setMeta(connection, 'schema', String(SCHEMA_VERSION));
  });
}

/** Files of parts that the database does not know: a move that was not finished, or a drop that was not. */
function removeStrays(parts: Parts): void {
  const { folder, list } = parts;
  if (folder === null) return;
  const known = new Set(list.filter(({ kind }) => kind === 'parquet').map(({ part }) => parts.file(part)));
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (/^transactions-\d+\.parquet$/.test(name) && !known.has(path)) rmSync(path, { force: true });
  }
}

export async function getMeta(connection: Connection, key: string): Promise<string | undefined> {
  return (await connection.one<{ value: string }>('SELECT value FROM meta WHERE key = ?', [key]))?.value;
}

export async function setMeta(connection: Connection, key: string, value: string): Promise<void> {
  await connection.run('DELETE FROM meta WHERE key = ?', [key]);
  await connection.run('INSERT INTO meta VALUES (?, ?)', [key, value]);
}
