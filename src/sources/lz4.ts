import { BrokenInput, type ByteInput } from './byte-input.ts';
import { Staged } from './staged.ts';
import { Xxh32, xxh32 } from './xxh32.ts';

const MAGIC = 0x184d2204;
/** How far back a match may reach. */
const WINDOW = 65_536;

/** The LZ4 frame format (frames may follow each other, skippable ones between them), with all its checksums. */
export class Lz4Input implements ByteInput {
  readonly #inner: ByteInput;
  readonly #staged: Staged;
  #inFrame = false;
  #blockBytes = 0;
  #linked = false;
  #blockChecksum = false;
  #contentChecksum = false;
  #content = new Xxh32();
  #skip = 0;
  /** 64 KiB of history, then one block. */
  #out: Uint8Array = new Uint8Array(WINDOW);
  #at = 0;
  #end = 0;
  #pending: BrokenInput | undefined;

  constructor(inner: ByteInput) {
    this.#inner = inner;
    this.#staged = new Staged(inner, 'lz4');
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
    while (this.#at === this.#end) {
      if (this.#pending !== undefined) throw this.#pending;
      const more = this.#skip > 0 ? await this.#skipOn() : this.#inFrame ? await this.#block() : await this.#header();
      if (!more) return this.#staged.isIdle ? -1 : 0;
    }
    const count = Math.min(into.length, this.#end - this.#at);
    into.set(this.#out.subarray(this.#at, this.#at + count));
    this.#at += count;
    return count;
  }

  async #header(): Promise<boolean> {
    const staged = this.#staged;
    if (!(await staged.has(7))) return false;
    const magic = staged.u32(0);
    if (magic >>> 4 === 0x184d2a5) {
      this.#skip = staged.u32(4);
      if (!(await staged.needs(8))) return false;
      staged.at += 8;
      return true;
    }
    if (magic !== MAGIC) throw new BrokenInput('bytes that are no lz4 frame follow the last one');
    const flags = staged.bytes[staged.at + 4];
    const size = (staged.bytes[staged.at + 5] >> 4) & 7;
    if (flags >> 6 !== 1 || size < 4) throw new BrokenInput('an lz4 frame header of an unknown version');
    if ((flags & 1) !== 0) throw new BrokenInput('an lz4 frame that needs a dictionary');
    const length = 7 + ((flags & 8) !== 0 ? 8 : 0);
    if (!(await staged.needs(length))) return false;
    const check = staged.bytes[staged.at + length - 1];
    if (((xxh32(staged.bytes, staged.at + 4, staged.at + length - 1) >>> 8) & 0xff) !== check) {
      throw new BrokenInput('an lz4 frame header with a wrong checksum');
    }
    this.#linked = (flags & 0x20) === 0;
    this.#blockChecksum = (flags & 0x10) !== 0;
    this.#contentChecksum = (flags & 4) !== 0;
    this.#blockBytes = 1 << (8 + 2 * size);
    this.#content = new Xxh32();
    if (this.#out.length < WINDOW + this.#blockBytes) this.#out = new Uint8Array(WINDOW + this.#blockBytes);
    this.#at = this.#end = 0;
    this.#inFrame = true;
    staged.at += length;
    return true;
  }

  async #block(): Promise<boolean> {
    const staged = this.#staged;
    if (!(await staged.needs(4))) return false;
    const word = staged.u32(0);
    if (word === 0) return this.#endOfFrame();
    const length = word & 0x7fffffff;
    if (length > this.#blockBytes) throw new BrokenInput(`an lz4 block claims to be ${length} bytes long`);
    const total = 4 + length + (this.#blockChecksum ? 4 : 0);
    const available = await staged.upTo(total);
    if (staged.isIdle) return false;
    const from = staged.at + 4;
    if (available < total) return this.#cutBlock(from, Math.min(available - 4, length), word >>> 31 === 1);
    if (this.#blockChecksum && xxh32(staged.bytes, from, from + length) !== staged.u32(4 + length)) {
      throw new BrokenInput('an lz4 block with a wrong checksum');
    }
    if (!this.#expand(from, length, word >>> 31 === 1)) this.#pending = new BrokenInput('the lz4 stream is corrupt');
    this.#content.update(this.#out, this.#at, this.#end);
    staged.at += total;
    return true;
  }

  /** The stream ends within a block: what is there of it is given first. */
  #cutBlock(from: number, length: number, stored: boolean): boolean {
    this.#pending = this.#staged.cut();
    this.#expand(from, length, stored);
    return true;
  }

  /** Expands a block behind the history; false when it is corrupt, with what came before that in place. */
  #expand(from: number, length: number, stored: boolean): boolean {
    const bytes = this.#staged.bytes;
    this.#keepHistory();
    if (stored) {
      this.#out.set(bytes.subarray(from, from + length), this.#end);
      this.#end += length;
      return true;
    }
    const first = this.#end;
    const low = this.#linked ? 0 : first;
    const end = expand(bytes, from, from + length, this.#out, first, first + this.#blockBytes, low);
    this.#end = end < 0 ? ~end : end;
    return end >= 0;
  }

  #keepHistory(): void {
    const keep = Math.min(WINDOW, this.#end);
    this.#out.copyWithin(0, this.#end - keep, this.#end);
    this.#at = this.#end = keep;
  }

  async #endOfFrame(): Promise<boolean> {
    const staged = this.#staged;
    if (this.#contentChecksum) {
      if (!(await staged.needs(8))) return false;
      if (staged.u32(4) !== this.#content.digest()) throw new BrokenInput('an lz4 frame with a wrong content checksum');
      staged.at += 4;
    }
    staged.at += 4;
    this.#inFrame = false;
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
}

/**
 * Expands one block into `out[to, limit)`; matches reach back to `low`. Gives the end, or its complement when the block is
 * corrupt from there on.
 */
function expand(
  bytes: Uint8Array,
  at: number,
  end: number,
  out: Uint8Array,
  to: number,
  limit: number,
  low: number,
): number {
  while (at < end) {
    const token = bytes[at++];
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255) {
        if (at >= end) return ~to;
        more = bytes[at++];
        literals += more;
      }
    }
    if (literals > end - at || literals > limit - to) return ~to;
    if (literals > 32) {
      out.set(bytes.subarray(at, at + literals), to);
      to += literals;
      at += literals;
    } else for (let i = 0; i < literals; i++) out[to++] = bytes[at++];
    if (at === end) return to;
    if (end - at < 2) return ~to;
    const distance = bytes[at] | (bytes[at + 1] << 8);
    at += 2;
    if (distance === 0 || distance > to - low) return ~to;
    let length = (token & 15) + 4;
    if (length === 19) {
      let more = 255;
      while (more === 255) {
        if (at >= end) return ~to;
        more = bytes[at++];
        length += more;
      }
    }
    if (length > limit - to) return ~to;
    // Byte by byte: a match may overlap what it writes.
    for (let from = to - distance; length > 0; length--) out[to++] = out[from++];
  }
  return to;
}
