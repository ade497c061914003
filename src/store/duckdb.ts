import duckdb, { type Connection as Handle, type Database as DatabaseHandle, type Type } from '@duckdb/node-bindings';

/**
 * DuckDB as the store uses it: rows go in as whole chunks of typed arrays (`ChunkWriter`), and come out the same way, or as
 * objects where they are few. Only these two files touch the bindings.
 */
const { BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, UTINYINT, USMALLINT, UINTEGER, UBIGINT } = duckdb.Type;
const { DOUBLE, HUGEINT, VARCHAR, BLOB } = duckdb.Type;
/** Octets of a string's cell in a vector, and up to how many of the string lie in the cell itself. */
export const STRING_BYTES = 16;
export const INLINE = 12;

export type SqlValue = string | number | bigint | boolean | Uint8Array | null;
export type Row = Record<string, SqlValue>;

/** An open database; every connection sees what the others have committed. */
export class Database {
  readonly #handle: DatabaseHandle;

  private constructor(handle: DatabaseHandle) {
    this.#handle = handle;
  }

  /** `path` null = in memory. Throws DuckDB's error, first line. */
  static async open(path: string | null, settings: Readonly<Record<string, string>>): Promise<Database> {
    const config = duckdb.create_config();
    for (const [name, value] of Object.entries(settings)) duckdb.set_config(config, name, value);
    return new Database(await duckdb.open(path ?? ':memory:', config));
  }

  async connect(): Promise<Connection> {
    return new Connection(await duckdb.connect(this.#handle));
  }

  close(): void {
    duckdb.close_sync(this.#handle);
  }

  static get version(): string {
    return duckdb.library_version();
  }
}

/** One session: its statements run one after the other. */
export class Connection {
  readonly #handle: Handle;

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  async run(sql: string, params: readonly SqlValue[] = []): Promise<void> {
    for await (const _ of this.chunks(sql, params)) void _;
  }

  /** Runs what cannot be prepared. */
  async execute(sql: string): Promise<void> {
    await duckdb.query(this.#handle, sql);
  }

  /** Few rows, as objects. BIGINT and DOUBLE become numbers, UBIGINT and HUGEINT bigint, BLOB octets. */
  async all<T = Row>(sql: string, params: readonly SqlValue[] = []): Promise<T[]> {
    const rows: T[] = [];
    for await (const chunk of this.chunks(sql, params)) {
      for (let i = 0; i < chunk.count; i++) rows.push(chunk.row(i) as T);
    }
    return rows;
  }

  async one<T = Row>(sql: string, params: readonly SqlValue[] = []): Promise<T | undefined> {
    return (await this.all<T>(sql, params))[0];
  }

  /** Many rows, chunk by chunk, as they are found. */
  async *chunks(sql: string, params: readonly SqlValue[] = []): AsyncGenerator<Chunk> {
    const statement = await duckdb.prepare(this.#handle, sql);
    try {
      params.forEach((value, k) => bind(statement, k + 1, value));
      const result = await duckdb.execute_prepared_streaming(statement);
      const names: string[] = [];
      const types: Type[] = [];
      for (let k = 0; k < duckdb.column_count(result); k++) {
        names.push(duckdb.column_name(result, k));
        types.push(duckdb.column_type(result, k));
      }
      for (;;) {
        const data = await duckdb.fetch_chunk(result);
        if (data === null || data === undefined) return;
        const count = duckdb.data_chunk_get_size(data);
        if (count === 0) return;
        yield new Chunk(count, names, types, (k) => duckdb.data_chunk_get_vector(data, k));
      }
    } finally {
      duckdb.destroy_prepare_sync(statement);
    }
  }

  /** Rows for a table, within the transaction of this connection. */
  appender(table: string): Appender {
    return new Appender(duckdb.appender_create(this.#handle, null, table));
  }

  /** Rows for a temporary table: they go into a store that is opened for looking only, too. */
  temporaryAppender(table: string): Appender {
    return new Appender(duckdb.appender_create_ext(this.#handle, 'temp', 'main', table));
  }

  /** Stops the statement that runs; it fails with an interrupt error. */
  interrupt(): void {
    duckdb.interrupt(this.#handle);
  }

  close(): void {
    duckdb.disconnect_sync(this.#handle);
  }
}

function bind(statement: Parameters<typeof duckdb.bind_null>[0], at: number, value: SqlValue): void {
  if (value === null) duckdb.bind_null(statement, at);
  else if (typeof value === 'string') duckdb.bind_varchar(statement, at, value);
  else if (typeof value === 'boolean') duckdb.bind_boolean(statement, at, value);
  else if (typeof value === 'object') duckdb.bind_blob(statement, at, value);
  else if (typeof value === 'bigint') {
    if (value > 0x7fff_ffff_ffff_ffffn) duckdb.bind_uint64(statement, at, value);
    else duckdb.bind_int64(statement, at, value);
  } else if (Number.isSafeInteger(value)) duckdb.bind_int64(statement, at, BigInt(value));
  else duckdb.bind_double(statement, at, value);
}

class Appender {
  readonly #handle: ReturnType<typeof duckdb.appender_create>;

  constructor(handle: ReturnType<typeof duckdb.appender_create>) {
    this.#handle = handle;
  }

  append(chunk: Parameters<typeof duckdb.append_data_chunk>[1]): void {
    duckdb.append_data_chunk(this.#handle, chunk);
  }

  /** Drops rows that are not in the transaction yet: left alone, they would get in when this is collected. */
  discard(): void {
    duckdb.appender_clear(this.#handle);
  }

  /** Everything appended is in the transaction. */
  close(): void {
    duckdb.appender_close_sync(this.#handle);
  }
}
export type { Appender };

export type Numbers = Uint8Array | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array | Float64Array;

/** Memory as numbers of a type. */
export function arrayOf(type: Type, buffer: ArrayBuffer): Numbers {
  if (type === USMALLINT) return new Uint16Array(buffer);
  if (type === UINTEGER) return new Uint32Array(buffer);
  if (type === BIGINT) return new BigInt64Array(buffer);
  if (type === UBIGINT) return new BigUint64Array(buffer);
  if (type === DOUBLE) return new Float64Array(buffer);
  return new Uint8Array(buffer);
}

type VectorOf = (column: number) => Parameters<typeof duckdb.vector_get_data>[0];
/** Rows of a result. Columns are decoded when they are asked for. */
export class Chunk {
  readonly count: number;
  readonly names: readonly string[];
  readonly #types: readonly Type[];
  readonly #vector: VectorOf;
  readonly #columns: SqlValue[][] = [];

  constructor(count: number, names: readonly string[], types: readonly Type[], vector: VectorOf) {
    this.count = count;
    this.names = names;
    this.#types = types;
    this.#vector = vector;
  }

  row(i: number): Row {
    const row: Row = {};
    this.names.forEach((name, k) => {
      row[name] = (this.#columns[k] ??= this.#decode(k))[i];
    });
    return row;
  }

  /** A column of numbers as they lie in memory. */
  numbers(column: number): Numbers {
    const type = this.#types[column];
    const bytes = widthOf(type);
    const data = duckdb.vector_get_data(this.#vector(column), this.count * bytes);
    return arrayOf(type, aligned(data));
  }

  /** Tells whether a row of the column has a value. */
  validity(column: number): (i: number) => boolean {
    const mask: Uint8Array | null | undefined = duckdb.vector_get_validity(
      this.#vector(column),
      Math.ceil(this.count / 64) * 8,
    );
    return mask === null || mask === undefined ? () => true : (i) => (mask[i >>> 3] & (1 << (i & 7))) !== 0;
  }

  /** A column of strings or blobs as octets: `read(i)`; what it gives is valid until the next call. */
  strings(column: number): (i: number) => Uint8Array {
    const data = aligned(duckdb.vector_get_data(this.#vector(column), this.count * STRING_BYTES));
    const bytes = new Uint8Array(data);
    const words = new Uint32Array(data);
    return (i) => {
      // Long strings lie in the chunk: who reads them keeps it.
      if (i >= this.count) throw new RangeError('no such row');
      const length = words[i * 4];
      const at = i * STRING_BYTES + 4;
      if (length <= INLINE) return bytes.subarray(at, at + length);
      return duckdb.get_data_from_pointer(data, at + 4, length);
    };
  }

  #decode(column: number): SqlValue[] {
    const type = this.#types[column];
    const valid = this.validity(column);
    const read = this.#reader(column, type);
    return Array.from({ length: this.count }, (_, i) => (valid(i) ? read(i) : null));
  }

  #reader(column: number, type: Type): (i: number) => SqlValue {
    if (type === VARCHAR || type === BLOB) {
      const read = this.strings(column);
      return type === BLOB ? (i) => read(i).slice() : (i) => utf8.decode(read(i));
    }
    if (type === HUGEINT) {
      const data = aligned(duckdb.vector_get_data(this.#vector(column), this.count * 16));
      const low = new BigUint64Array(data);
      const high = new BigInt64Array(data);
      return (i) => (high[i * 2 + 1] << 64n) | low[i * 2];
    }
    if (type === TINYINT || type === SMALLINT || type === INTEGER) {
      const data = aligned(duckdb.vector_get_data(this.#vector(column), this.count * widthOf(type)));
      const numbers =
        type === TINYINT ? new Int8Array(data) : type === SMALLINT ? new Int16Array(data) : new Int32Array(data);
      return (i) => numbers[i];
    }
    const numbers = this.numbers(column);
    if (type === BOOLEAN) return (i) => numbers[i] === 1;
    return type === UBIGINT ? (i) => numbers[i] : (i) => Number(numbers[i]);
  }
}

const utf8 = new TextDecoder();

function widthOf(type: Type): number {
  if (type === BOOLEAN || type === TINYINT || type === UTINYINT) return 1;
  if (type === SMALLINT || type === USMALLINT) return 2;
  if (type === INTEGER || type === UINTEGER) return 4;
  if (type === BIGINT || type === UBIGINT || type === DOUBLE) return 8;
  throw new Error(`a column of the result has a type that is not read: ${type}`);
}

/** The octets in a buffer of their own that begins with them. */
export function aligned(data: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = data;
  if (byteOffset === 0 && buffer.byteLength === byteLength && buffer instanceof ArrayBuffer) return buffer;
  return data.slice().buffer;
}
