import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FrameBatch } from '../../src/core/frames.ts';
import { FATE } from '../../src/core/ledger.ts';
import { compileFilter, type Filter } from '../../src/filter/compile.ts';
import { FIELDS } from '../../src/filter/fields/registry.ts';
import { outputField } from '../../src/filter/output.ts';
import { Engine } from '../../src/pipeline/engine.ts';
import { ByteWriter } from '../../src/sinks/byte-writer.ts';
import { OUTPUTS } from '../../src/sinks/index.ts';
import type { OutputOptions } from '../../src/sinks/output.ts';
import { openFiles } from '../../src/sources/files.ts';
import { Random } from './random.ts';

/** A frame to mutate. */
interface Frame {
  bytes: Uint8Array;
  link: number;
}

/** Frames of one batch, and batches of one run of the engine. */
const BATCH_FRAMES = 48;
const RUN_BATCHES = 16;
const MAX_FRAME_BYTES = 4096;
/** Link types the dissector knows, and some it does not. */
const LINKS = [
  0, 1, 1, 6, 7, 9, 10, 12, 50, 51, 100, 101, 104, 105, 107, 108, 109, 113, 117, 119, 127, 129, 149, 163, 166,
];
const MORE_LINKS = [192, 204, 219, 228, 229, 239, 258, 276, 3, 147, 0xffff];
const PRINTERS = FIELDS.map(({ name }) => outputField(name));
const FILTERS = [
  'dns.flags.rcode == 3',
  'dns.qry.name contains "a" or ip.addr == 10.0.0.0/8',
  'frame contains 00:35 and tcp',
];

/** All frames of the small captures in `test/captures`. */
export async function seedFrames(): Promise<Frame[]> {
  const folder = fileURLToPath(new URL('../captures/', import.meta.url));
  const frames: Frame[] = [];
  for (const name of readdirSync(folder).sort()) {
    if (!/\.pcap(ng)?$/.test(name)) continue;
    const source = await openFiles([folder + name]);
    for await (const batch of source.batches(new AbortController().signal)) {
      for (let i = 0; i < batch.count; i++) {
        const bytes = batch.bytes.slice(batch.at[i], batch.at[i] + batch.captured[i]);
        frames.push({ bytes, link: batch.link[i] });
      }
    }
  }
  return frames;
}

/**
 * Runs `count` mutated frames (bytes, lengths, order, link type, time) through dissector, reassembly, matcher, filters
 * and every output format. Nothing may throw, both ledger equations sum, nothing stays held. The same seed gives the
 * same frames. Returns the messages found.
 */
export function fuzzFrames(seeds: readonly Frame[], count: number, seed: number): number {
  const random = new Random(seed);
  const filters = FILTERS.map((text) => compileFilter(text));
  let messages = 0;
  const batch = new FrameBatch(BATCH_FRAMES);
  batch.bytes = new Uint8Array(BATCH_FRAMES * MAX_FRAME_BYTES);
  for (let done = 0; done < count; done += BATCH_FRAMES * RUN_BATCHES) {
    const next = () => fillBatch(batch, seeds, random);
    messages += run(next, filters[random.below(filters.length + 1)], random);
  }
  return messages;
}

/** One run of the engine. `next` fills the same batch again: what is still needed of an earlier one must be a copy. */
function run(next: () => FrameBatch, filter: Filter | undefined, random: Random): number {
  const writer = new ByteWriter();
  const from = random.below(PRINTERS.length);
  const fields = PRINTERS.slice(from, from + 20);
  const options: OutputOptions = { interfaces: [], fields, offsets: random.below(2) === 0 };
  const format = random.pick(OUTPUTS);
  const message = format.message?.(options, writer);
  const rows = format.transaction?.(options, writer);
  const frames = format.packet?.(options, writer);
  let shown = 0;
  const engine = new Engine(
    {
      dissect: {
        reassemblyBytes: random.below(4) === 0 ? 1 << 19 : undefined,
        checksums: random.below(2) === 0,
        streams: random.below(2) === 0,
      },
      match: { limit: random.below(2) === 0 ? 16 : undefined },
      filter,
    },
    {
      message: (carrier, view, join) => {
        assert.ok(
          carrier.at >= 0 && carrier.at + carrier.length <= carrier.bytes.length,
          'a message outside its memory',
        );
        message?.message(carrier, view, join);
        shown++;
        writer.length = 0;
      },
      rows: (batch) => {
        rows?.batch(batch, 0, batch.count);
        writer.length = 0;
      },
      ...(frames === undefined ? {} : { frame: (carrier, fate) => frames.frame(carrier, fate) }),
    },
  );
  message?.begin?.();
  rows?.begin?.();
  for (let i = 0; i < RUN_BATCHES; i++) engine.frames(next());
  engine.finish();
  message?.end?.();
  rows?.end?.();
  assert.deepEqual(engine.ledger.imbalance(), []);
  assert.equal(engine.ledger.frames[FATE.held], 0, 'frames held at the end');
  assert.ok(
    engine.ledger.frames.every((n) => n >= 0),
    'a negative count of frames',
  );
  assert.equal(engine.ledger.shown, shown);
  return engine.ledger.decoded;
}

/** Neighbours of a capture in their order, most of them, with a few changes. */
function fillBatch(batch: FrameBatch, seeds: readonly Frame[], random: Random): FrameBatch {
  const bytes = batch.bytes;
  batch.count = 0;
  let next = random.below(seeds.length);
  let seconds = 1000;
  let end = 0;
  for (let i = 0; i < batch.capacity; i++) {
    if (random.below(12) === 0) next = random.below(seeds.length);
    const frame = seeds[next % seeds.length];
    next += random.below(10) === 0 ? random.below(5) : 1;
    const length = mutateFrame(bytes, end, frame.bytes, random);
    seconds += random.below(40) === 0 ? random.below(200) - 60 : 0;
    batch.at[i] = end;
    batch.captured[i] = length;
    batch.wire[i] = length + (random.below(16) === 0 ? random.below(2000) : 0);
    batch.seconds[i] = Math.max(0, seconds);
    batch.nanos[i] = random.below(1e9);
    batch.link[i] = random.below(20) === 0 ? random.pick([...LINKS, ...MORE_LINKS]) : frame.link;
    batch.number[i] += BATCH_FRAMES;
    batch.count++;
    end += length;
  }
  return batch;
}

/** Copies a frame to `at` with changes; returns its length. Headers (the first 80 bytes) are changed most. */
function mutateFrame(out: Uint8Array, at: number, frame: Uint8Array, random: Random): number {
  let length = Math.min(frame.length, MAX_FRAME_BYTES);
  out.set(frame.subarray(0, length), at);
  for (let m = random.below(5) - 1; m > 0 && length > 1; m--) {
    const place = at + random.below(random.below(3) > 0 ? Math.min(80, length) : length);
    switch (random.below(6)) {
      case 0:
        out[place] ^= 1 << random.below(8);
        break;
      case 1:
        out[place] = random.below(256);
        break;
      case 2:
        out[place] = random.pick([0, 1, 4, 6, 17, 20, 41, 44, 47, 53, 60, 0x45, 0x60, 0x81, 0x88, 0xff]);
        break;
      case 3:
        length = Math.max(1, place - at);
        break;
      case 4: {
        // A header once more: tunnels, fragments of fragments.
        const size = Math.min(random.below(64), MAX_FRAME_BYTES - length, at + length - place);
        out.copyWithin(place + size, place, at + length);
        length += size;
        break;
      }
      default:
        out[place] = 0;
        if (place + 1 < at + length) out[place + 1] = random.below(256);
    }
  }
  return length;
}
