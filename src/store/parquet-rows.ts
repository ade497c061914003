import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChunkWriter } from './chunk-writer.ts';
import { type Appender, type Connection, Database } from './duckdb.ts';
import { PARQUET_COLUMNS } from './export.ts';
import { RowEncoder } from './row-encoder.ts';
import type { StoredRows } from './rows.ts';
import { createTable, TRANSACTION_COLUMNS } from './schema.ts';

const ONE = new Uint32Array(1);
const utf8 = new TextEncoder();

/** Rows of another database on their way into a Parquet file: DuckDB, with a file of its own, writes it. */
export class ParquetRows {
  rows = 0;
  readonly #folder: string;
  readonly #database: Database;
  readonly #connection: Connection;
  readonly #appender: Appender;
  readonly #writer = new ChunkWriter(TRANSACTION_COLUMNS);
  readonly #encoder = new RowEncoder();

  private constructor(folder: string, database: Database, connection: Connection) {
    this.#folder = folder;
    this.#database = database;
    this.#connection = connection;
    this.#appender = connection.appender('found');
  }

  static async open(): Promise<ParquetRows> {
    const folder = mkdtempSync(join(tmpdir(), 'nametap-parquet-'));
    const database = await Database.open(join(folder, 'rows.duckdb'), { threads: '2', memory_limit: '250MB' });
    const connection = await database.connect();
    await connection.run(createTable('found', TRANSACTION_COLUMNS));
    return new ParquetRows(folder, database, connection);
  }

  /** Adds row `i`. */
  add({ batch, sensors, interfaces, rules }: StoredRows, i: number): void {
    const to = this.#writer;
    ONE[0] = i;
    this.#encoder.copy(batch, ONE, 0, 1, to);
    this.#encoder.read(batch, i);
    const texts = { sensor: utf8.encode(sensors[i]), marks: [utf8.encode(''), utf8.encode(rules[i])] };
    const names: Uint8Array[] = [];
    names[batch.col.interfaceId[i]] = utf8.encode(interfaces[i]);
    this.#encoder.write(batch, i, to, { ...texts, interfaces: names });
    this.rows++;
    if (to.full) to.flush(this.#appender);
  }

  /** Writes all rows to a file, in the order they came. */
  async write(path: string): Promise<{ rows: number; bytes: number }> {
    this.#writer.flush(this.#appender);
    this.#appender.close();
    const file = path.replaceAll("'", "''");
    await this.#connection.run(
      `COPY (SELECT ${PARQUET_COLUMNS} FROM found ORDER BY time) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`,
    );
    return { rows: this.rows, bytes: statSync(path).size };
  }

  close(): void {
    this.#connection.close();
    this.#database.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
