import { BrokenInput, type ByteInput } from './byte-input.ts';

/** Reads exact counts of bytes of another input, for decompressors: waits until they are there. */
export class Staged {
  bytes: Uint8Array = new Uint8Array(128 * 1024);
  /** First byte not yet taken, and the end of those at hand. */
  at = 0;
  end = 0;
  readonly #inner: ByteInput;
  readonly #kind: string;

  constructor(inner: ByteInput, kind: string) {
    this.#inner = inner;
    this.#kind = kind;
  }

  /** True after an answer that was short only because nothing is there yet. */
  isIdle = false;

  /** Waits until `count` bytes are at hand, or the stream has ended: how many of them there are. */
  async upTo(count: number): Promise<number> {
    this.isIdle = false;
    while (this.end - this.at < count) {
      if (this.at > 0) {
        this.bytes.copyWithin(0, this.at, this.end);
        this.end -= this.at;
        this.at = 0;
      }
      if (this.bytes.length < count) {
        const grown = new Uint8Array(Math.max(count, this.bytes.length * 2));
        grown.set(this.bytes.subarray(0, this.end));
        this.bytes = grown;
      }
      const got = await this.#inner.read(this.bytes.subarray(this.end));
      this.isIdle = got < 0;
      if (got <= 0) return this.end - this.at;
      this.end += got;
    }
    return count;
  }

  /** As `needs`, but where the stream may end: false then. */
  async has(count: number): Promise<boolean> {
    const available = await this.upTo(count);
    if (available < count && available > 0 && !this.isIdle) throw this.cut();
    return available === count;
  }

  /** True when `count` bytes are at hand, false when the input is idle; throws BrokenInput when it ended before. */
  async needs(count: number): Promise<boolean> {
    const available = await this.upTo(count);
    if (available < count && !this.isIdle) throw this.cut();
    return available === count;
  }

  cut(): BrokenInput {
    return new BrokenInput(`the ${this.#kind} stream ends too early`);
  }

  u32(at: number): number {
    const b = this.bytes;
    const i = this.at + at;
    return (b[i] | (b[i + 1] << 8) | (b[i + 2] << 16) | (b[i + 3] << 24)) >>> 0;
  }
}
