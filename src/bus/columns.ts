import { refuse } from './error.ts';

/**
 * Columns of numbers as octets. A column is either one value, or planes: the lowest octets of all its values, then the
 * next, as many as the largest value needs. Octets of one kind lie side by side, which is what zstd compresses best, and
 * both ways are loops without branches.
 */
const ONE = 0;
const PLANES = 1;
const DOUBLES = 2;
const ONE_DOUBLE = 3;

/** Writes columns into one growing buffer. */
export class ColumnWriter {
  #bytes = new Uint8Array(256 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #low = new Uint32Array(0);
  #high = this.#low;
  length = 0;

  /** What was written, valid until more is. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #room(count: number): void {
    const wanted = this.length + count;
    if (wanted <= this.#bytes.length) return;
    const wider = new Uint8Array(Math.max(wanted, 2 * this.#bytes.length));
    wider.set(this.written);
    this.#bytes = wider;
    this.#view = new DataView(wider.buffer);
  }

  octet(value: number): void {
    this.#room(1);
    this.#bytes[this.length++] = value;
  }

  word(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  octets(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The first `n` of a column of whole numbers below 2^32. */
  words(column: Uint32Array, n: number): void {
    let all = 0;
    let differs = 0;
    const first = n > 0 ? column[0] : 0;
    for (let i = 0; i < n; i++) {
      const value = column[i];
      all |= value;
      differs |= value ^ first;
    }
    if (differs === 0) {
      this.octet(ONE);
      this.word(first);
      return;
    }
    const width = (39 - Math.clz32(all | 1)) >>> 3;
    this.#room(2 + width * n);
    const bytes = this.#bytes;
    bytes[this.length++] = PLANES;
    bytes[this.length++] = width;
    let at = this.length;
    for (let shift = 0; shift < 8 * width; shift += 8) {
      for (let i = 0; i < n; i++) bytes[at + i] = column[i] >>> shift;
      at += n;
    }
    this.length = at;
  }

  /** The first `n` of a column of whole numbers from 0 to 2^53, as two columns of words. */
  wide(column: Float64Array, n: number): void {
    if (this.#low.length < n) {
      this.#low = new Uint32Array(n);
      this.#high = new Uint32Array(n);
    }
    const low = this.#low;
    const high = this.#high;
    for (let i = 0; i < n; i++) {
      const value = column[i];
      low[i] = value;
      high[i] = (value - low[i]) / 0x1_0000_0000;
    }
    this.words(low, n);
    this.words(high, n);
  }

  /** The first `n` of a column of any doubles. */
  doubles(column: Float64Array, n: number): void {
    const first = n > 0 ? column[0] : 0;
    let isOne = true;
    for (let i = 1; i < n && isOne; i++) isOne = Object.is(column[i], first);
    this.octet(isOne ? ONE_DOUBLE : DOUBLES);
    this.#room(8 * n + 8);
    const count = isOne ? 1 : n;
    for (let i = 0; i < count; i++) this.#view.setFloat64(this.length + 8 * i, n > 0 ? column[i] : 0, true);
    this.length += 8 * count;
  }

  clear(): void {
    this.length = 0;
  }
}

/** Reads what a ColumnWriter wrote; every length is checked. Throws BusError. */
export class ColumnReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(count: number): number {
    const from = this.#at;
    if (count > this.#bytes.length - from) refuse('it ends within a column');
    this.#at = from + count;
    return from;
  }

  octet(): number {
    return this.#bytes[this.#take(1)];
  }

  word(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  octets(count: number): Uint8Array {
    const from = this.#take(count);
    return this.#bytes.subarray(from, from + count);
  }

  /** A column into the first `n` of a typed array, all of whose values have to fit. */
  words(into: Uint32Array | Uint16Array | Uint8Array, n: number): void {
    const most = into.BYTES_PER_ELEMENT;
    const how = this.octet();
    if (how === ONE) {
      const value = this.word();
      if (most < 4 && value >= 2 ** (8 * most)) refuse('a value is too large for its column');
      into.fill(value, 0, n);
      return;
    }
    if (how !== PLANES) refuse(`a column has form ${how}`);
    const width = this.octet();
    if (width === 0 || width > most) refuse('a value is too large for its column');
    const from = this.#take(width * n);
    if (into instanceof Uint8Array) into.set(this.#bytes.subarray(from, from + n));
    else if (into instanceof Uint16Array) planes16(this.#bytes, from, into, n, width);
    else planes32(this.#bytes, from, into, n, width);
  }

  wide(into: Float64Array, n: number): void {
    const low = new Uint32Array(n);
    const high = new Uint32Array(n);
    this.words(low, n);
    this.words(high, n);
    for (let i = 0; i < n; i++) into[i] = low[i] + high[i] * 0x1_0000_0000;
  }

  doubles(into: Float64Array, n: number): void {
    const how = this.octet();
    if (how === ONE_DOUBLE) {
      into.fill(this.#view.getFloat64(this.#take(8), true), 0, n);
      return;
    }
    if (how !== DOUBLES) refuse(`a column has form ${how}`);
    const from = this.#take(8 * n);
    for (let i = 0; i < n; i++) into[i] = this.#view.getFloat64(from + 8 * i, true);
  }

  /** Nothing may be behind the last column. */
  end(): void {
    if (this.#at !== this.#bytes.length) refuse('there is more behind its last column');
  }
}

function planes16(bytes: Uint8Array, from: number, into: Uint16Array, n: number, width: number): void {
  if (width === 1) for (let i = 0; i < n; i++) into[i] = bytes[from + i];
  else for (let i = 0; i < n; i++) into[i] = bytes[from + i] | (bytes[from + n + i] << 8);
}

function planes32(bytes: Uint8Array, from: number, into: Uint32Array, n: number, width: number): void {
  const b = from + n;
  const c = b + n;
  const d = c + n;
  if (width === 1) for (let i = 0; i < n; i++) into[i] = bytes[from + i];
  else if (width === 2) for (let i = 0; i < n; i++) into[i] = bytes[from + i] | (bytes[b + i] << 8);
  else if (width === 3) {
    for (let i = 0; i < n; i++) into[i] = bytes[from + i] | (bytes[b + i] << 8) | (bytes[c + i] << 16);
  } else {
    for (let i = 0; i < n; i++) {
      into[i] = bytes[from + i] | (bytes[b + i] << 8) | (bytes[c + i] << 16) | (bytes[d + i] << 24);
    }
  }
}
