import { BrokenInput, type ByteInput } from './byte-input.ts';
import { Crc64 } from './crc64.ts';
import { Lzma } from './lzma.ts';
import { Staged } from './staged.ts';

/** Largest window given to a block: what `xz -9` needs. */
const MAX_WINDOW = 64 * 1024 * 1024;
/** Bytes of a check by its type. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/** The .xz format (streams may follow each other) with the LZMA2 filter, and all its checksums. */
export class XzInput implements ByteInput {
  readonly #inner: ByteInput;
  readonly #sums: XzSums;
  readonly #staged: Staged;
  #step: 'stream' | 'block' | 'chunk' | 'check' | 'index' | 'record' | 'footer' = 'stream';
  #checkType = 0;
  #check: Check | undefined;
  #lzma: Lzma | undefined;
  #lzmaBytes = 0;
  /** The chunk must reset at least: 3 = window, 2 = properties, 1 = state. */
  #mustReset = 3;
  #packed = 0;
  #records = 0;
  #indexBytes = 0;
  #at = 0;
  #pending: BrokenInput | undefined;

  constructor(inner: ByteInput, sums: XzSums) {
    this.#inner = inner;
    this.#sums = sums;
    this.#staged = new Staged(inner, 'xz');
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
    while (this.#lzma === undefined || this.#at === this.#lzma.end) {
      if (this.#pending !== undefined) throw this.#pending;
      if (!(await this.#go())) return this.#staged.isIdle ? -1 : 0;
    }
    const count = Math.min(into.length, this.#lzma.end - this.#at);
    into.set(this.#lzma.window.subarray(this.#at, this.#at + count));
    this.#at += count;
    return count;
  }

  #go(): Promise<boolean> {
    if (this.#step === 'chunk') return this.#chunk();
    if (this.#step === 'block') return this.#block();
    if (this.#step === 'check') return this.#blockCheck();
    if (this.#step === 'stream') return this.#stream();
    if (this.#step === 'footer') return this.#footer();
    return this.#index();
  }

  async #stream(): Promise<boolean> {
    const staged = this.#staged;
    if (!(await staged.has(4))) return false;
    if (staged.u32(0) === 0) {
      // Padding between streams.
      staged.at += 4;
      return true;
    }
    if (!(await staged.needs(12))) return false;
    if (staged.u32(0) !== 0x587a37fd || (staged.u32(4) & 0xf0ffffff) !== 0x5a) {
      throw new BrokenInput('bytes that are no xz stream follow the last one');
    }
    if (this.#crc(6, 8) !== staged.u32(8)) throw new BrokenInput('an xz stream header with a wrong checksum');
    this.#checkType = staged.bytes[staged.at + 7] & 15;
    staged.at += 12;
    this.#step = 'block';
    return true;
  }

  async #block(): Promise<boolean> {
    const staged = this.#staged;
    if (!(await staged.needs(1))) return false;
    const size = (staged.bytes[staged.at] + 1) * 4;
    if (size === 4) {
      this.#step = 'index';
      this.#indexBytes = 0;
      return true;
    }
    if (!(await staged.needs(size))) return false;
    if (this.#crc(0, size - 4) !== staged.u32(size - 4))
      throw new BrokenInput('an xz block header with a wrong checksum');
    const header = staged.bytes.subarray(staged.at, staged.at + size - 4);
    const windowBytes = readWindowSize(header);
    // One decoder serves all blocks of a size: multi-threaded writers make thousands of blocks.
    if (this.#lzma === undefined || this.#lzmaBytes !== windowBytes) this.#lzma = new Lzma(windowBytes);
    this.#lzmaBytes = windowBytes;
    this.#at = this.#lzma.end;
    this.#mustReset = 3;
    this.#packed = 0;
    this.#check = checkOf(this.#checkType, this.#sums);
    staged.at += size;
    this.#step = 'chunk';
    return true;
  }

  /** One LZMA2 chunk: at most 64 KiB, giving at most 2 MiB. */
  async #chunk(): Promise<boolean> {
    const staged = this.#staged;
    const lzma = this.#lzma as Lzma;
    if (!(await staged.needs(1))) return false;
    const control = staged.bytes[staged.at];
    if (control === 0) {
      staged.at++;
      this.#packed++;
      this.#step = 'check';
      return true;
    }
    const packed = control >= 0x80;
    const reset = packed ? (control >> 5) & 3 : control === 1 ? 3 : 0;
    if ((!packed && control > 2) || (packed ? reset < this.#mustReset : this.#mustReset === 3 && reset < 3)) {
      throw new BrokenInput('the xz stream is corrupt');
    }
    const header = packed ? (reset >= 2 ? 6 : 5) : 3;
    if (!(await staged.needs(header))) return false;
    const size = ((staged.bytes[staged.at + 1] << 8) | staged.bytes[staged.at + 2]) + 1;
    const body = packed ? ((staged.bytes[staged.at + 3] << 8) | staged.bytes[staged.at + 4]) + 1 : size;
    const available = await staged.upTo(header + body);
    if (staged.isIdle) return false;
    const isCut = available < header + body;
    const present = Math.min(body, available - header);
    const from = staged.at + header;
    if (reset === 3) lzma.resetWindow();
    let sound = true;
    if (packed) {
      if (reset >= 2 && !lzma.setProperties(staged.bytes[from - 1])) throw new BrokenInput('the xz stream is corrupt');
      if (reset >= 1) lzma.resetState();
      this.#mustReset = 0;
      sound = lzma.decode(staged.bytes, from, from + present, size + ((control & 31) << 16));
    } else {
      if (this.#mustReset === 3) this.#mustReset = 2;
      lzma.copy(staged.bytes, from, present);
    }
    if (isCut) this.#pending = staged.cut();
    else if (!sound) this.#pending = new BrokenInput('the xz stream is corrupt');
    this.#at = lzma.begin;
    this.#check?.update(lzma.window.subarray(lzma.begin, lzma.end));
    staged.at += header + present;
    this.#packed += header + body;
    return true;
  }

  async #blockCheck(): Promise<boolean> {
    const staged = this.#staged;
    const padding = -this.#packed & 3;
    const length = CHECK_BYTES[this.#checkType];
    if (!(await staged.needs(padding + length))) return false;
    const given = staged.bytes.subarray(staged.at + padding, staged.at + padding + length);
    if (this.#check?.digest().every((octet, k) => octet === given[k]) === false) {
      throw new BrokenInput('an xz block with a wrong checksum');
    }
    staged.at += padding + length;
    this.#step = 'block';
    return true;
  }

  /** The index repeats the sizes of the blocks; only its extent matters to who reads on. */
  async #index(): Promise<boolean> {
    const staged = this.#staged;
    if (!(await staged.needs(2))) return false;
    if (this.#step === 'index') {
      staged.at++;
      this.#indexBytes++;
      const records = await this.#number();
      if (records < 0) return false;
      this.#records = records * 2;
      this.#step = 'record';
      return true;
    }
    if (this.#records > 0) {
      if ((await this.#number()) < 0) return false;
      this.#records--;
      return true;
    }
    const padding = -this.#indexBytes & 3;
    if (!(await staged.needs(padding + 4))) return false;
    staged.at += padding + 4;
    this.#step = 'footer';
    return true;
  }

  async #footer(): Promise<boolean> {
    const staged = this.#staged;
    if (!(await staged.needs(12))) return false;
    if (staged.u32(8) >>> 16 !== 0x5a59 || this.#crc(4, 10) !== staged.u32(0)) {
      throw new BrokenInput('an xz stream footer with a wrong checksum');
    }
    staged.at += 12;
    this.#step = 'stream';
    return true;
  }

  /** A number in groups of seven bits; −1 when the input is idle. */
  async #number(): Promise<number> {
    const staged = this.#staged;
    let value = 0;
    for (let i = 0, scale = 1; i < 9; i++, scale *= 128) {
      if (!(await staged.needs(i + 1))) return -1;
      const octet = staged.bytes[staged.at + i];
      value += (octet & 0x7f) * scale;
      if (octet < 0x80) {
        staged.at += i + 1;
        this.#indexBytes += i + 1;
        return value;
      }
    }
    throw new BrokenInput('the xz stream is corrupt');
  }

  #crc(from: number, to: number): number {
    return this.#sums.crc32(this.#staged.bytes.subarray(this.#staged.at + from, this.#staged.at + to));
  }
}

/** The window size that a block header (without its checksum) asks for. */
function readWindowSize(header: Uint8Array): number {
  const flags = header[1];
  let at = 2;
  for (let sizes = (flags >> 6) & 1, i = sizes + (flags >> 7); i > 0; i--) {
    while (at < header.length && header[at] >= 0x80) at++;
    at++;
  }
  if ((flags & 3) !== 0 || header[at] !== 0x21 || header[at + 1] !== 1) {
    throw new BrokenInput('an xz block with a filter other than LZMA2, which no capture needs');
  }
  const bits = header[at + 2];
  const size = bits > 40 ? Infinity : (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11);
  if (size > MAX_WINDOW) throw new BrokenInput(`an xz block that needs a window of more than ${MAX_WINDOW >> 20} MiB`);
  return size;
}

interface Check {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
}

/** Checksums as the platform has them; blocks with SHA-256 are not checked where there is none. */
export interface XzSums {
  crc32(bytes: Uint8Array, before?: number): number;
  sha256?(): Check;
}

function checkOf(type: number, sums: XzSums): Check | undefined {
  if (type === 1) return new Crc32(sums);
  if (type === 4) return new Crc64();
  if (type === 10) return sums.sha256?.();
  return undefined;
}

class Crc32 implements Check {
  readonly #sums: XzSums;
  #value = 0;

  constructor(sums: XzSums) {
    this.#sums = sums;
  }

  update(bytes: Uint8Array): void {
    this.#value = this.#sums.crc32(bytes, this.#value);
  }

  digest(): Uint8Array {
    return Uint8Array.of(this.#value, this.#value >>> 8, this.#value >>> 16, this.#value >>> 24);
  }
}
