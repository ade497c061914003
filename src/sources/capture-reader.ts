import { EXIT, UserError } from '../core/errors.ts';
import type { Damage, FrameBatch } from '../core/frames.ts';
import { BrokenInput, type ByteInput } from './byte-input.ts';
import type { CaptureFormat, Shared } from './format.ts';
import { isPcap, PcapFormat } from './pcap.ts';
import { isPcapng, PcapngFormat } from './pcapng.ts';

/** Bytes read at once: enough for thousands of frames, and still within a core's cache. */
const BUFFER_BYTES = 1024 * 1024;

/** What differs between Node and a browser. */
export interface ReaderOptions {
  /** The input decompressed, when its first bytes (at least four) begin like a compression that is known. */
  uncompressed(input: ByteInput, head: Uint8Array): ByteInput | undefined;
  /** The compressions known, for people. */
  compressions: string;
  /** Lets others have their turn, between reads that do not wait. */
  turn(): Promise<unknown>;
  bufferBytes?: number | undefined;
}

/**
 * The frames of one capture file, whatever its format and compression. A batch lies in the reader's buffer and is valid
 * until the next call of `next`.
 */
export class CaptureReader {
  readonly file: string;
  /** Where and why the file stopped making sense; what came before was delivered. */
  damage: Damage | undefined;

  readonly #shared: Shared;
  readonly #options: ReaderOptions;
  #input: ByteInput;
  #format: CaptureFormat | undefined;
  #bytes: Uint8Array;
  #at = 0;
  #end = 0;
  /** Offset of `bytes[0]` in the uncompressed stream. */
  #offset = 0;
  #done = false;

  constructor(file: string, input: ByteInput, shared: Shared, options: ReaderOptions) {
    this.file = file;
    this.#input = input;
    this.#shared = shared;
    this.#options = options;
    this.#bytes = new Uint8Array(options.bufferBytes ?? BUFFER_BYTES);
  }

  get readBytes(): number {
    return this.#input.readBytes;
  }

  get totalBytes(): number {
    return this.#input.totalBytes;
  }

  /**
   * Fills the batch (numbers excepted) with the frames at hand, none when the input is idle; false at the end, with
   * `damage` set if it came early.
   */
  async next(batch: FrameBatch): Promise<boolean> {
    batch.count = 0;
    batch.bytes = this.#bytes;
    while (!this.#done) {
      const format = this.#format;
      if (format !== undefined) {
        this.#at = format.read(this.#bytes, this.#at, this.#end, batch);
        if (batch.count > 0) return true;
        if (format.fault !== '') {
          this.#stop(format.fault);
          return false;
        }
      }
      if (!(await this.#fill(format?.need ?? 0))) return true;
      batch.bytes = this.#bytes;
      if (format === undefined && !this.#done) await this.#recognise();
    }
    return false;
  }

  close(): void {
    this.#done = true;
    this.#input.close();
  }

  /** Moves what is left to the front and reads more behind it; false when the input is idle. */
  async #fill(need: number): Promise<boolean> {
    const left = this.#end - this.#at;
    if (need > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(need, this.#bytes.length * 2));
      // A claimed length grows the buffer only as fast as bytes really come.
      if (left === this.#bytes.length) {
        grown.set(this.#bytes.subarray(this.#at, this.#end));
        this.#moveTo(grown, left);
      }
    }
    if (this.#at > 0) {
      this.#bytes.copyWithin(0, this.#at, this.#end);
      this.#moveTo(this.#bytes, left);
    }
    try {
      const count = await this.#input.read(this.#bytes.subarray(this.#end));
      if (count < 0) return false;
      this.#end += count;
      if (count === 0) this.#finish();
      else if (this.#input.totalBytes > 0) await this.#options.turn();
    } catch (error) {
      if (!(error instanceof BrokenInput)) throw error;
      this.#stop(error.message);
    }
    return true;
  }

  #moveTo(bytes: Uint8Array, left: number): void {
    this.#offset += this.#at;
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = left;
  }

  /** Looks at the first bytes: compression first, then the container. */
  async #recognise(): Promise<void> {
    if (this.#end < 4) return;
    const head = this.#bytes.subarray(0, this.#end);
    const inner = this.#options.uncompressed(this.#input, head);
    if (inner !== undefined) {
      this.#input = inner;
      this.#end = 0;
      return;
    }
    if (isPcap(head, 0)) this.#format = new PcapFormat(this.#shared);
    else if (isPcapng(head, 0)) this.#format = new PcapngFormat(this.#shared);
    else {
      this.close();
      throw new UserError(
        `${this.file === '-' ? 'Standard input' : this.file} is no capture file: it does not begin like pcap or pcapng` +
          ` (plain or compressed by ${this.#options.compressions}).`,
        EXIT.file,
      );
    }
  }

  #finish(): void {
    const left = this.#end - this.#at;
    if (this.#format === undefined)
      this.#stop(left === 0 ? 'the file is empty' : 'the file ends within its first bytes');
    else if (left > 0) this.#stop(`the file ends within ${this.#format.within}`);
    else if (this.#format.within.endsWith('header')) this.#stop('the file is empty');
    this.#done = true;
    this.#input.close();
  }

  #stop(reason: string): void {
    if (this.#done) return;
    this.damage = { file: this.file, offset: this.#offset + this.#at, reason };
    this.#done = true;
    this.#input.close();
  }
}
