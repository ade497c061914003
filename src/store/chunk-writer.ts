import duckdb, { type Type } from '@duckdb/node-bindings';
import { aligned, type Appender, arrayOf, INLINE, type Numbers, STRING_BYTES } from './duckdb.ts';
import type { ColumnType } from './schema.ts';

/** Rows of a chunk, given by DuckDB. */
export const CHUNK_ROWS = 2048;
const { BIGINT, UTINYINT, USMALLINT, UINTEGER, UBIGINT, DOUBLE, VARCHAR, BLOB } = duckdb.Type;

/** Types of columns, and the octets of a value in a chunk. */
const TYPES: Readonly<Record<ColumnType, { number: Type; bytes: number }>> = {
  UTINYINT: { number: UTINYINT, bytes: 1 },
  USMALLINT: { number: USMALLINT, bytes: 2 },
  UINTEGER: { number: UINTEGER, bytes: 4 },
  UBIGINT: { number: UBIGINT, bytes: 8 },
  BIGINT: { number: BIGINT, bytes: 8 },
  DOUBLE: { number: DOUBLE, bytes: 8 },
  VARCHAR: { number: VARCHAR, bytes: STRING_BYTES },
  BLOB: { number: BLOB, bytes: STRING_BYTES },
};

/** Columns of up to `CHUNK_ROWS` rows to be appended: numbers are written into `numbers[column]`, strings with `string`. */
export class ChunkWriter {
  /** Rows written so far; the owner counts. */
  count = 0;
  readonly numbers: Numbers[] = [];
  /** The same memory as pairs of words, for 64-bit columns (low word first). */
  readonly words: Uint32Array[] = [];
  readonly #buffers: ArrayBuffer[] = [];
  readonly #bytes: Uint8Array[] = [];
  readonly #sizes: number[] = [];
  /** Column whose vector keeps long strings. */
  readonly #holder: number;
  readonly #types: ReturnType<typeof duckdb.create_logical_type>[];
  readonly #nulls: (Uint8Array<ArrayBuffer> | null)[];
  #chunk: ReturnType<typeof duckdb.create_data_chunk> | undefined;
  // Strings that do not fit into the chunk: column, row, where in the heap.
  readonly #long: number[] = [];
  #heap = new Uint8Array(1 << 20);
  #used = 0;

  constructor(columns: readonly { type: ColumnType; nullable?: boolean }[]) {
    for (const { type } of columns) {
      const { number, bytes } = TYPES[type];
      const buffer = new ArrayBuffer(CHUNK_ROWS * bytes);
      this.#buffers.push(buffer);
      this.#sizes.push(bytes);
      this.#bytes.push(new Uint8Array(buffer));
      this.words.push(bytes >= 4 ? new Uint32Array(buffer) : new Uint32Array(0));
      this.numbers.push(arrayOf(number, buffer));
    }
    const blob = columns.findIndex(({ type }) => type === 'BLOB');
    this.#holder = blob >= 0 ? blob : columns.findIndex(({ type }) => type === 'VARCHAR');
    this.#types = columns.map(({ type }) => duckdb.create_logical_type(TYPES[type].number));
    this.#nulls = columns.map(({ nullable }) => (nullable === true ? new Uint8Array(CHUNK_ROWS / 8).fill(255) : null));
  }

  get full(): boolean {
    return this.count === CHUNK_ROWS;
  }

  /** A string or blob of the current row. */
  string(column: number, from: Uint8Array, at: number, length: number): void {
    const bytes = this.#bytes[column];
    const cell = this.count * STRING_BYTES;
    if (length <= INLINE) {
      this.words[column][cell >>> 2] = length;
      const start = cell + 4;
      for (let i = 0; i < length; i++) bytes[start + i] = from[at + i];
      for (let i = length; i < INLINE; i++) bytes[start + i] = 0;
      return;
    }
    this.words[column][cell >>> 2] = 0;
    if (this.#used + length > this.#heap.length) {
      const wider = new Uint8Array(Math.max(this.#heap.length * 2, this.#used + length));
      wider.set(this.#heap.subarray(0, this.#used));
      this.#heap = wider;
    }
    if (length > 160) this.#heap.set(from.subarray(at, at + length), this.#used);
    else for (let i = 0; i < length; i++) this.#heap[this.#used + i] = from[at + i];
    this.#long.push(column, this.count, this.#used, length);
    this.#used += length;
  }

  /** The value of the current row is missing (nullable columns). */
  null(column: number): void {
    const mask = this.#nulls[column];
    if (mask !== null) mask[this.count >>> 3] &= ~(1 << (this.count & 7));
  }

  /** Hands the rows over and is empty again. */
  flush(appender: Appender): void {
    const { count } = this;
    if (count === 0) return;
    const chunk = (this.#chunk ??= duckdb.create_data_chunk(this.#types));
    const vectors = this.#types.map((_, k) => duckdb.data_chunk_get_vector(chunk, k));
    if (this.#long.length > 0) this.#pointToLong(vectors[this.#holder]);
    vectors.forEach((vector, k) => {
      duckdb.copy_data_to_vector(vector, 0, this.#buffers[k], 0, count * this.#sizes[k]);
      const mask = this.#nulls[k];
      if (mask === null) return;
      duckdb.vector_ensure_validity_writable(vector);
      duckdb.copy_data_to_vector_validity(vector, 0, mask.buffer, 0, Math.ceil(count / 64) * 8);
      mask.fill(255);
    });
    duckdb.data_chunk_set_size(chunk, count);
    appender.append(chunk);
    duckdb.data_chunk_reset(chunk);
    this.clear();
  }

  /**
   * A native call per string costs more than everything else: all long ones are given to a vector as one, which keeps
   * them for as long as the chunk lives, and the cells then point into it (duckdb_string_t: length, first four octets,
   * pointer). The database copies them when the chunk is appended. A blob holds any octets, text only what is UTF-8.
   */
  #pointToLong(vector: Parameters<typeof duckdb.vector_get_data>[0]): void {
    const heap = this.#heap;
    duckdb.vector_assign_string_element_len(vector, 0, heap.subarray(0, Math.max(this.#used, INLINE + 1)));
    const cell = new DataView(aligned(duckdb.vector_get_data(vector, STRING_BYTES)));
    const base = cell.getBigUint64(8, true);
    const low = Number(base & 0xffff_ffffn);
    const high = Number(base >> 32n);
    const long = this.#long;
    for (let k = 0; k < long.length; k += 4) {
      const words = this.words[long[k]];
      const at = long[k + 1] * 4;
      const from = long[k + 2];
      words[at] = long[k + 3];
      words[at + 1] = heap[from] | (heap[from + 1] << 8) | (heap[from + 2] << 16) | (heap[from + 3] << 24);
      words[at + 2] = low + from;
      words[at + 3] = high + (low + from > 0xffff_ffff ? 1 : 0);
    }
  }

  clear(): void {
    this.count = 0;
    this.#long.length = 0;
    this.#used = 0;
    for (const mask of this.#nulls) mask?.fill(255);
  }
}
