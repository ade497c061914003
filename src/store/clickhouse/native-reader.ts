import type { Row, SqlValue } from '../session.ts';

/** Octets of values of one width. */
const WIDTHS: Readonly<Record<string, number>> = {
  UInt8: 1,
  Bool: 1,
  Int8: 1,
  UInt16: 2,
  Int16: 2,
  UInt32: 4,
  Int32: 4,
  UInt64: 8,
  Int64: 8,
  Float64: 8,
  Int128: 16,
  UInt128: 16,
  IPv6: 16,
};

type Numbers = Uint8Array | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array | Float64Array;

interface Column {
  readonly type: string;
  /** 1 where there is no value; null: everywhere there is. */
  readonly nulls: Uint8Array | null;
  /** Octets of all values; of strings, where each begins and ends in `bytes`. */
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array | null;
  readonly starts: Uint32Array | null;
}

/** What is at hand ends within a block. */
class Cut extends Error {}

/** A block of a result: columns as they came. */
export class NativeBlock {
  readonly count: number;
  readonly names: readonly string[];
  readonly #columns: readonly Column[];

  constructor(count: number, names: readonly string[], columns: readonly Column[]) {
    this.count = count;
    this.names = names;
    this.#columns = columns;
  }

  /** A column of numbers as they lie in memory. */
  numbers(column: number): Numbers {
    const { type, bytes } = this.#columns[column];
    return numbersOf(type, bytes);
  }

  /** Tells whether a row of the column has a value. */
  validity(column: number): (i: number) => boolean {
    const { nulls } = this.#columns[column];
    return nulls === null ? () => true : (i) => nulls[i] === 0;
  }

  /** A column of strings as octets. */
  strings(column: number): (i: number) => Uint8Array {
    const { starts, ends, bytes } = this.#columns[column];
    if (starts === null || ends === null) throw new Error(`column ${this.names[column]} has no strings`);
    return (i) => bytes.subarray(starts[i], ends[i]);
  }

  /** A row as an object: numbers up to 53 bits as such, others as bigint; strings as text, where they are UTF-8. */
  row(i: number): Row {
    const row: Row = {};
    this.names.forEach((name, k) => {
      row[name] = valueAt(this.#columns[k], i);
    });
    return row;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function valueAt(column: Column, i: number): SqlValue {
  const { type, nulls, bytes, starts, ends } = column;
  if (nulls !== null && nulls[i] !== 0) return null;
  if (starts !== null && ends !== null) {
    const octets = bytes.subarray(starts[i], ends[i]);
    try {
      return utf8.decode(octets);
    } catch {
      return octets.slice();
    }
  }
  if (type === 'Int128' || type === 'UInt128') {
    const [low, high] = new BigUint64Array(bytes.buffer, bytes.byteOffset + i * 16, 2);
    const value = (high << 64n) | low;
    return type === 'Int128' ? BigInt.asIntN(128, value) : value;
  }
  if (type === 'IPv6') return bytes.slice(i * 16, i * 16 + 16);
  const value = signed(type, numbersOf(type, bytes)[i]);
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) && type !== 'UInt64' ? Number(value) : value;
}

function signed(type: string, value: number | bigint): number | bigint {
  if (type === 'Int8') return (Number(value) << 24) >> 24;
  if (type === 'Int16') return (Number(value) << 16) >> 16;
  return type === 'Int32' ? Number(value) | 0 : value;
}

function numbersOf(type: string, { buffer, byteOffset, byteLength }: Uint8Array): Numbers {
  switch (WIDTHS[type]) {
    case 1:
      return new Uint8Array(buffer, byteOffset, byteLength);
    case 2:
      return new Uint16Array(buffer, byteOffset, byteLength / 2);
    case 4:
      return new Uint32Array(buffer, byteOffset, byteLength / 4);
    default:
      if (type === 'Float64') return new Float64Array(buffer, byteOffset, byteLength / 8);
      return type === 'Int64'
        ? new BigInt64Array(buffer, byteOffset, byteLength / 8)
        : new BigUint64Array(buffer, byteOffset, byteLength / 8);
  }
}

/** Reads what is at hand. */
class Cursor {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (this.at >= this.#bytes.length) throw new Cut();
      const octet = this.#bytes[this.at++];
      value += (octet & 0x7f) * scale;
      if (octet < 0x80) return value;
      if (scale > 2 ** 49) throw new Error('a number in the answer of ClickHouse is too long');
    }
  }

  /** Octets in memory of their own, which begins where numbers may begin. */
  take(length: number): Uint8Array {
    if (this.at + length > this.#bytes.length) throw new Cut();
    const taken = this.#bytes.slice(this.at, this.at + length);
    this.at += length;
    return taken;
  }

  text(): string {
    return utf8.decode(this.take(this.varint()));
  }

  /** Where strings begin and end. */
  strings(count: number): Pick<Column, 'bytes' | 'starts' | 'ends'> {
    const starts = new Uint32Array(count);
    const ends = new Uint32Array(count);
    const from = this.at;
    for (let i = 0; i < count; i++) {
      const length = this.varint();
      starts[i] = this.at - from;
      this.at += length;
      ends[i] = this.at - from;
    }
    if (this.at > this.#bytes.length) throw new Cut();
    return { bytes: this.#bytes.slice(from, this.at), starts, ends };
  }

  number(): number {
    return Number(new BigUint64Array(this.take(8).buffer)[0]);
  }

  /** Values by their place in a list of different ones: a version, how wide places are, the list, the places. */
  dictionary(type: string, count: number): Column {
    this.number();
    const width = 1 << (this.number() & 0xff);
    const nullable = /^Nullable\((.+)\)$/.exec(type)?.[1];
    const keys = this.values(nullable ?? type, this.number(), null);
    this.number();
    const places = numbersOf(`UInt${width * 8}`, this.take(count * width));
    // The first of the list stands for NULL.
    const nulls =
      nullable === undefined ? null : Uint8Array.from({ length: count }, (_, i) => (Number(places[i]) === 0 ? 1 : 0));
    return gather(keys, places, nulls);
  }

  column(named: string, count: number): Column {
    // What an aggregate of such a column gives is called the same.
    const type = /^SimpleAggregateFunction\(\w+, (.+)\)$/.exec(named)?.[1] ?? named;
    const nullable = /^Nullable\((.+)\)$/.exec(type)?.[1];
    if (nullable !== undefined) return this.values(nullable, count, this.take(count));
    return this.values(type, count, null);
  }

  values(type: string, count: number, nulls: Uint8Array | null): Column {
    const none = { type, nulls, bytes: new Uint8Array(0), starts: null, ends: null };
    if (type === 'String') return { ...none, ...this.strings(count) };
    const low = /^LowCardinality\((.+)\)$/.exec(type)?.[1];
    if (low !== undefined) return count === 0 ? { ...none, type: low } : this.dictionary(low, count);
    const fixed = /^FixedString\((\d+)\)$/.exec(type)?.[1];
    const width = type === 'Nothing' ? 1 : fixed === undefined ? WIDTHS[type] : Number(fixed);
    if (width === undefined) throw new Error(`a column of ClickHouse's answer has a type that is not read: ${type}`);
    return { ...none, bytes: this.take(count * width) };
  }
}

/** Values at these places. */
function gather(keys: Column, places: Numbers, nulls: Uint8Array | null): Column {
  const at = (i: number) => Number(places[i]);
  if (keys.starts !== null && keys.ends !== null) {
    const [starts, ends] = [new Uint32Array(places.length), new Uint32Array(places.length)];
    for (let i = 0; i < places.length; i++) {
      starts[i] = keys.starts[at(i)];
      ends[i] = keys.ends[at(i)];
    }
    return { ...keys, nulls, starts, ends };
  }
  const width = WIDTHS[keys.type];
  const bytes = new Uint8Array(places.length * width);
  for (let i = 0; i < places.length; i++) bytes.set(keys.bytes.subarray(at(i) * width, (at(i) + 1) * width), i * width);
  return { ...keys, nulls, bytes };
}

/** Blocks of an answer in Native format, as they come; blocks without rows are left out. */
export async function* nativeBlocks(stream: AsyncIterable<Uint8Array>): AsyncGenerator<NativeBlock> {
  let bytes: Uint8Array = new Uint8Array(0);
  let used = 0;
  let wanted = 1;
  for await (const piece of stream) {
    if (used + piece.length > bytes.length) {
      const wider = new Uint8Array(Math.max(used + piece.length, bytes.length * 2));
      wider.set(bytes.subarray(0, used));
      bytes = wider;
    }
    bytes.set(piece, used);
    used += piece.length;
    if (used < wanted) continue;
    const cursor = new Cursor(bytes.subarray(0, used), 0);
    let from = 0;
    while (cursor.at < used) {
      const block = blockAt(cursor);
      if (block === undefined) break;
      from = cursor.at;
      if (block.count > 0) yield block;
    }
    bytes.copyWithin(0, from, used);
    used -= from;
    // A block that is not whole is looked at again when half as much again has come.
    wanted = Math.ceil(used * 1.5) + 1;
  }
  const rest = new Cursor(bytes.subarray(0, used), 0);
  while (rest.at < used) {
    const block = blockAt(rest);
    if (block === undefined) throw new Error('the answer of ClickHouse ended within a block');
    if (block.count > 0) yield block;
  }
}

/** The block at the cursor; undefined where it is not whole. */
function blockAt(cursor: Cursor): NativeBlock | undefined {
  try {
    const columns = cursor.varint();
    const count = cursor.varint();
    const names: string[] = [];
    const read: Column[] = [];
    for (let k = 0; k < columns; k++) {
      names.push(cursor.text());
      read.push(cursor.column(cursor.text(), count));
    }
    return new NativeBlock(count, names, read);
  } catch (error) {
    if (error instanceof Cut) return undefined;
    throw error;
  }
}
