import { unlinkSync } from 'node:fs';
import { EXIT, UserError } from '../core/errors.ts';
import type { CapturedInterface } from '../core/frames.ts';
import { type FrameToWrite, PcapngWriter, PcapWriter } from './frame-writers.ts';

/** Rotation after dumpcap's `-b`: a new file when any limit is reached, the oldest removed beyond `files`. */
export interface Rotation {
  sizeBytes?: number;
  /** Of packet time. */
  durationSeconds?: number;
  packets?: number;
  /** Files kept. */
  files?: number;
}

export interface CaptureFileOptions {
  format?: 'pcapng' | 'pcap';
  rotation?: Rotation;
}

/** Writes exactly the frames it is given into a capture file. */
export interface CaptureWriter {
  /** Throws UserError when the file cannot be written (disk full), or its format cannot hold the frame. */
  write(frame: FrameToWrite): void;
  /** Writes what is still buffered: what others read meanwhile ends behind a whole frame. */
  flush(): void;
  /** Goes on in a new file: the next of a rotation, else the same name when the old file was moved away. */
  reopen(): void;
  /** Writes all that is left and closes. Nothing may be written after. */
  close(): void;
}

/**
 * Creates a capture file (`-` is standard output): pcapng with nanoseconds and one interface block per interface, or
 * pcap with nanoseconds, which holds one link type only. `interfaces` may grow while frames are written.
 */
export function createCaptureFile(
  path: string,
  interfaces: readonly CapturedInterface[],
  options: CaptureFileOptions = {},
): CaptureWriter {
  const open = (file: string) =>
    options.format === 'pcap' ? new PcapWriter(file, interfaces) : new PcapngWriter(file, interfaces);
  return options.rotation === undefined
    ? new NamedWriter(path, open)
    : new RotatingWriter(path, options.rotation, open);
}

/**
 * Reads the words of `-b`, as dumpcap takes them: `filesize:KB` (1000 bytes each), `duration:SECONDS`, `files:N`,
 * `packets:N`. Throws UserError (exit code 1) on anything else.
 */
export function parseRotation(words: readonly string[]): Rotation {
  const rotation: Rotation = {};
  for (const word of words) {
    const colon = word.indexOf(':');
    const value = Number(word.slice(colon + 1));
    const isWhole = Number.isInteger(value);
    const key = colon > 0 && value > 0 && Number.isFinite(value) ? word.slice(0, colon) : '';
    if (key === 'duration') rotation.durationSeconds = value;
    else if (key === 'filesize' && isWhole) rotation.sizeBytes = value * 1000;
    else if (key === 'files' && isWhole) rotation.files = value;
    else if (key === 'packets' && isWhole) rotation.packets = value;
    else {
      throw new UserError(
        `-b ${word} is not understood. It takes filesize:KB, duration:SECONDS, files:N or packets:N, N above 0.`,
        EXIT.usage,
      );
    }
  }
  return rotation;
}

/** One file of a fixed name. */
class NamedWriter implements CaptureWriter {
  readonly #path: string;
  readonly #open: (path: string) => PcapWriter | PcapngWriter;
  #writer: PcapWriter | PcapngWriter;

  constructor(path: string, open: (path: string) => PcapWriter | PcapngWriter) {
    this.#path = path;
    this.#open = open;
    this.#writer = open(path);
  }

  write(frame: FrameToWrite): void {
    this.#writer.write(frame);
  }

  flush(): void {
    this.#writer.flush();
  }

  reopen(): void {
    this.#writer.flush();
    if (!this.#writer.output.isMoved) return;
    this.#writer.close();
    this.#writer = this.#open(this.#path);
  }

  close(): void {
    this.#writer.close();
  }
}

/** Several files one after the other, named `NAME_00001_YYYYMMDDHHMMSS.EXT` as dumpcap does. */
class RotatingWriter implements CaptureWriter {
  readonly #path: string;
  readonly #rotation: Rotation;
  readonly #open: (path: string) => PcapWriter | PcapngWriter;
  readonly #files: string[] = [];
  #writer: PcapWriter | PcapngWriter | undefined;
  #count = 0;
  #packets = 0;
  #since = 0;

  constructor(path: string, rotation: Rotation, open: (path: string) => PcapWriter | PcapngWriter) {
    if (path === '-') throw new UserError('Standard output cannot be rotated. Give -w a file name.', EXIT.usage);
    this.#path = path;
    this.#rotation = rotation;
    this.#open = open;
  }

  write(frame: FrameToWrite): void {
    if (this.#writer === undefined || this.#isFull(this.#writer, frame)) this.#next(frame);
    this.#writer?.write(frame);
    this.#packets++;
  }

  flush(): void {
    this.#writer?.flush();
  }

  reopen(): void {
    this.#writer?.close();
    this.#writer = undefined;
  }

  close(): void {
    this.#writer?.close();
    this.#writer = undefined;
  }

  #isFull(writer: PcapWriter | PcapngWriter, frame: FrameToWrite): boolean {
    const { sizeBytes = Infinity, durationSeconds = Infinity, packets = Infinity } = this.#rotation;
    return (
      this.#packets >= packets ||
      writer.output.writtenBytes >= sizeBytes ||
      frame.seconds + frame.nanos / 1e9 - this.#since >= durationSeconds
    );
  }

  #next(frame: FrameToWrite): void {
    this.#writer?.close();
    this.#count++;
    this.#packets = 0;
    this.#since = frame.seconds + frame.nanos / 1e9;
    const dot = this.#path.lastIndexOf('.');
    const cut = dot > this.#path.lastIndexOf('/') + 1 ? dot : this.#path.length;
    const stamp = new Date(frame.seconds * 1000);
    const time = Number.isNaN(stamp.getTime()) ? '0' : stamp.toISOString().slice(0, 19).replace(/[-T:]/g, '');
    const name = `${this.#path.slice(0, cut)}_${String(this.#count).padStart(5, '0')}_${time}${this.#path.slice(cut)}`;
    this.#writer = this.#open(name);
    this.#files.push(name);
    if (this.#rotation.files !== undefined && this.#files.length > this.#rotation.files) {
      unlinkSync(this.#files.shift() as string);
    }
  }
}
