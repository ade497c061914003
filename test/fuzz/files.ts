import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { FrameBatch } from '../../src/core/frames.ts';
import type { ByteInput } from '../../src/sources/byte-input.ts';
import { readerOf } from '../../src/sources/open-capture.ts';
import { DnstapDecoder } from '../../src/sources/dnstap-message.ts';
import { CONTROL, DATA, FrameStreams } from '../../src/wire/frame-streams.ts';
import { MAX_CAPTURED_BYTES, Shared } from '../../src/sources/format.ts';
import { UserError } from '../../src/core/errors.ts';
import { Bytes, block, concatenate, data, interfaceBlock, packetBlock, pcap, section } from '../sources/containers.ts';

export interface FileFuzzResult {
  files: number;
  frames: number;
  damaged: number;
  /** Largest growth of the heap and buffers after a collection, if one could be forced. */
  grownBytes: number;
}

/**
 * Reads `count` mutated capture and dnstap files, plain and compressed: none may throw, hang, hand out a frame that
 * lies outside its memory, or leave memory behind. The same seed gives the same files.
 */
export async function fuzzFiles(count: number, seed: number): Promise<FileFuzzResult> {
  const random = randomFrom(seed);
  const seeds = seedFiles();
  const result: FileFuzzResult = { files: 0, frames: 0, damaged: 0, grownBytes: 0 };
  let before = 0;
  for (let i = 0; i < count; i++) {
    const file = mutate(seeds[i % seeds.length], random);
    if (i % 16 === 15) readDnstap(file);
    else await readCapture(file, 1 + (random() % 5000), result);
    result.files++;
    // The first quarter fills caches and compiled code.
    if (i === count >> 2) before = await memory();
  }
  result.grownBytes = Math.max(0, (await memory()) - before);
  return result;
}

/** An input that gives the bytes in pieces of a size, and reports more reads than any file needs as a hang. */
class Pieces implements ByteInput {
  readBytes = 0;
  readonly totalBytes = 0;
  readonly #bytes: Uint8Array;
  readonly #size: number;
  #reads = 0;

  constructor(bytes: Uint8Array, size: number) {
    this.#bytes = bytes;
    this.#size = size;
  }

  read(into: Uint8Array): number {
    assert.ok(++this.#reads <= this.#bytes.length + 2000, 'reads without end');
    const count = Math.min(into.length, this.#size, this.#bytes.length - this.readBytes);
    into.set(this.#bytes.subarray(this.readBytes, this.readBytes + count));
    this.readBytes += count;
    return count;
  }

  close(): void {}
}

async function readCapture(bytes: Uint8Array, pieceBytes: number, result: FileFuzzResult): Promise<void> {
  const shared = new Shared();
  const reader = readerOf('fuzz', new Pieces(bytes, pieceBytes), shared, 16 * 1024);
  const batch = new FrameBatch(64);
  let steps = 0;
  try {
    while (await reader.next(batch)) {
      // A compressed file may hold far more than its size: 64 MiB of zeros are frames of no bytes.
      if (++steps > 200_000) break;
      result.frames += batch.count;
      for (let i = 0; i < batch.count; i++) {
        assert.ok(batch.at[i] + batch.captured[i] <= batch.bytes.length, 'a frame outside its memory');
        assert.ok(batch.captured[i] <= MAX_CAPTURED_BYTES || batch.link[i] === 0xffff, 'a frame too long');
        assert.ok(batch.nanos[i] < 1e9 && Number.isFinite(batch.seconds[i]), 'a time that is none');
        assert.ok(batch.link[i] === 0xffff || batch.interfaceId[i] < shared.interfaces.length, 'an unknown interface');
      }
    }
  } catch (error) {
    // A file that does not begin like a capture is the user's mistake, and said so.
    if (!(error instanceof UserError)) throw error;
  }
  if (reader.damage !== undefined) result.damaged++;
  reader.close();
}

function readDnstap(bytes: Uint8Array): void {
  const streams = new FrameStreams();
  const decoder = new DnstapDecoder((c) => assert.ok(c.at >= 0 && c.at + c.length <= c.bytes.length));
  streams.push(bytes);
  decoder.decode(bytes, 0, bytes.length);
  for (let found = streams.next(); found === DATA || found === CONTROL; found = streams.next()) {
    if (found === DATA) decoder.decode(streams.bytes, streams.at, streams.length);
  }
}

function seedFiles(): Uint8Array[] {
  const records = Array.from({ length: 12 }, (_, i) => ({ seconds: i, fraction: i, data: data(20 + i * 9, i) }));
  const plain = [
    pcap(records),
    pcap(records, { little: false, magic: 0xa1b23c4d }),
    pcap(records, { magic: 0xa1b2cd34 }),
    concatenate(
      section(),
      interfaceBlock([{ code: 9, value: Uint8Array.of(9) }]),
      packetBlock(0, 7n, data(30), true, [{ code: 4, value: new Uint8Array(8) }]),
      block(3, new Bytes(true).u32(20).raw(data(20)).done()),
      block(0xbad, new Bytes(true).u32(1).raw(data(12)).done()),
      block(5, new Bytes(true).u32(0).u64(1n).u16(4).u16(8).u64(5n).done()),
      section(false),
      interfaceBlock([{ code: 14, value: new Uint8Array(8) }], false),
      packetBlock(0, 1n << 60n, data(44), false),
      block(2, new Bytes(false).u16(0).u16(1).u64(9n).u32(8).u32(8).raw(data(8)).done(), false),
    ),
  ];
  const folder = new URL('../sources/compressed/', import.meta.url);
  const compressed = ['xz', 'crc32.xz', 'sha256.xz', 'lz4', 'checked.lz4', 'linked.lz4'].map((kind) =>
    Uint8Array.from(readFileSync(new URL(`sixty.pcap.${kind}`, folder))),
  );
  const squeezed = [gzipSync(plain[0]), zstdCompressSync(plain[3])].map((bytes) => Uint8Array.from(bytes));
  return [...plain, ...plain, ...compressed, ...squeezed];
}

/** Values that length fields break on. */
const SHARP = [0, 1, 0x7f, 0x80, 0xff, 0x7fffffff, 0xffffffff, 0xfffffffc, 0x10000, 262_144, 262_145, 12, 28];

function mutate(seed: Uint8Array, random: () => number): Uint8Array {
  let bytes = Uint8Array.from(seed);
  for (let n = 1 + (random() % 4); n > 0 && bytes.length > 8; n--) {
    const at = random() % bytes.length;
    switch (random() % 6) {
      case 0:
        bytes[at] = random();
        break;
      case 1:
        bytes[at] ^= 1 << (random() % 8);
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3:
        bytes = concatenate(bytes.subarray(0, at), bytes.subarray(random() % bytes.length)) as Uint8Array<ArrayBuffer>;
        break;
      case 4: {
        const word = at & ~3;
        if (word + 4 <= bytes.length)
          new DataView(bytes.buffer).setUint32(word, SHARP[random() % SHARP.length], random() % 2 === 0);
        break;
      }
      default:
        bytes.fill(random(), at, Math.min(bytes.length, at + (random() % 16)));
    }
  }
  return bytes;
}

/** xorshift32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}

/** Bytes in use once decompressors have closed in the background, and after a collection where one can be forced. */
async function memory(): Promise<number> {
  const collect = (globalThis as { gc?: () => void }).gc;
  for (let i = 0; i < 3; i++) {
    await setTimeout(20);
    collect?.();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
