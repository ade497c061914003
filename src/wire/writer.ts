import { UserError } from '../core/errors.ts';

const MAX_MESSAGE = 65535;
const MAX_POINTER = 0x3fff;
// More names than this are written in full: the table of suffixes stays small whatever the message.
const MAX_SUFFIXES = 2048;

/**
 * Writes one message, or a part of one, growing as needed up to 65535 bytes. Throws `UserError` beyond, and for a name
 * that cannot be written: values come from a caller, not from the wire.
 */
export class Writer {
  #bytes = new Uint8Array(512);
  length = 0;
  // Offset at which each name suffix (wire bytes as a string, case kept) was written: for compression pointers.
  readonly #suffixes = new Map<string, number>();

  /** The bytes written so far, a copy. */
  result(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.#room(2);
    this.#bytes[this.length++] = value >>> 8;
    this.#bytes[this.length++] = value;
  }

  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }

  put(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A name given as text. With `compress`, its longest suffix already written becomes a pointer (RFC 1035 §4.1.4). */
  name(text: string, compress: boolean): void {
    const wire = parseName(text);
    if (!compress) return this.put(wire);
    for (let at = 0; wire[at] !== 0; at += wire[at] + 1) {
      const suffix = String.fromCharCode(...wire.subarray(at));
      const known = this.#suffixes.get(suffix);
      if (known !== undefined) return this.u16(0xc000 | known);
      if (this.length <= MAX_POINTER && this.#suffixes.size < MAX_SUFFIXES) this.#suffixes.set(suffix, this.length);
      this.put(wire.subarray(at, at + wire[at] + 1));
    }
    this.u8(0);
  }

  /** Leaves room for a 16-bit length; give the result to `patchLength` when what it counts has been written. */
  openLength(): number {
    this.u16(0);
    return this.length;
  }

  patchLength(from: number): void {
    this.patch16(from - 2, this.length - from);
  }

  patch16(at: number, value: number): void {
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  #room(count: number): void {
    const wanted = this.length + count;
    if (wanted <= this.#bytes.length) return;
    if (wanted > MAX_MESSAGE) {
      throw new UserError('The message is longer than 65535 bytes, the most DNS can carry. Leave records out.');
    }
    const wider = new Uint8Array(Math.min(MAX_MESSAGE, Math.max(wanted, this.#bytes.length * 2)));
    wider.set(this.#bytes);
    this.#bytes = wider;
  }
}

const utf8 = new TextEncoder();

/**
 * Wire form of a name given as text (RFC 1035 §5.1): `\.`, `\\` and `\DDD` escapes, with or without trailing dot, `.`
 * is the root; characters beyond ASCII become UTF-8 (RFC 6762 §16). Throws `UserError` for what no name can be.
 */
export function parseName(text: string): Uint8Array {
  if (text === '.') return new Uint8Array(1);
  const source = utf8.encode(text);
  const wire = new Uint8Array(source.length + 2);
  let label = 0;
  let to = 1;
  for (let i = 0; i < source.length; i++) {
    let c = source[i];
    if (c === 0x2e) {
      closeLabel(wire, label, to, text);
      if (i === source.length - 1) return finish(wire, to, text);
      label = to++;
      continue;
    }
    if (c === 0x5c) {
      const escaped = readEscape(source, i);
      if (escaped < 0) throw new UserError(`The name '${text}' ends within an escape. Write \\\\ for a backslash.`);
      c = escaped & 0xff;
      i += escaped >> 8;
    }
    wire[to++] = c;
  }
  closeLabel(wire, label, to, text);
  return finish(wire, to, text);
}

/** The octet an escape at `at` stands for, with the number of bytes behind the backslash in bits 8 up; −1 when cut. */
export function readEscape(source: Uint8Array, at: number): number {
  if (at + 1 >= source.length) return -1;
  const a = source[at + 1] - 48;
  if (a < 0 || a > 9) return (1 << 8) | source[at + 1];
  if (at + 3 >= source.length) return -1;
  const value = a * 100 + (source[at + 2] - 48) * 10 + (source[at + 3] - 48);
  const digits = source[at + 2] >= 48 && source[at + 2] <= 57 && source[at + 3] >= 48 && source[at + 3] <= 57;
  return digits && value < 256 ? (3 << 8) | value : -1;
}

function closeLabel(wire: Uint8Array, label: number, to: number, text: string): void {
  const length = to - label - 1;
  if (length === 0) throw new UserError(`The name '${text}' has an empty label. Write labels joined by single dots.`);
  if (length > 63) throw new UserError(`The name '${text}' has a label of ${length} bytes; 63 is the most DNS allows.`);
  wire[label] = length;
}

function finish(wire: Uint8Array, to: number, text: string): Uint8Array {
  if (to + 1 > 255) throw new UserError(`The name '${text}' is ${to + 1} bytes long; 255 is the most DNS allows.`);
  wire[to] = 0;
  return wire.subarray(0, to + 1);
}
