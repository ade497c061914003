import { createGunzip, createZstdDecompress } from 'node:zlib';
import { BrokenInput, type ByteInput, Peeked } from './bytes.ts';
import { Lz4Input } from './lz4.ts';
import { XzInput } from './xz.ts';

/** Compressed bytes given to a decompressor at once: when they are corrupt, no more than these are lost. */
const SLICE_BYTES = 4096;

/**
 * The input decompressed, when `head` (its first bytes, at least four) begins like gzip, zstd, lz4 or xz. Streams,
 * with constant memory; damage throws BrokenInput from `read` after all that came before it was given.
 */
export function uncompressed(input: ByteInput, head: Uint8Array): ByteInput | undefined {
  const magic = (head[0] | (head[1] << 8) | (head[2] << 16) | (head[3] << 24)) >>> 0;
  const whole = () => new Peeked(input, head.slice());
  if ((magic & 0xffff) === 0x8b1f) return new ZlibInput(whole(), 'gzip');
  if (magic === 0xfd2fb528) return new ZlibInput(whole(), 'zstd');
  if (magic === 0x184d2204) return new Lz4Input(whole());
  if (magic === 0x587a37fd) return new XzInput(whole());
  return undefined;
}

/** What Node's zlib can decompress. Concatenated members are one stream. */
class ZlibInput implements ByteInput {
  readonly #inner: ByteInput;
  readonly #stream: ReturnType<typeof createGunzip>;
  readonly #kind: string;
  readonly #slice = new Uint8Array(SLICE_BYTES);
  #chunk: Uint8Array = new Uint8Array(0);
  #writing = false;
  #ended = false;
  #innerEnded = false;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor(inner: ByteInput, kind: 'gzip' | 'zstd') {
    this.#inner = inner;
    this.#kind = kind;
    const options = { chunkSize: 256 * 1024 };
    this.#stream = kind === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
    this.#stream.on('readable', () => this.#wake());
    this.#stream.on('error', (error) => {
      this.#failure = error;
      this.#wake();
    });
    this.#stream.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  get readBytes(): number {
    return this.#inner.readBytes;
  }

  get totalBytes(): number {
    return this.#inner.totalBytes;
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#chunk.length === 0) {
      const next: Uint8Array | null = this.#stream.read();
      if (next !== null) this.#chunk = next;
      else if (this.#failure !== undefined) throw new BrokenInput(this.#why(this.#failure));
      else if (this.#ended) return 0;
      else if (this.#writing || this.#innerEnded) await this.#change();
      else {
        const count = await this.#inner.read(this.#slice);
        if (count < 0) return count;
        this.#give(count);
      }
    }
    const count = Math.min(into.length, this.#chunk.length);
    into.set(this.#chunk.subarray(0, count));
    this.#chunk = this.#chunk.subarray(count);
    return count;
  }

  close(): void {
    this.#inner.close();
    this.#stream.destroy();
    this.#ended = true;
    this.#wake();
  }

  #give(count: number): void {
    if (count === 0) {
      this.#innerEnded = true;
      this.#stream.end();
      return;
    }
    this.#writing = true;
    // A copy: the stream keeps it until its work in the background is done.
    this.#stream.write(this.#slice.slice(0, count), () => {
      this.#writing = false;
      this.#wake();
    });
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #why(error: Error): string {
    const cut = this.#innerEnded && /end of file|ended|incomplete/i.test(error.message);
    return cut ? `the ${this.#kind} stream ends too early` : `the ${this.#kind} stream is corrupt (${error.message})`;
  }
}
