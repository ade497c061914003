import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { FrameBatch } from '../../src/core/frames.ts';
import { frameOf } from '../../src/library/frame-reader.ts';
import { readFrames } from '../../src/library/pcap.ts';
import { createCaptureFile, parseRotation } from '../../src/sinks/capture-file.ts';
import { openFiles } from '../../src/sources/files.ts';
import { openFolder } from '../../src/sources/folder.ts';
import { concatenate, data, pcap, type Record } from './containers.ts';
import { addRows, drain, type FrameRow, putFile, readAll, temporaryFolder } from './frames.ts';

function records(count: number, first = 0, step = 1): Record[] {
  return Array.from({ length: count }, (_, i) => ({
    seconds: 1000 + first + i * step,
    fraction: i,
    data: data(40 + (i % 50), first + i),
  }));
}

const bare = (rows: readonly FrameRow[]) => rows.map(({ time, md5 }) => `${time} ${md5}`);

test('files that follow each other come in time order, whatever their order on the command line', async (t) => {
  const folder = temporaryFolder(t);
  const all = records(300);
  const names = [2, 0, 1].map((part) => putFile(folder, `${part}.pcap`, pcap(all.slice(part * 100, part * 100 + 100))));
  const { rows, source } = await readAll(names);
  assert.deepEqual(bare(rows), bare((await readAll([putFile(folder, 'all.pcap', pcap(all))])).rows));
  assert.deepEqual(
    rows.map((row) => row.number),
    all.map((_, i) => i + 1),
  );
  assert.equal(source.interfaces.length, 3);
});

test('files whose times overlap are merged packet by packet, equal times in the order of the files', async (t) => {
  const folder = temporaryFolder(t);
  const a = putFile(folder, 'a.pcap', pcap(records(500, 0, 2)));
  const b = putFile(folder, 'b.pcap', pcap(records(500, 1, 2)));
  const c = putFile(folder, 'c.pcap', pcap(records(500, 0, 2)));
  const rows = (await readAll([c, a, b], 16)).rows;
  assert.equal(rows.length, 1500);
  for (let i = 1; i < rows.length; i++) assert.ok(Number(rows[i - 1].time) <= Number(rows[i].time), `row ${i}`);
  const merged = await readAll([a, c]);
  assert.deepEqual(
    merged.rows.map((row) => row.interfaceId),
    Array.from({ length: 1000 }, (_, i) => i % 2),
  );
});

test('the damage of one file does not end the others', async (t) => {
  const folder = temporaryFolder(t);
  const cut = putFile(folder, 'a.pcap', pcap(records(10, 0)).subarray(0, -3));
  const whole = putFile(folder, 'b.pcap', pcap(records(10, 100)));
  const { rows, source } = await readAll([cut, whole]);
  assert.equal(rows.length, 19);
  assert.deepEqual(
    source.damage.map((damage) => damage.file),
    [cut],
  );
});

test('the same capture plain, gzip-compressed in members, zstd, pcapng or pcap gives the same frames', async (t) => {
  const folder = temporaryFolder(t);
  const plain = pcap(records(2000));
  const path = putFile(folder, 'plain', plain);
  const expected = (await readAll([path])).rows;
  const half = plain.length >> 1;
  const shapes: [string, Uint8Array][] = [
    ['gzip', gzipSync(plain)],
    ['gzip members', concatenate(gzipSync(plain.subarray(0, half)), gzipSync(plain.subarray(half)))],
    ['zstd', zstdCompressSync(plain)],
    ['zstd frames', concatenate(zstdCompressSync(plain.subarray(0, half)), zstdCompressSync(plain.subarray(half)))],
  ];
  for (const [name, bytes] of shapes) {
    const { rows, source } = await readAll([putFile(folder, name, bytes)]);
    assert.deepEqual(source.damage, [], name);
    assert.deepEqual(rows, expected, name);
  }
  for (const format of ['pcap', 'pcapng'] as const) {
    const copy = join(folder, `copy.${format}`);
    const source = await openFiles([path]);
    const writer = createCaptureFile(copy, source.interfaces, { format });
    for await (const batch of source.batches(new AbortController().signal)) {
      for (let i = 0; i < batch.count; i++) {
        writer.write({
          bytes: batch.bytes,
          at: batch.at[i],
          captured: batch.captured[i],
          wire: batch.wire[i],
          seconds: batch.seconds[i],
          nanos: batch.nanos[i],
          interfaceId: batch.interfaceId[i],
        });
      }
    }
    writer.close();
    assert.deepEqual((await readAll([copy])).rows, expected, format);
  }
});

test('a compressed capture cut at any of many bytes gives a beginning of the frames and the damage', async (t) => {
  const folder = temporaryFolder(t);
  const plain = pcap(records(8000));
  const expected = bare((await readAll([putFile(folder, 'plain', plain)])).rows);
  for (const bytes of [gzipSync(plain), zstdCompressSync(plain)]) {
    let most = 0;
    for (let length = 5; length < bytes.length; length += bytes.length >> 4) {
      const { rows, source } = await readAll([putFile(folder, 'cut', bytes.subarray(0, length))]);
      assert.deepEqual(bare(rows), expected.slice(0, rows.length));
      assert.equal(source.damage.length, 1, `cut at ${length}`);
      most = Math.max(most, rows.length);
    }
    assert.ok(most > 4000, 'a cut near the end keeps what came before');
  }
});

test('rubbish behind a gzip stream costs hardly a frame of it', async (t) => {
  const folder = temporaryFolder(t);
  const plain = pcap(records(3000));
  const whole = bare((await readAll([putFile(folder, 'plain', plain)])).rows);
  const { rows, source } = await readAll([
    putFile(folder, 'a.gz', concatenate(gzipSync(plain), Buffer.from('rubbish'))),
  ]);
  assert.deepEqual(bare(rows), whole.slice(0, rows.length));
  assert.ok(rows.length > 2900, `${rows.length} frames`);
  assert.match(source.damage[0].reason, /gzip stream is corrupt/);
});

test('many files with frames larger than a reading buffer', async (t) => {
  const folder = temporaryFolder(t);
  const big = data(200_000, 1);
  const names = Array.from({ length: 20 }, (_, i) =>
    putFile(folder, `${i}.pcap`, pcap([0, 1, 2].map((j) => ({ seconds: 100 * i + j, fraction: 0, data: big })))),
  );
  const { rows, source } = await readAll(names.reverse());
  assert.deepEqual(source.damage, []);
  assert.deepEqual(
    rows.map((row) => [row.captured, row.md5]),
    Array(60).fill([200_000, rows[0].md5]),
  );
});

test('the words of -b after dumpcap', () => {
  assert.deepEqual(parseRotation(['filesize:1000', 'duration:2.5', 'files:3', 'packets:7']), {
    sizeBytes: 1_000_000,
    durationSeconds: 2.5,
    files: 3,
    packets: 7,
  });
  for (const bad of ['filesize', 'filesize:0', 'duration:x', 'size:3', 'files:1.5']) {
    assert.throws(() => parseRotation([bad]), { name: 'UserError', exit: 1 }, bad);
  }
});

test('rotated files hold all frames once, and the oldest go', async (t) => {
  const folder = temporaryFolder(t);
  const source = await openFiles([putFile(folder, 'in', pcap(records(100)))]);
  const writer = createCaptureFile(join(folder, 'out.pcapng'), source.interfaces, {
    rotation: { packets: 30, files: 2 },
  });
  for await (const batch of source.batches(new AbortController().signal)) {
    for (let i = 0; i < batch.count; i++) {
      const { bytes, at, captured, wire, seconds, nanos, interfaceId } = batch;
      writer.write({
        bytes,
        at: at[i],
        captured: captured[i],
        wire: wire[i],
        seconds: seconds[i],
        nanos: nanos[i],
        interfaceId: interfaceId[i],
      });
    }
  }
  writer.close();
  const kept = ['out_00003_19700101001740.pcapng', 'out_00004_19700101001810.pcapng'].map((name) => join(folder, name));
  const { rows } = await readAll(kept);
  assert.deepEqual(
    rows.map((row) => row.time),
    records(100)
      .slice(60)
      .map((r) => `${r.seconds}.${String(r.fraction * 1000).padStart(9, '0')}`),
  );
  assert.throws(() => readFileSync(join(folder, 'out_00002_19700101001710.pcapng')), { code: 'ENOENT' });
});

test('a pcap file holds one link type; the writer says so', async (t) => {
  const folder = temporaryFolder(t);
  const interfaces = [
    { link: 1, snaplen: 0 },
    { link: 113, snaplen: 0 },
  ];
  const frame = { bytes: data(4), at: 0, captured: 4, wire: 4, seconds: 1, nanos: 2 };
  const writer = createCaptureFile(join(folder, 'a.pcap'), interfaces, { format: 'pcap' });
  writer.write({ ...frame, interfaceId: 0 });
  assert.throws(() => writer.write({ ...frame, interfaceId: 1 }), {
    name: 'UserError',
    exit: 3,
    message: /one link type/,
  });
  writer.close();
});

test('a watched folder gives growing and new files in the order of their names', async (t) => {
  const folder = temporaryFolder(t);
  const all = records(60);
  const first = pcap(all.slice(0, 20));
  writeFileSync(join(folder, 'a_1.pcap'), first.subarray(0, 500));
  writeFileSync(join(folder, 'notes.txt'), 'not a capture');
  const stop = new AbortController();
  const rows: FrameRow[] = [];
  let step = 0;
  for await (const batch of openFolder(folder, { pollMs: 5 }).batches(stop.signal)) {
    addRows(batch, rows);
    if (batch.count > 0) continue;
    step++;
    if (step === 1) appendFileSync(join(folder, 'a_1.pcap'), first.subarray(500));
    if (step === 2) writeFileSync(join(folder, 'a_2.pcap'), pcap(all.slice(20, 40)));
    if (step === 3) writeFileSync(join(folder, 'a_3.pcap.gz'), gzipSync(pcap(all.slice(40))));
    if (rows.length === 60) stop.abort();
    assert.ok(step < 500, `${rows.length} frames`);
  }
  assert.deepEqual(
    rows.map((row) => row.number),
    all.map((_, i) => i + 1),
  );
  assert.deepEqual(bare(rows), bare((await readAll([putFile(folder, 'all', pcap(all))])).rows));
});

test('an abort ends a reading between batches', async (t) => {
  const folder = temporaryFolder(t);
  const source = await openFiles([putFile(folder, 'a', pcap(records(100)))], { capacity: 10 });
  const stop = new AbortController();
  let frames = 0;
  for await (const batch of source.batches(stop.signal)) {
    frames += batch.count;
    if (frames === 30) stop.abort();
  }
  assert.equal(frames, 30);
  assert.equal((await drain(await openFiles([join(folder, 'a')]))).rows.length, 100);
});

test('readFrames gives values that stay valid', async (t) => {
  const folder = temporaryFolder(t);
  const all = records(30);
  const frames = [];
  const damage: string[] = [];
  const path = putFile(folder, 'a', pcap(all).subarray(0, -1));
  for await (const frame of readFrames(path, { onDamage: ({ reason }) => damage.push(reason) })) frames.push(frame);
  assert.deepEqual(
    frames.map((frame) => frame.bytes),
    all.slice(0, 29).map((record) => record.data),
  );
  const { layers, fate, ...captured } = frames[4];
  assert.deepEqual([layers.dns, fate], [[], 'not_ip']);
  assert.deepEqual(captured, {
    number: 5,
    time: { seconds: 1004, nanos: 4000 },
    interface: { link: 1, snaplen: 262144, idInSection: 0 },
    link: 1,
    bytes: all[4].data,
    wireLength: all[4].data.length,
  });
  assert.deepEqual(damage, ['the file ends within a packet record']);
  assert.equal('time' in frameOf(Object.assign(new FrameBatch(1), { untimed: Uint8Array.of(1) }), 0, []), false);
});
