import { createHash } from 'node:crypto';
import { crc32, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { BrokenInput, type ByteInput, Peeked } from './byte-input.ts';
import { Lz4Input } from './lz4.ts';
import { XzInput } from './xz.ts';

/**
 * Compressed bytes given to zlib at once: when it finds them corrupt, what they would have given is lost. So it is a
 * 64th of what was given before, within these bounds: little is lost of any file, and large ones stay fast.
 */
const LEAST_SLICE_BYTES = 64;
const MOST_SLICE_BYTES = 8192;

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
  if (magic === 0x587a37fd) return new XzInput(whole(), { crc32, sha256: () => createHash('sha256') });
  return undefined;
}

/** What Node's zlib can decompress. Members or frames that follow each other are one stream. */
class ZlibInput implements ByteInput {
  readonly #inner: ByteInput;
  readonly #kind: 'gzip' | 'zstd';
  readonly #slice = new Uint8Array(MOST_SLICE_BYTES);
  #sliceBytes = LEAST_SLICE_BYTES;
  /** Bytes of the slice that the frame before left. */
  #left: Uint8Array = new Uint8Array(0);
  #stream: Gunzip | ZstdDecompress;
  #given = 0;
  #chunk: Uint8Array = new Uint8Array(0);
  #writing = false;
  #ended = false;
  #innerEnded = false;
  #closed = false;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor(inner: ByteInput, kind: 'gzip' | 'zstd') {
    this.#inner = inner;
    this.#kind = kind;
    this.#stream = this.#start();
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
      else if (this.#closed) return 0;
      else if (this.#failure !== undefined) throw new BrokenInput(this.#why(this.#failure));
      else if (this.#ended && this.#innerEnded) return 0;
      else if (!this.#ended && (this.#writing || this.#innerEnded)) await this.#change();
      else if (this.#left.length > 0) this.#give(this.#left);
      else {
        const count = await this.#inner.read(this.#slice.subarray(0, this.#sliceBytes));
        this.#sliceBytes = Math.min(MOST_SLICE_BYTES, this.#sliceBytes + (count >> 6) + 1);
        if (count < 0) return count;
        if (count > 0) this.#give(this.#slice.slice(0, count));
        else {
          this.#innerEnded = true;
          this.#stream.end();
        }
      }
    }
    const count = Math.min(into.length, this.#chunk.length);
    into.set(this.#chunk.subarray(0, count));
    this.#chunk = this.#chunk.subarray(count);
    return count;
  }

  close(): void {
    this.#closed = true;
    this.#inner.close();
    this.#stream.destroy();
    this.#wake();
  }

  #start(): Gunzip | ZstdDecompress {
    const options = { chunkSize: 256 * 1024 };
    const stream = this.#kind === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
    this.#given = 0;
    this.#ended = this.#writing = false;
    stream.on('readable', () => this.#wake());
    stream.on('error', (error) => {
      this.#failure = error;
      this.#wake();
    });
    stream.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
    return stream;
  }

  /** Gives bytes to the decompressor, to a new one when the frame before has ended. */
  #give(bytes: Uint8Array): void {
    if (this.#ended) {
      this.#stream.destroy();
      this.#stream = this.#start();
    }
    const stream = this.#stream;
    this.#left = new Uint8Array(0);
    this.#given += bytes.length;
    this.#writing = true;
    stream.write(bytes, () => {
      if (stream !== this.#stream) return;
      this.#writing = false;
      const unused = this.#given - stream.bytesWritten;
      if (unused > 0) this.#left = bytes.subarray(bytes.length - unused);
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
