import { BrokenInput, type ByteInput } from './byte-input.ts';
import { Staged } from './staged.ts';

/** Largest window given to a frame: what `zstd` itself takes without being asked. */
const MAX_WINDOW = 128 * 1024 * 1024;
/** A block holds no more, compressed or not. */
const MAX_BLOCK = 128 * 1024;
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;

/** What decodes blocks: the library `fzstd`, which is loaded with the first compressed byte. */
export interface ZstdDecoder {
  Decompress: new (ondata: (piece: Uint8Array) => void) => { push(piece: Uint8Array, isLast?: boolean): void };
}

/**
 * The Zstandard format (RFC 8878; frames may follow each other, skippable ones between them), where Node's own decoder is
 * not at hand. Frames and blocks are found here and given to the decoder one by one: a block makes no more than 128 kB, and
 * no frame claims a larger window than it may have. Content checksums are not looked at.
 */
export class ZstdInput implements ByteInput {
  readonly #inner: ByteInput;
  readonly #staged: Staged;
  readonly #load: () => Promise<ZstdDecoder>;
  #library: ZstdDecoder | undefined;
  #frame: InstanceType<ZstdDecoder['Decompress']> | undefined;
  #hasChecksum = false;
  #skip = 0;
  #out: Uint8Array[] = [];

  constructor(inner: ByteInput, load: () => Promise<ZstdDecoder>) {
    this.#inner = inner;
    this.#staged = new Staged(inner, 'zstd');
    this.#load = load;
  }

  get readBytes(): number {
    return this.#inner.readBytes;
  }

  get totalBytes(): number {
    return this.#inner.totalBytes;
  }

  close(): void {
    this.#inner.close();
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#out.length === 0) {
      const more =
        this.#skip > 0 ? await this.#skipOn() : await (this.#frame ? this.#block(this.#frame) : this.#header());
      if (!more) return this.#staged.isIdle ? -1 : 0;
    }
    const [piece] = this.#out;
    const count = Math.min(into.length, piece.length);
    into.set(piece.subarray(0, count));
    if (count === piece.length) this.#out.shift();
    else this.#out[0] = piece.subarray(count);
    return count;
  }

  /** The frame header (§3.1.1.1): its window is checked before the decoder makes one. */
  async #header(): Promise<boolean> {
    const staged = this.#staged;
    if (!(await staged.has(6))) return false;
    const magic = staged.u32(0);
    if (magic >>> 4 === SKIPPABLE) {
      if (!(await staged.needs(8))) return false;
      this.#skip = staged.u32(4);
      staged.at += 8;
      return true;
    }
    if (magic !== MAGIC) throw new BrokenInput('bytes that are no zstd frame follow the last one');
    const flags = staged.bytes[staged.at + 4];
    const isSingle = (flags & 32) !== 0;
    const dictionaryBytes = [0, 1, 2, 4][flags & 3];
    const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6];
    const sizeAt = (isSingle ? 5 : 6) + dictionaryBytes;
    const length = sizeAt + sizeBytes;
    if (!(await staged.needs(length))) return false;
    const header = staged.bytes.slice(staged.at, staged.at + length);
    if (header.subarray(sizeAt - dictionaryBytes, sizeAt).some((octet) => octet !== 0)) {
      throw new BrokenInput('a zstd frame that needs a dictionary');
    }
    const exponent = 1024 * 2 ** (header[5] >> 3);
    const window = isSingle ? sizeOf(header.subarray(sizeAt)) : exponent + (exponent / 8) * (header[5] & 7);
    if (window > MAX_WINDOW) throw new BrokenInput('a zstd frame with a window of more than 128 MiB');
    staged.at += length;
    this.#hasChecksum = (flags & 4) !== 0;
    this.#library ??= await this.#load();
    this.#frame = new this.#library.Decompress((piece) => {
      // The decoder's memory is its own: it is written again by the next block.
      if (piece.length > 0) this.#out.push(piece.slice());
    });
    this.#push(this.#frame, header, false);
    return true;
  }

  /** A block (§3.1.1.2), the last one with the checksum behind it. */
  async #block(frame: InstanceType<ZstdDecoder['Decompress']>): Promise<boolean> {
    const staged = this.#staged;
    if (!(await staged.needs(3))) return false;
    const { bytes, at } = staged;
    const head = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    const isLast = (head & 1) === 1;
    const type = (head >> 1) & 3;
    const size = head >> 3;
    if (type === 3 || size > MAX_BLOCK) throw new BrokenInput('a zstd block of an unknown kind');
    const length = 3 + (type === 1 ? 1 : size) + (isLast && this.#hasChecksum ? 4 : 0);
    if (!(await staged.needs(length))) return false;
    this.#push(frame, staged.bytes.slice(staged.at, staged.at + length), isLast);
    staged.at += length;
    if (isLast) this.#frame = undefined;
    return true;
  }

  async #skipOn(): Promise<boolean> {
    const staged = this.#staged;
    if (!(await staged.needs(1))) return false;
    const count = Math.min(this.#skip, staged.end - staged.at);
    staged.at += count;
    this.#skip -= count;
    return true;
  }

  #push(frame: InstanceType<ZstdDecoder['Decompress']>, piece: Uint8Array, isLast: boolean): void {
    try {
      frame.push(piece, isLast);
    } catch (cause) {
      throw new BrokenInput(`a zstd block that makes no sense (${cause instanceof Error ? cause.message : ''})`, {
        cause,
      });
    }
  }
}

/** Size of the content as a frame header has it, little-endian; of two octets 256 more. */
function sizeOf(octets: Uint8Array): number {
  const value = octets.reduceRight((sum, octet) => sum * 256 + octet, 0);
  return octets.length === 2 ? value + 256 : value;
}
