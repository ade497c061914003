import type { ColumnType } from '../schema.ts';

/** Columns as ClickHouse takes them: its name for a type, the octets of a value (0: text), how memory is seen. */
const TYPES: Readonly<Record<ColumnType, { name: string; bytes: number }>> = {
  UTINYINT: { name: 'UInt8', bytes: 1 },
  USMALLINT: { name: 'UInt16', bytes: 2 },
  UINTEGER: { name: 'UInt32', bytes: 4 },
  UBIGINT: { name: 'UInt64', bytes: 8 },
  BIGINT: { name: 'Int64', bytes: 8 },
  DOUBLE: { name: 'Float64', bytes: 8 },
  VARCHAR: { name: 'String', bytes: 0 },
  BLOB: { name: 'String', bytes: 0 },
};

/** A column to be written. `address`: octets of an address, 4 or 16, which become an IPv6 address (RFC 4291 §2.5.5.2). */
export interface NativeColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable?: boolean;
  readonly address?: boolean;
}

/** Name of a column's type in ClickHouse. */
export function nativeType({ type, nullable, address }: NativeColumn): string {
  if (address === true) return 'IPv6';
  return nullable === true ? `Nullable(${TYPES[type].name})` : TYPES[type].name;
}

type Numbers = Uint8Array | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array | Float64Array;
const utf8 = new TextEncoder();

/** Strings of a column, each behind its length (LEB128), as they go over the wire. */
class Texts {
  #bytes = new Uint8Array(1 << 16);
  used = 0;

  add(from: Uint8Array, at: number, length: number): void {
    this.room(length + 5);
    const to = this.#bytes;
    let n = length;
    for (; n >= 0x80; n >>>= 7) to[this.used++] = (n & 0x7f) | 0x80;
    to[this.used++] = n;
    this.#copy(from, at, length);
  }

  /** An IPv4 address as the IPv6 address that stands for it, or an IPv6 address. */
  address(from: Uint8Array, at: number, length: number): void {
    this.room(16);
    const to = this.#bytes;
    if (length === 4) {
      to.fill(0, this.used, this.used + 10);
      to[this.used + 10] = to[this.used + 11] = 0xff;
      this.used += 12;
    }
    this.#copy(from, at, length);
  }

  #copy(from: Uint8Array, at: number, length: number): void {
    const to = this.#bytes;
    if (length > 160) to.set(from.subarray(at, at + length), this.used);
    else for (let i = 0; i < length; i++) to[this.used + i] = from[at + i];
    this.used += length;
  }

  room(octets: number): void {
    if (this.used + octets <= this.#bytes.length) return;
    const wider = new Uint8Array(Math.max(this.#bytes.length * 2, this.used + octets));
    wider.set(this.#bytes.subarray(0, this.used));
    this.#bytes = wider;
  }

  get octets(): Uint8Array {
    return this.#bytes.subarray(0, this.used);
  }
}

/**
 * Rows as a block of ClickHouse's Native format: column after column, nothing per row to be parsed on either side. Filled
 * like a `ChunkWriter`: numbers into `numbers[column]`, strings with `string`; `blocks()` is what goes over the wire.
 */
export class NativeWriter {
  /** Rows written so far; the owner counts. */
  count = 0;
  readonly capacity: number;
  readonly numbers: Numbers[] = [];
  /** The same memory as pairs of words, for 64-bit columns (low word first). */
  readonly words: Uint32Array[] = [];
  readonly #columns: readonly NativeColumn[];
  readonly #bytes: Uint8Array[] = [];
  readonly #texts: (Texts | null)[] = [];
  readonly #nulls: (Uint8Array | null)[] = [];

  constructor(columns: readonly NativeColumn[], capacity: number) {
    this.#columns = columns;
    this.capacity = capacity;
    for (const { type, nullable } of columns) {
      const { bytes } = TYPES[type];
      const buffer = new ArrayBuffer(capacity * bytes);
      this.#bytes.push(new Uint8Array(buffer));
      this.words.push(bytes >= 4 ? new Uint32Array(buffer) : new Uint32Array(0));
      this.numbers.push(numbersOf(type, buffer));
      this.#texts.push(bytes === 0 ? new Texts() : null);
      this.#nulls.push(nullable === true ? new Uint8Array(capacity) : null);
    }
  }

  get full(): boolean {
    return this.count === this.capacity;
  }

  /** A string, blob or address of the current row. */
  string(column: number, from: Uint8Array, at: number, length: number): void {
    const texts = this.#texts[column];
    if (this.#columns[column].address === true) texts?.address(from, at, length);
    else texts?.add(from, at, length);
  }

  /** The value of the current row is missing (nullable columns). */
  null(column: number): void {
    const nulls = this.#nulls[column];
    if (nulls !== null) nulls[this.count] = 1;
  }

  /** The rows as one block, in pieces that stay valid until `clear`. */
  block(): Uint8Array[] {
    const head = new Texts();
    const pieces: Uint8Array[] = [varint(this.#columns.length), varint(this.count)];
    this.#columns.forEach((column, k) => {
      const from = head.used;
      for (const text of [column.name, nativeType(column)]) {
        const bytes = utf8.encode(text);
        head.add(bytes, 0, bytes.length);
      }
      pieces.push(head.octets.slice(from));
      const nulls = this.#nulls[k];
      if (nulls !== null) pieces.push(nulls.subarray(0, this.count));
      const texts = this.#texts[k];
      pieces.push(texts === null ? this.#bytes[k].subarray(0, this.count * TYPES[column.type].bytes) : texts.octets);
    });
    return pieces;
  }

  clear(): void {
    this.count = 0;
    for (const texts of this.#texts) if (texts !== null) texts.used = 0;
    for (const nulls of this.#nulls) nulls?.fill(0);
    this.#columns.forEach(({ nullable }, k) => {
      if (nullable === true) this.#bytes[k].fill(0);
    });
  }
}

function varint(value: number): Uint8Array {
  const octets: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) octets.push((value % 128) | 0x80);
  return Uint8Array.of(...octets, value);
}

function numbersOf(type: ColumnType, buffer: ArrayBuffer): Numbers {
  switch (type) {
    case 'USMALLINT':
      return new Uint16Array(buffer);
    case 'UINTEGER':
      return new Uint32Array(buffer);
    case 'UBIGINT':
      return new BigUint64Array(buffer);
    case 'BIGINT':
      return new BigInt64Array(buffer);
    case 'DOUBLE':
      return new Float64Array(buffer);
    case 'UTINYINT':
    case 'VARCHAR':
    case 'BLOB':
    default:
      return new Uint8Array(buffer);
  }
}

/** Plain values as rows of a block: what is few. */
export function nativeRows(
  columns: readonly NativeColumn[],
  rows: readonly (readonly (string | number | bigint | Uint8Array)[])[],
): Uint8Array[] {
  const writer = new NativeWriter(columns, Math.max(1, rows.length));
  for (const row of rows) {
    row.forEach((value, k) => {
      if (typeof value === 'string' || typeof value === 'object') {
        const bytes = typeof value === 'string' ? utf8.encode(value) : value;
        writer.string(k, bytes, 0, bytes.length);
      } else if (columns[k].type === 'BIGINT' || columns[k].type === 'UBIGINT') {
        writer.numbers[k][writer.count] = BigInt(value);
      } else writer.numbers[k][writer.count] = Number(value);
    });
    writer.count++;
  }
  return writer.block();
}
