const utf8 = new TextEncoder();

/** Bytes gathered before a caller should write them out. */
export const CHUNK_BYTES = 64 * 1024;

/**
 * Output as bytes in one growing buffer. Whoever writes much asks for `room` once and then fills `bytes` from `length`
 * on by itself; the caller of an output takes the bytes when `length` has passed `CHUNK_BYTES`.
 */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  /** The same memory, for writing whole words. */
  words: DataView<ArrayBuffer>;
  /** Bytes written. */
  length = 0;

  constructor(capacity: number = 4 * CHUNK_BYTES) {
    this.bytes = new Uint8Array(capacity);
    this.words = new DataView(this.bytes.buffer);
  }

  /** Makes sure that `count` more bytes fit. `bytes` and `words` may be others afterwards. */
  room(count: number): void {
    const wanted = this.length + count;
    if (wanted <= this.bytes.length) return;
    const wider = new Uint8Array(Math.max(wanted, this.bytes.length * 2));
    wider.set(this.bytes.subarray(0, this.length));
    this.bytes = wider;
    this.words = new DataView(wider.buffer);
  }

  /** A copy of what has been written; the writer is empty then. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.slice(0, this.length);
    this.length = 0;
    return taken;
  }

  /** What has been written, valid until more is; the writer is empty then. */
  written(): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.subarray(0, this.length);
    this.length = 0;
    return taken;
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.room(1);
    this.bytes[this.length++] = value;
  }

  /** Text known to hold ASCII only. */
  ascii(text: string): void {
    const n = text.length;
    this.room(n);
    const { bytes, length } = this;
    for (let i = 0; i < n; i++) bytes[length + i] = text.charCodeAt(i);
    this.length = length + n;
  }

  /** Any text, as UTF-8. */
  text(text: string): void {
    // A UTF-16 unit becomes at most three bytes.
    this.room(3 * text.length);
    this.length += utf8.encodeInto(text, this.bytes.subarray(this.length)).written;
  }

  /** A text as a JSON string, quotes included. */
  json(text: string): void {
    this.text(JSON.stringify(text));
  }
}
