import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { BusError, refuse } from './error.ts';

/**
 * What stands before the body of a batch, readable without it (little endian):
 *
 *   0  'nbus'          4  form of this header (1)     5  schema id         6  schema version (u16)
 *   8  rows (u32)     12  octets of the body before compression (u32)
 *  16  from  24  to    times of the first and the last row, ms since 1970 (f64)
 *  32  epoch (f64)    40  sequence (f64)              48  line (u16)
 *  50  length of the sensor's name, and the name (UTF-8)
 *
 * Then comes the body, as one zstd frame with a checksum of its content.
 *
 * A sensor deals its rows into lines (by client) and counts the batches of each: `sequence` goes up by one in every line,
 * and `epoch` tells runs of a sensor apart. What comes twice is known by that, and what is missing.
 */
export interface BusHeader {
  schema: number;
  version: number;
  sensor: string;
  epoch: number;
  line: number;
  sequence: number;
  rows: number;
  from: number;
  to: number;
}

export const SCHEMA_TRANSACTIONS = 1;
export const SCHEMA_FEATURES = 2;

const FORM = 1;
const FIXED = 51;
const MAGIC = 0x7375_626e;
/** Most rows of a batch, and most octets of its body. A batch that cannot be compressed fits into a message of Kafka. */
export const MOST_ROWS = 8192;
export const MOST_BODY = 4 << 20;
const MOST_NAME = 255;
/** Planes of octets gain nothing from a longer look. */
const LEVEL = 1;

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** A batch: its header, and its body compressed. */
export function sealed(header: BusHeader, body: Uint8Array, level: number = LEVEL): Uint8Array<ArrayBuffer> {
  const name = utf8.encode(header.sensor).subarray(0, MOST_NAME);
  const packed = zstdCompressSync(body, {
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  const bytes = new Uint8Array(FIXED + name.length + packed.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, FORM);
  view.setUint8(5, header.schema);
  view.setUint16(6, header.version, true);
  view.setUint32(8, header.rows, true);
  view.setUint32(12, body.length, true);
  view.setFloat64(16, header.from, true);
  view.setFloat64(24, header.to, true);
  view.setFloat64(32, header.epoch, true);
  view.setFloat64(40, header.sequence, true);
  view.setUint16(48, header.line, true);
  view.setUint8(50, name.length);
  bytes.set(name, FIXED);
  bytes.set(packed, FIXED + name.length);
  return bytes;
}

/** Reads the header alone. Throws BusError. */
export function headerOf(bytes: Uint8Array): BusHeader {
  if (bytes.length < FIXED) refuse('it is shorter than a header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) refuse('it does not begin as one');
  const form = view.getUint8(4);
  if (form !== FORM) refuse(`its header has form ${form}, this program reads ${FORM}`);
  const nameLength = view.getUint8(50);
  if (bytes.length < FIXED + nameLength) refuse('its header is cut');
  const header = {
    schema: view.getUint8(5),
    version: view.getUint16(6, true),
    sensor: text.decode(bytes.subarray(FIXED, FIXED + nameLength)),
    epoch: view.getFloat64(32, true),
    line: view.getUint16(48, true),
    sequence: view.getFloat64(40, true),
    rows: view.getUint32(8, true),
    from: view.getFloat64(16, true),
    to: view.getFloat64(24, true),
  };
  if (header.rows > MOST_ROWS) refuse(`${header.rows} rows are more than a batch may have`);
  if (!Number.isSafeInteger(header.epoch) || !Number.isSafeInteger(header.sequence) || header.sequence < 0) {
    refuse('its place in the run of its sensor is no number');
  }
  if (!Number.isFinite(header.from) || !Number.isFinite(header.to)) refuse('its range of time is none');
  return header;
}

/** The body of a batch. Never more than the header says, and never more than a body may have. Throws BusError. */
export function bodyOf(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(12, true);
  if (length > MOST_BODY) refuse('its body is larger than one may be');
  const packed = bytes.subarray(FIXED + view.getUint8(50));
  let body: Uint8Array;
  try {
    body = zstdDecompressSync(packed, { maxOutputLength: Math.max(1, length) });
  } catch (cause) {
    const { message } = cause as Error;
    throw new BusError(`The batch is not readable: its body cannot be unpacked (${message}).`, { cause });
  }
  if (body.length !== length) refuse('its body is shorter than its header says');
  return body;
}
