import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import type { Carrier } from '../core/carrier.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { CapturedInterface } from '../core/frames.ts';

/** Bytes gathered before they are written at once. */
const BUFFER_BYTES = 1024 * 1024;

/** One frame to write: where its bytes are, when and on which interface it was captured. */
export interface FrameToWrite {
  bytes: Uint8Array<ArrayBufferLike>;
  at: number;
  captured: number;
  wire: number;
  seconds: number;
  nanos: number;
  /** Index into the interfaces given to the writer. */
  interfaceId: number;
}

export function emptyFrame(): FrameToWrite {
  return { bytes: new Uint8Array(0), at: 0, captured: 0, wire: 0, seconds: 0, nanos: 0, interfaceId: 0 };
}

/** The frame at hand: its bytes are the carrier's. */
export function setFrame(frame: FrameToWrite, carrier: Carrier): void {
  frame.bytes = carrier.frame;
  frame.at = carrier.frameAt;
  frame.captured = carrier.capturedLength;
  frame.wire = carrier.wireLength;
  frame.seconds = carrier.seconds;
  frame.nanos = carrier.nanos;
  frame.interfaceId = carrier.interfaceId;
}

/** A buffered file that takes whole records. */
class Output {
  readonly path: string;
  writtenBytes = 0;
  bytes = new Uint8Array(BUFFER_BYTES);
  view = new DataView(this.bytes.buffer);
  used = 0;
  #fd: number;

  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = path === '-' ? 1 : openSync(path, 'w');
    } catch (error) {
      throw new UserError(`Cannot create ${path}: ${reasonOf(error)}.`, EXIT.file, { cause: error });
    }
  }

  /** Makes room for a record; gives where it begins. */
  reserve(length: number): number {
    if (this.used + length > this.bytes.length) this.flush();
    if (length > this.bytes.length) {
      this.bytes = new Uint8Array(length);
      this.view = new DataView(this.bytes.buffer);
    }
    const at = this.used;
    this.used += length;
    this.writtenBytes += length;
    return at;
  }

  flush(): void {
    let at = 0;
    while (at < this.used) {
      try {
        at += writeSync(this.#fd, this.bytes, at, this.used - at);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        // A pipe that is full for now: its reader is slower than we are.
        if (code === 'EAGAIN') Atomics.wait(pause, 0, 0, 5);
        else if (code === 'EPIPE') throw error;
        else {
          throw new UserError(`Cannot write ${this.path}: ${message}. The frames before are kept.`, EXIT.file, {
            cause: error,
          });
        }
      }
    }
    this.used = 0;
  }

  /** True when its name no longer leads to it: somebody moved or removed the file. */
  get isMoved(): boolean {
    if (this.path === '-') return false;
    const own = fstatSync(this.#fd);
    const named = statSync(this.path, { throwIfNoEntry: false });
    return named === undefined || named.ino !== own.ino || named.dev !== own.dev;
  }

  close(): void {
    if (this.#fd < 0) return;
    try {
      this.flush();
    } finally {
      if (this.#fd > 2) closeSync(this.#fd);
      this.#fd = -1;
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Classic pcap: nanosecond magic, one link type. */
export class PcapWriter {
  readonly output: Output;
  readonly #interfaces: readonly CapturedInterface[];
  #link = -1;

  constructor(path: string, interfaces: readonly CapturedInterface[]) {
    this.output = new Output(path);
    this.#interfaces = interfaces;
  }

  write(frame: FrameToWrite): void {
    const { link } = this.#interfaces[frame.interfaceId];
    if (this.#link < 0) this.#header(link);
    if (link !== this.#link) {
      throw new UserError(
        `${this.output.path}: a pcap file holds one link type, and frames of ${this.#link} and ${link} were captured.` +
          ' Write pcapng instead (leave out -F pcap).',
        EXIT.file,
      );
    }
    if (frame.seconds < 0 || frame.seconds > 0xffffffff) {
      throw new UserError(
        `${this.output.path}: a pcap file cannot hold the time ${frame.seconds}. Write pcapng instead (leave out -F pcap).`,
        EXIT.file,
      );
    }
    const at = this.output.reserve(16 + frame.captured);
    const { view, bytes } = this.output;
    view.setUint32(at, frame.seconds, true);
    view.setUint32(at + 4, frame.nanos, true);
    view.setUint32(at + 8, frame.captured, true);
    view.setUint32(at + 12, frame.wire, true);
    bytes.set(frame.bytes.subarray(frame.at, frame.at + frame.captured), at + 16);
  }

  flush(): void {
    this.output.flush();
  }

  close(): void {
    // Without a frame the link type was never told: the file is still a valid one.
    if (this.#link < 0) this.#header(this.#interfaces[0]?.link ?? 1);
    this.output.close();
  }

  #header(link: number): void {
    this.#link = link;
    const at = this.output.reserve(24);
    const { view } = this.output;
    view.setUint32(at, 0xa1b23c4d, true);
    view.setUint16(at + 4, 2, true);
    view.setUint16(at + 6, 4, true);
    view.setUint32(at + 8, 0, true);
    view.setUint32(at + 12, 0, true);
    view.setUint32(at + 16, 262144, true);
    view.setUint32(at + 20, link, true);
  }
}

/** pcapng: one section, an interface block before the first frame of each interface, nanoseconds throughout. */
export class PcapngWriter {
  readonly output: Output;
  readonly #interfaces: readonly CapturedInterface[];
  /** Number in the file of each interface index, −1 before its block. */
  readonly #numbers: number[] = [];
  #described = 0;

  constructor(path: string, interfaces: readonly CapturedInterface[]) {
    this.output = new Output(path);
    this.#interfaces = interfaces;
    const application = encode('nametap');
    const length = 28 + optionBytes(application) + 4;
    const at = this.output.reserve(length);
    const { view } = this.output;
    view.setUint32(at, 0x0a0d0d0a, true);
    view.setUint32(at + 4, length, true);
    view.setUint32(at + 8, 0x1a2b3c4d, true);
    view.setUint16(at + 12, 1, true);
    view.setUint16(at + 14, 0, true);
    view.setBigInt64(at + 16, -1n, true);
    this.#option(at + 24, 4, application);
    this.#end(at, length);
  }

  write(frame: FrameToWrite): void {
    const number = this.#numbers[frame.interfaceId] ?? this.#describe(frame.interfaceId);
    const padded = (frame.captured + 3) & ~3;
    const length = 32 + padded;
    const at = this.output.reserve(length);
    const { view, bytes } = this.output;
    // seconds × 10⁹ + nanos in two words: the product of a double would lose its last digits.
    const low = (Math.imul(frame.seconds, 1e9) + frame.nanos) >>> 0;
    const high = Math.round((frame.seconds * 1e9 + frame.nanos - low) / 4294967296);
    view.setUint32(at, 6, true);
    view.setUint32(at + 4, length, true);
    view.setUint32(at + 8, number, true);
    view.setUint32(at + 12, high, true);
    view.setUint32(at + 16, low, true);
    view.setUint32(at + 20, frame.captured, true);
    view.setUint32(at + 24, frame.wire, true);
    bytes.set(frame.bytes.subarray(frame.at, frame.at + frame.captured), at + 28);
    bytes.fill(0, at + 28 + frame.captured, at + 28 + padded);
    view.setUint32(at + length - 4, length, true);
  }

  flush(): void {
    this.output.flush();
  }

  close(): void {
    this.output.close();
  }

  #describe(index: number): number {
    const { name, description, link, snaplen } = this.#interfaces[index];
    const nameBytes = encode(name ?? '');
    const descriptionBytes = encode(description ?? '');
    const length = 28 + optionBytes(nameBytes) + optionBytes(descriptionBytes) + 4;
    const at = this.output.reserve(length);
    const { view, bytes } = this.output;
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, length, true);
    view.setUint16(at + 8, link, true);
    view.setUint16(at + 10, 0, true);
    view.setUint32(at + 12, snaplen, true);
    let option = this.#option(at + 16, 2, nameBytes);
    option = this.#option(option, 3, descriptionBytes);
    bytes.set([9, 0, 1, 0, 9, 0, 0, 0], option);
    this.#end(at, length);
    this.#numbers[index] = this.#described++;
    return this.#numbers[index];
  }

  #option(at: number, code: number, value: Uint8Array): number {
    if (value.length === 0) return at;
    const { view, bytes } = this.output;
    view.setUint16(at, code, true);
    view.setUint16(at + 2, value.length, true);
    bytes.fill(0, at + 4, at + optionBytes(value));
    bytes.set(value, at + 4);
    return at + optionBytes(value);
  }

  /** End-of-options mark and the length once more. */
  #end(at: number, length: number): void {
    this.output.view.setUint32(at + length - 8, 0, true);
    this.output.view.setUint32(at + length - 4, length, true);
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text).subarray(0, 65_532);
}

/** Bytes of an option with its header and padding; none for an empty value. */
function optionBytes(value: Uint8Array): number {
  return value.length === 0 ? 0 : 4 + ((value.length + 3) & ~3);
}
