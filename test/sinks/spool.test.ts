import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Spool } from '../../src/sinks/spool.ts';
import type { Chunk } from '../../src/sinks/target.ts';

const root = mkdtempSync(join(tmpdir(), 'nametap-spool-'));
after(() => rmSync(root, { recursive: true }));

const notices: string[] = [];
const context = { notice: (_: string, message: string) => void notices.push(message) };
let turn = 0;
const newFolder = (): string => join(root, String(turn++));

function open(folder: string, size = 4 << 20, memoryBytes = 1 << 20): Spool {
  notices.length = 0;
  return Spool.open(folder, { size, sync: 0, memoryBytes }, context);
}

/** A chunk of records `from` … `from + count − 1`, each as long as told. */
function chunk(from: number, count = 1, length = 8): Chunk {
  const records = Array.from({ length: count }, (_, i) => String(from + i).padStart(length, '0'));
  return {
    bytes: new TextEncoder().encode(records.join('')),
    ends: records.map((_, i) => (i + 1) * length),
    rows: count,
  };
}

const numbersIn = ({ bytes, ends }: Chunk): number[] =>
  ends.map((end, i) => Number(new TextDecoder().decode(bytes.subarray(i === 0 ? 0 : ends[i - 1], end))));

/** Takes everything there is, `most` bytes at once. */
async function drain(spool: Spool, { most = 0, confirms = true } = {}): Promise<number[]> {
  const numbers: number[] = [];
  for (let taken = await spool.take(most); taken !== undefined; taken = await spool.take(most)) {
    numbers.push(...numbersIn(taken.chunk));
    spool.done(taken.mark);
    if (confirms) spool.confirm(taken.mark);
  }
  return numbers;
}

const upTo = (to: number, from = 0): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const segments = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.spool'));

test('what was not confirmed is there again after a restart, in order, once it was confirmed it is not', async () => {
  const folder = newFolder();
  const first = open(folder);
  for (let i = 0; i < 100; i++) first.push(chunk(i * 3, 3));
  await first.secured();
  assert.equal(first.rows, 300);
  for (let i = 0; i < 10; i++) {
    const taken = await first.take(0);
    assert.ok(taken !== undefined);
    first.done(taken.mark);
    if (i < 5) first.confirm(taken.mark);
  }
  assert.equal(first.rows, 270);
  // The process ends here, without closing anything.
  const second = open(folder);
  assert.deepEqual([second.rows, second.restored, second.damaged], [285, 285, 0]);
  assert.match(notices[0], /^285 transactions of before wait in /);
  second.push(chunk(300, 2));
  assert.deepEqual(await drain(second, { most: 1000 }), upTo(302, 15));
  assert.equal(await second.close(0), 0);
  const third = open(folder);
  assert.deepEqual([third.rows, third.restored], [0, 0]);
  assert.equal(await third.take(0), undefined);
  await third.close(0);
  await first.close(0);
});

test('a segment that was not written to its end is cut, and what the cut frame held is counted', async () => {
  for (const left of [1, 31, 32, 40]) {
    const folder = newFolder();
    const first = open(folder);
    first.push(chunk(0, 5));
    first.push(chunk(5, 4));
    await first.close(0);
    const path = join(folder, segments(folder)[0]);
    const bytes = readFileSync(path);
    // Frames are 32 octets, 4 for each end, 8 for each record.
    writeFileSync(path, bytes.subarray(0, 32 + 60 + left));
    const second = open(folder);
    assert.deepEqual([second.rows, second.damaged], [5, left < 32 ? 0 : 4]);
    assert.match(notices[0], /^the last \d+ bytes of .* were not written to their end: cut off$/);
    second.push(chunk(100));
    assert.deepEqual(await drain(second), [...upTo(5), 100]);
    await second.close(0);
  }
});

test('octets that changed on disk are noticed: that chunk is lost and counted, what is behind it is not', async () => {
  const folder = newFolder();
  const first = open(folder);
  for (let i = 0; i < 3; i++) first.push(chunk(i * 2, 2));
  await first.close(0);
  const path = join(folder, segments(folder)[0]);
  const bytes = readFileSync(path);
  bytes[32 + 24 + 32 + 20] ^= 1;
  writeFileSync(path, bytes);
  const second = open(folder);
  assert.deepEqual(await drain(second), [0, 1, 4, 5]);
  assert.deepEqual([second.rows, second.damaged, second.restored], [0, 2, 6]);
  await second.close(0);
});

test('a header that changed ends its segment; the next one is read all the same', async () => {
  const folder = newFolder();
  const first = open(folder);
  for (let i = 0; i < 20; i++) first.push(chunk(i, 1, 100_000));
  await first.close(0);
  const names = segments(folder).toSorted();
  assert.ok(names.length > 5, `${names.length} segments`);
  const path = join(folder, names[1]);
  const bytes = readFileSync(path);
  bytes[32 + 4 + 100_000 + 5] ^= 1;
  const second = open(folder);
  writeFileSync(path, bytes);
  const got = await drain(second);
  assert.equal(got.length + second.damaged, 20);
  assert.ok(second.damaged >= 1 && second.damaged < 3);
  assert.equal(second.rows, 0);
  await second.close(0);
});

test('rubbish in its folder does no harm', async () => {
  const folder = newFolder();
  const first = open(folder);
  first.push(chunk(1));
  await first.close(0);
  appendFileSync(join(folder, segments(folder)[0]), Buffer.alloc(1000, 0x5a));
  writeFileSync(join(folder, '000000000009.spool'), 'no segment at all, but long enough for a header and more');
  writeFileSync(join(folder, 'position'), Buffer.alloc(64, 0xff));
  const second = open(folder);
  assert.deepEqual(await drain(second), [1]);
  second.push(chunk(2));
  assert.deepEqual(await drain(second), [2]);
  await second.close(0);
});

test('it takes no more than its size, and gives the disk back', async () => {
  const folder = newFolder();
  const spool = open(folder, 1 << 20);
  let pushed = 0;
  while (spool.hasRoom(10_000)) spool.push(chunk(pushed++, 1, 10_000));
  const used = segments(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  assert.ok(used <= 1 << 20 && used > 1_000_000, `${used} bytes`);
  assert.equal(spool.bytes, used);
  assert.deepEqual(await drain(spool, { most: 50_000 }), upTo(pushed));
  assert.ok(spool.bytes < 100_000 && segments(folder).length <= 1, `${spool.bytes} bytes`);
  assert.ok(spool.hasRoom(500_000));
  await spool.close(0);
});

test('while the disk takes nothing it is a queue in memory; nothing in it is called safe', async () => {
  const folder = newFolder();
  const spool = open(folder, 4 << 20, 1000);
  spool.push(chunk(0));
  await spool.secured();
  rmSync(folder, { recursive: true });
  // The segment at hand is still open: it fills, and the next cannot be begun.
  let pushed = 1;
  while (spool.error === null) spool.push(chunk(pushed++, 1, 100_000));
  assert.match(spool.error, /cannot be written: there is no such file or folder$/);
  assert.equal(spool.hasRoom(1), false, 'the memory is full too');
  let isSafe = false;
  const secured = spool.secured().then(() => (isSafe = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isSafe, false);
  // The disk is another one now: what it had is gone, and counted; what it did not take is not.
  const got = await drain(spool);
  assert.deepEqual(got, upTo(pushed).slice(-got.length));
  assert.deepEqual([got.length + spool.damaged, got.length > 0], [pushed, true]);
  await secured;
  assert.equal(spool.rows, 0);
  spool.push(chunk(pushed));
  assert.equal(await spool.close(0), 1, 'that one is lost');
});
