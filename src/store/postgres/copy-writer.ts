import type { RowTarget } from '../row-encoder.ts';
import type { ColumnType } from '../schema.ts';

/** Rows that are held by column before they become octets. */
const CHUNK_ROWS = 2048;
const BLOCK = 1 << 18;
/** `PGCOPY`, a line that transfers in text mode would break, no flags, no extension. */
const SIGNATURE = Uint8Array.of(80, 71, 67, 79, 80, 89, 10, 255, 13, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const TRAILER = Uint8Array.of(255, 255);

/** Words of a column's value in a row: how it is written. */
const FORM = { small: 0, middle: 1, wide: 2, big: 3, id: 4, text: 5, numeric: 6 } as const;
type Form = (typeof FORM)[keyof typeof FORM];
type Numbers = RowTarget['numbers'][number];

interface Field {
  readonly form: Form;
  readonly nullable: boolean;
  /** Place among the columns that the encoder knows. */
  readonly at: number;
}

/**
 * Rows in the format of `COPY … FROM STDIN (FORMAT binary)`: every field as its length (−1: NULL) and its octets, most
 * significant first. Filled column by column as `RowEncoder` does, then turned into rows.
 */
export class CopyWriter implements RowTarget {
  count = 0;
  readonly numbers: Numbers[] = [];
  readonly words: Uint32Array[] = [];
  /** Rows in the blocks, and their octets. */
  rows = 0;
  bytes = 0;
  readonly #fields: readonly Field[];
  readonly #starts: (Uint32Array | null)[];
  readonly #lengths: (Uint32Array | null)[];
  readonly #nulls: (Uint8Array | null)[];
  #heap = new Uint8Array(BLOCK);
  #used = 0;
  #blocks: Uint8Array[] = [];
  #block = new Uint8Array(BLOCK);
  #end = 0;

  /** `columns` in the order of the table; `at`: place by which the encoder calls it, as many as there are columns. */
  constructor(columns: readonly { name: string; type: ColumnType; at: number; nullable?: boolean }[]) {
    this.#fields = columns.map(({ name, type, at, nullable }) => ({
      form: formOf(name, type),
      at,
      nullable: nullable === true,
    }));
    const byPlace = [...columns].sort((a, b) => a.at - b.at);
    for (const { type } of byPlace) {
      const buffer = new ArrayBuffer(CHUNK_ROWS * 8);
      this.numbers.push(arrayOf(type, buffer));
      this.words.push(new Uint32Array(buffer));
    }
    const forText = ({ type }: { type: ColumnType }) =>
      type === 'VARCHAR' || type === 'BLOB' ? new Uint32Array(CHUNK_ROWS) : null;
    this.#starts = byPlace.map(forText);
    this.#lengths = byPlace.map(forText);
    this.#nulls = byPlace.map(({ nullable }) => (nullable === true ? new Uint8Array(CHUNK_ROWS) : null));
  }

  get full(): boolean {
    return this.count === CHUNK_ROWS;
  }

  /** Rows that still go into this chunk. */
  get room(): number {
    return CHUNK_ROWS - this.count;
  }

  string(column: number, from: Uint8Array, at: number, length: number): void {
    const starts = this.#starts[column];
    const lengths = this.#lengths[column];
    if (starts === null || lengths === null) throw new TypeError(`column ${column} has no texts`);
    if (this.#used + length > this.#heap.length) {
      const wider = new Uint8Array(Math.max(this.#heap.length * 2, this.#used + length));
      wider.set(this.#heap.subarray(0, this.#used));
      this.#heap = wider;
    }
    starts[this.count] = this.#used;
    lengths[this.count] = length;
    copy(from, at, this.#heap, this.#used, length);
    this.#used += length;
  }

  null(column: number): void {
    const mask = this.#nulls[column];
    if (mask !== null) mask[this.count] = 1;
  }

  /** That a row of the chunk has no value there. */
  isNull(column: number, row: number): boolean {
    return this.#nulls[column]?.[row] === 1;
  }

  /** Turns the rows of the chunk into octets. */
  flush(): void {
    for (let row = 0; row < this.count; row++) this.#row(row);
    this.rows += this.count;
    this.count = 0;
    this.#used = 0;
    for (const mask of this.#nulls) mask?.fill(0);
  }

  #row(row: number): void {
    const fields = this.#fields;
    this.#reserve(2 + fields.length * 20);
    this.#block[this.#end] = 0;
    this.#block[this.#end + 1] = fields.length;
    this.#end += 2;
    for (let k = 0; k < fields.length; k++) {
      const { form, nullable, at } = fields[k];
      if (nullable && this.#nulls[at]?.[row] === 1) this.#int(-1);
      else if (form === FORM.text) this.#text(at, row, fields.length - k);
      else this.#number(form, at, row);
    }
  }

  #text(at: number, row: number, left: number): void {
    const length = this.#lengths[at]?.[row] ?? 0;
    this.#reserve(length + left * 20);
    this.#int(length);
    copy(this.#heap, this.#starts[at]?.[row] ?? 0, this.#block, this.#end, length);
    this.#end += length;
  }

  #number(form: Form, at: number, row: number): void {
    switch (form) {
      case FORM.small: {
        this.#int(2);
        this.#block[this.#end++] = 0;
        this.#block[this.#end++] = Number(this.numbers[at][row]);
        return;
      }
      case FORM.middle:
        this.#int(4);
        this.#int(this.numbers[at][row] as number);
        return;
      case FORM.wide:
        this.#int(4);
        // Nothing counts so far in honest traffic; a corrupt one must not end the copy.
        this.#int(Math.min(0x7fff_ffff, this.numbers[at][row] as number));
        return;
      case FORM.numeric:
        this.#numeric((BigInt(this.words[at][row * 2 + 1]) << 32n) | BigInt(this.words[at][row * 2]));
        return;
      case FORM.big:
      case FORM.id:
      case FORM.text:
      default: {
        const words = this.words[at];
        const high = words[row * 2 + 1];
        this.#int(8);
        this.#int(form === FORM.id ? high ^ 0x8000_0000 : high);
        this.#int(words[row * 2]);
      }
    }
  }

  /** Digits to the base of 10 000: how many, place of the first, sign and scale 0, the digits. */
  #numeric(value: bigint): void {
    const digits: number[] = [];
    for (let rest = value; rest > 0n; rest /= 10_000n) digits.unshift(Number(rest % 10_000n));
    this.#reserve(12 + digits.length * 2 + 32);
    this.#int(8 + digits.length * 2);
    this.#int((digits.length << 16) | (Math.max(0, digits.length - 1) & 0xffff));
    this.#int(0);
    for (const digit of digits) {
      this.#block[this.#end++] = digit >>> 8;
      this.#block[this.#end++] = digit & 255;
    }
  }

  #int(value: number): void {
    const block = this.#block;
    const at = this.#end;
    block[at] = value >>> 24;
    block[at + 1] = value >>> 16;
    block[at + 2] = value >>> 8;
    block[at + 3] = value;
    this.#end = at + 4;
  }

  #reserve(octets: number): void {
    if (this.#end + octets <= this.#block.length) return;
    this.#seal();
    if (octets > this.#block.length) this.#block = new Uint8Array(octets);
  }

  #seal(): void {
    if (this.#end > 0) this.#blocks.push(this.#block.subarray(0, this.#end));
    this.bytes += this.#end;
    this.#block = new Uint8Array(BLOCK);
    this.#end = 0;
  }

  /** All rows so far as one copy's octets; the writer is empty then. */
  take(): { rows: number; blocks: Uint8Array[] } {
    this.flush();
    this.#seal();
    const taken = { rows: this.rows, blocks: [SIGNATURE, ...this.#blocks, TRAILER] };
    this.#blocks = [];
    this.rows = 0;
    this.bytes = 0;
    return taken;
  }
}

/** Columns that compare as numbers without a sign: numeric. Ids only have an order (see `idOf`). */
const UNSIGNED = new Set(['prefix', 'suffix']);

function formOf(name: string, type: ColumnType): Form {
  switch (type) {
    case 'UTINYINT':
      return FORM.small;
    case 'USMALLINT':
      return FORM.middle;
    case 'UINTEGER':
      return FORM.wide;
    case 'UBIGINT':
      return name === 'transaction' ? FORM.id : UNSIGNED.has(name) ? FORM.numeric : FORM.big;
    case 'BIGINT':
    case 'DOUBLE':
      return FORM.big;
    case 'VARCHAR':
    case 'BLOB':
    default:
      return FORM.text;
  }
}

function arrayOf(type: ColumnType, buffer: ArrayBuffer): Numbers {
  if (type === 'USMALLINT') return new Uint16Array(buffer);
  if (type === 'UINTEGER') return new Uint32Array(buffer);
  if (type === 'BIGINT') return new BigInt64Array(buffer);
  if (type === 'UBIGINT') return new BigUint64Array(buffer);
  if (type === 'DOUBLE') return new Float64Array(buffer);
  return new Uint8Array(buffer);
}

/** Short ones octet by octet: a call costs more. */
function copy(from: Uint8Array, at: number, to: Uint8Array, start: number, length: number): void {
  if (length > 160) to.set(from.subarray(at, at + length), start);
  else for (let i = 0; i < length; i++) to[start + i] = from[at + i];
}
