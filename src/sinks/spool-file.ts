import { closeSync, fstatSync, ftruncateSync, openSync, read, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Chunk } from './target.ts';

/*
 * A segment is a row of frames. A frame is a header of 32 octets, little-endian, and what it is the header of:
 *   0 magic · 4 octets behind the header · 8 transactions · 12 records · 16 time, ms since 1970 (double)
 *   24 CRC-32 of what is behind · 28 CRC-32 of the header up to here
 * and behind it the ends of the records (32 bits each), and their bytes.
 */
const readAt = promisify(read);
const MAGIC = 0x3150534e;
export const HEADER_BYTES = 32;

export interface FrameHeader {
  /** Octets behind the header. */
  length: number;
  rows: number;
  records: number;
  time: number;
  crc: number;
}

export function frameOf({ bytes, ends, rows }: Chunk, time: number): Uint8Array {
  const length = 4 * ends.length + bytes.length;
  const frame = new Uint8Array(HEADER_BYTES + length);
  const view = new DataView(frame.buffer);
  ends.forEach((end, i) => view.setUint32(HEADER_BYTES + 4 * i, end, true));
  frame.set(bytes, HEADER_BYTES + 4 * ends.length);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, length, true);
  view.setUint32(8, rows, true);
  view.setUint32(12, ends.length, true);
  view.setFloat64(16, time, true);
  view.setUint32(24, zlib.crc32(frame.subarray(HEADER_BYTES)), true);
  view.setUint32(28, zlib.crc32(frame.subarray(0, 28)), true);
  return frame;
}

/** The header at an offset; undefined where there is no sound one. */
export function headerAt(bytes: Uint8Array, at: number): FrameHeader | undefined {
  if (bytes.length - at < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  const isSound =
    view.getUint32(0, true) === MAGIC && view.getUint32(28, true) === zlib.crc32(bytes.subarray(at, at + 28));
  const [length, rows, records] = [4, 8, 12].map((offset) => view.getUint32(offset, true));
  if (!isSound || 4 * records > length) return undefined;
  return { length, rows, records, time: view.getFloat64(16, true), crc: view.getUint32(24, true) };
}

/** The chunk behind a header; undefined where its octets are not those that were written. */
export function chunkAt(bytes: Uint8Array<ArrayBuffer>, at: number, header: FrameHeader): Chunk | undefined {
  const { length, records, rows, crc } = header;
  const body = bytes.subarray(at, at + length);
  if (body.length < length || zlib.crc32(body) !== crc) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
  const ends = Array.from({ length: records }, (_, i) => view.getUint32(4 * i, true));
  return { bytes: body.subarray(4 * records), ends, rows };
}

/** What is in a segment from an offset on. */
export interface SegmentContent {
  rows: number;
  /** Where the last whole frame ends. */
  end: number;
  /** Octets of the file. */
  size: number;
  /** Transactions that the cut frame at its end tells of. */
  cutRows: number;
  /** When its first frame was written, ms since 1970; null without one. */
  time: number | null;
}

/** Follows the headers of a segment. Throws what the system says. */
export function scanSegment(path: string, from: number): SegmentContent {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const content: SegmentContent = { rows: 0, end: from, size, cutRows: 0, time: null };
    const bytes = new Uint8Array(HEADER_BYTES);
    while (size - content.end >= HEADER_BYTES) {
      readSync(fd, bytes, 0, HEADER_BYTES, content.end);
      const header = headerAt(bytes, 0);
      if (header === undefined) break;
      if (content.end + HEADER_BYTES + header.length > size) {
        content.cutRows = header.rows;
        break;
      }
      content.time ??= header.time;
      content.rows += header.rows;
      content.end += HEADER_BYTES + header.length;
    }
    return content;
  } finally {
    closeSync(fd);
  }
}

/** Writes all of `bytes` at an offset, or nothing. Throws what the system says. */
export function writeWhole(fd: number, bytes: Uint8Array, at: number): void {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written, at + written);
  } catch (error) {
    if (written > 0) ftruncateSync(fd, at);
    throw error;
  }
}

/** How far the receiver came. */
export interface Position {
  segment: number;
  offset: number;
}

const SLOT_BYTES = 32;

/** The position on disk: two places written in turn, so that one of them is whole whatever happens. */
export class PositionFile {
  readonly fd: number;
  #turn = 0;

  /** Throws what the system says. */
  constructor(path: string) {
    // Made where it is not there; what is in it stays.
    closeSync(openSync(path, 'a', 0o600));
    this.fd = openSync(path, 'r+');
  }

  /** The newer of the two that are whole; the beginning where there is none. */
  read(): Position {
    let found: Position = { segment: 0, offset: 0 };
    const bytes = new Uint8Array(2 * SLOT_BYTES);
    const length = readSync(this.fd, bytes, 0, bytes.length, 0);
    for (let at = 0; at + SLOT_BYTES <= length; at += SLOT_BYTES) {
      const view = new DataView(bytes.buffer, at, SLOT_BYTES);
      const turn = view.getFloat64(16, true);
      if (view.getUint32(24, true) !== zlib.crc32(bytes.subarray(at, at + 24)) || turn < this.#turn) continue;
      this.#turn = turn;
      found = { segment: view.getFloat64(0, true), offset: view.getFloat64(8, true) };
    }
    return found;
  }

  /** Throws what the system says. */
  write({ segment, offset }: Position): void {
    const bytes = new Uint8Array(SLOT_BYTES);
    const view = new DataView(bytes.buffer);
    view.setFloat64(0, segment, true);
    view.setFloat64(8, offset, true);
    view.setFloat64(16, ++this.#turn, true);
    view.setUint32(24, zlib.crc32(bytes.subarray(0, 24)), true);
    writeWhole(this.fd, bytes, (this.#turn % 2) * SLOT_BYTES);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** The disk will not give it back, however often it is asked. */
export function isGone(error: unknown): boolean {
  const { code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error();
  return code === 'ENOENT' || code === 'EIO';
}

/** Octets of a file; fewer where it ends, or cannot be read on. */
export async function bytesAt(fd: number, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let got = 0;
  while (got < length) {
    let count = 0;
    try {
      count = (await readAt(fd, bytes, got, length - got, offset + got)).bytesRead;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    if (count === 0) break;
    got += count;
  }
  return bytes.subarray(0, got);
}
