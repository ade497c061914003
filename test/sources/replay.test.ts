import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openFiles } from '../../src/sources/files.ts';
import { openReplay } from '../../src/sources/replay.ts';
import { putFile, temporaryFolder } from './frames.ts';
import { pcap } from './containers.ts';

const CAPTURE = fileURLToPath(new URL('../captures/resolution.pcap', import.meta.url));

interface Frame {
  nanos: bigint;
  bytes: string;
  number: number;
}

const collected = (batch: {
  count: number;
  seconds: Float64Array;
  nanos: Uint32Array;
  bytes: Uint8Array;
  at: Uint32Array;
  captured: Uint32Array;
  number: Float64Array;
}): Frame[] =>
  Array.from({ length: batch.count }, (_, i) => ({
    nanos: BigInt(batch.seconds[i]) * 1_000_000_000n + BigInt(batch.nanos[i]),
    bytes: Buffer.from(batch.bytes.subarray(batch.at[i], batch.at[i] + batch.captured[i])).toString('hex'),
    number: batch.number[i],
  }));

async function original(): Promise<Frame[]> {
  const frames: Frame[] = [];
  const source = await openFiles([CAPTURE]);
  for await (const batch of source.batches(new AbortController().signal)) frames.push(...collected(batch));
  return frames;
}

test('frames keep their distances to the nanosecond, rounds follow each other, nothing comes before its time', async () => {
  const once = await original();
  const back = 3600;
  let now = Date.UTC(2026, 0, 1);
  const source = await openReplay([CAPTURE], { backSeconds: back, now: () => now });
  assert.equal(source.live, true);
  const abort = new AbortController();
  const frames: Frame[] = [];
  for await (const batch of source.batches(abort.signal)) {
    frames.push(...collected(batch));
    assert.ok(frames.length === 0 || (frames.at(-1)?.nanos ?? 0n) <= BigInt(now) * 1_000_000n);
    if (frames.length >= 3 * once.length) abort.abort();
    now += 1000;
  }
  assert.equal(frames[0].nanos, BigInt(Date.UTC(2026, 0, 1) - 1000 * back) * 1_000_000n);
  frames.forEach((frame, i) => {
    const like = once[i % once.length];
    const begin = frames[i - (i % once.length)].nanos;
    assert.equal(frame.nanos - begin, like.nanos - once[0].nanos, `frame ${i}`);
    assert.equal(frame.bytes, like.bytes);
    assert.equal(frame.number, i + 1);
    assert.ok(i === 0 || frame.nanos >= frames[i - 1].nanos);
  });
});

test('who slept goes on from now', async () => {
  let now = Date.UTC(2026, 0, 1);
  const source = await openReplay([CAPTURE], { now: () => now });
  const abort = new AbortController();
  const frames: Frame[] = [];
  let rounds = 0;
  for await (const batch of source.batches(abort.signal)) {
    frames.push(...collected(batch));
    if (++rounds === 2) now += 24 * 3_600_000;
    if (rounds === 4) abort.abort();
  }
  const jump = Number((frames.at(-1)?.nanos ?? 0n) - frames[0].nanos) / 1e9;
  assert.ok(jump >= 24 * 3600, `${jump}`);
  assert.ok(frames.length < 100, 'a day was not caught up with');
});

test('a capture without packets is refused in a sentence', async (t) => {
  const path = putFile(temporaryFolder(t), 'empty.pcap', pcap([]));
  await assert.rejects(openReplay([path]), /There are no packets in .*empty\.pcap to replay\./);
});

test('several files play at once, each in rounds of its own, in order of time', async () => {
  const paths = ['lookups.pcapng', 'udp.pcap'].map((name) =>
    fileURLToPath(new URL(`../captures/${name}`, import.meta.url)),
  );
  const now = Date.UTC(2026, 0, 1);
  const source = await openReplay(paths, { backSeconds: 60, roundSeconds: 10, now: () => now });
  const abort = new AbortController();
  const frames: (Frame & { from: number })[] = [];
  for await (const batch of source.batches(abort.signal)) {
    collected(batch).forEach((frame, i) => frames.push({ ...frame, from: batch.interfaceId[i] }));
    abort.abort();
  }
  assert.equal(source.interfaces.length, 2);
  for (let i = 1; i < frames.length; i++) assert.ok(frames[i].nanos >= frames[i - 1].nanos);
  // 100 frames in half a second, once in ten (the seventh round begins now); and 33 in forty seconds, of which the second round is begun.
  assert.equal(frames.filter(({ from }) => from === 0).length, 601);
  const others = frames.filter(({ from }) => from === 1).length;
  assert.ok(others > 33 && others < 66, `${others}`);
});
