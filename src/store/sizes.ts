import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from './duckdb.ts';
import type { Parts } from './parts.ts';
import { DATABASE_FILE, PARTS_FOLDER } from './setup.ts';
import type { StoreStatus } from './store.ts';

/** Bytes of a file; 0 where there is none. */
export function fileBytes(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Bytes of all files of a store; 0 in memory. */
export function folderBytes(path: string | null): number {
  if (path === null) return 0;
  const parts = join(path, PARTS_FOLDER);
  const files = [DATABASE_FILE, `${DATABASE_FILE}.wal`].map((name) => join(path, name));
  return [...files, ...readdirSync(parts).map((name) => join(parts, name))].reduce(
    (sum, file) => sum + fileBytes(file),
    0,
  );
}

/** Rows of transactions, in the database and aged to files. */
export function partSizes(parts: Parts): StoreStatus['tables'] {
  const rows = (isFile: boolean) =>
    parts.list.reduce((sum, part) => sum + ((part.kind === 'parquet') === isFile ? part.rows : 0), 0);
  return [
    { name: 'transactions', rows: rows(false), bytes: null },
    { name: 'transactions (parquet)', rows: rows(true), bytes: parts.fileBytes },
  ];
}

/** Rows of the tables besides those of transactions, about. */
export async function tableSizes(connection: Connection): Promise<StoreStatus['tables']> {
  const sizes = await connection.all<{ name: string; n: number }>(
    `SELECT table_name AS name, estimated_size AS n FROM duckdb_tables() WHERE NOT temporary AND table_name NOT LIKE 'transactions_%'`,
  );
  return sizes.map(({ name, n }) => ({ name, rows: n, bytes: null }));
}
