import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { concatenate, data, pcap } from './containers.ts';
import { type FrameRow, putFile, readAll, temporaryFolder } from './frames.ts';

/** The same 60 frames, made by gzip, zstd, lz4 and xz with several of their settings. */
const folder = new URL('compressed/', import.meta.url);
const names = readdirSync(folder);
const plain = pcap(
  Array.from({ length: 60 }, (_, i) => ({ seconds: 1000 + i, fraction: i, data: data(40 + (i % 50), i) })),
);

const bare = (rows: readonly FrameRow[]) => rows.map(({ time, md5 }) => `${time} ${md5}`);

test('every compression gives the same frames', async (t) => {
  const expected = (await readAll([putFile(temporaryFolder(t), 'plain', plain)])).rows;
  assert.equal(names.length, 8);
  for (const name of names) {
    const { rows, source } = await readAll([fileURLToPath(new URL(name, folder))]);
    assert.deepEqual(source.damage, [], name);
    assert.deepEqual(rows, expected, name);
  }
});

test('a compressed stream cut at any byte gives what comes before, and the damage', async (t) => {
  const to = temporaryFolder(t);
  const expected = bare((await readAll([putFile(to, 'plain', plain)])).rows);
  for (const name of names.filter((entry) => /xz|lz4/.test(entry))) {
    const bytes = readFileSync(new URL(name, folder));
    let most = 0;
    for (let length = 4; length < bytes.length; length += 3) {
      const { rows, source } = await readAll([putFile(to, 'cut', bytes.subarray(0, length))]);
      assert.deepEqual(bare(rows), expected.slice(0, rows.length), `${name} cut at ${length}`);
      assert.equal(source.damage.length, 1, `${name} cut at ${length}`);
      most = Math.max(most, rows.length);
    }
    assert.ok(most >= 55, `${name}: ${most}`);
  }
});

test('a corrupt byte is found by the checksums of lz4 and xz, or leaves the frames as they were', async (t) => {
  const to = temporaryFolder(t);
  const expected = bare((await readAll([putFile(to, 'plain', plain)])).rows);
  for (const name of names.filter((entry) => /xz|lz4/.test(entry))) {
    const bytes = readFileSync(new URL(name, folder));
    let found = 0;
    let tried = 0;
    for (let at = 16; at < bytes.length; at += 7) {
      const bad = Uint8Array.from(bytes);
      bad[at] ^= 0x55;
      const { rows, source } = await readAll([putFile(to, 'bad', bad)]);
      tried++;
      if (source.damage.length > 0) found++;
      else assert.deepEqual(bare(rows), expected, `${name}: byte ${at}`);
    }
    assert.ok(found > tried * 0.8, `${name}: ${found} of ${tried}`);
  }
});

test('streams that follow each other are one', async (t) => {
  const to = temporaryFolder(t);
  const twice = await readAll([putFile(to, 'plain', concatenate(plain, plain))]);
  for (const [name, padding] of [
    ['sixty.pcap.xz', 8],
    ['sixty.pcap.lz4', 0],
    ['sixty.pcap.gz', 0],
    ['sixty.pcap.zst', 0],
  ] as const) {
    const one = readFileSync(new URL(name, folder));
    const { rows, source } = await readAll([putFile(to, 'two', concatenate(one, new Uint8Array(padding), one))]);
    // The second file header reads as a record, and what follows as rubbish: but as the same rubbish.
    assert.deepEqual(bare(rows), bare(twice.rows), name);
    assert.equal(source.damage[0].offset, twice.source.damage[0].offset, name);
  }
});
