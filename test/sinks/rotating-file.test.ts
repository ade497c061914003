import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { RotatingFile } from '../../src/sinks/rotating-file.ts';

const root = mkdtempSync(join(tmpdir(), 'nametap-rotating-'));
after(() => rmSync(root, { recursive: true }));
let folders = 0;
const newFolder = (): string => join(root, String(++folders), 'of', 'its', 'own');

const FOREVER = { sizeBytes: 1e9, ageMs: Number.POSITIVE_INFINITY, keep: 100 };
const bytes = (text: string): Uint8Array => Buffer.from(text);
/** A clock that is set by hand. */
const clock = { time: Date.UTC(2026, 10, 24, 12), now: () => clock.time };

test('a full file is renamed; all lines are there once, in order, and only so many files are kept', async () => {
  const folder = newFolder();
  const file = new RotatingFile(join(folder, 'a.ndjson'), { ...FOREVER, sizeBytes: 100 }, clock);
  for (let i = 0; i < 40; i++) file.write(bytes(`line ${String(i).padStart(4, '0')}\n`));
  await file.close();
  const names = readdirSync(folder);
  assert.equal(names.length, 4);
  assert.ok(
    names.includes('a-20261124T120000Z.ndjson') && names.includes('a-20261124T120000Z-3.ndjson'),
    String(names),
  );
  const ordered = [
    'a-20261124T120000Z.ndjson',
    'a-20261124T120000Z-2.ndjson',
    'a-20261124T120000Z-3.ndjson',
    'a.ndjson',
  ];
  const lines = ordered.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
  assert.equal(lines, Array.from({ length: 40 }, (_, i) => `line ${String(i).padStart(4, '0')}\n`).join(''));

  const fewer = new RotatingFile(join(folder, 'a.ndjson'), { ...FOREVER, sizeBytes: 100, keep: 2 }, clock);
  for (let i = 0; i < 40; i++) fewer.write(bytes(`more ${String(i).padStart(4, '0')}\n`));
  await fewer.close();
  assert.deepEqual(readdirSync(folder).length, 3);
  assert.match(readFileSync(join(folder, 'a.ndjson'), 'utf8'), /more 0039\n$/);
});

test('an old file is renamed with the next write, other files of the folder are left alone', async () => {
  const folder = newFolder();
  const file = new RotatingFile(join(folder, 'a.log'), { ...FOREVER, ageMs: 60_000, keep: 0 }, clock);
  writeFileSync(join(folder, 'a-notes.log'), 'mine');
  writeFileSync(join(folder, 'a-20261124T120000Z.txt'), 'mine');
  file.write(bytes('one\n'));
  clock.time += 59_000;
  file.write(bytes('two\n'));
  clock.time += 1000;
  file.write(bytes('three\n'));
  await file.close();
  assert.equal(readFileSync(join(folder, 'a.log'), 'utf8'), 'three\n');
  assert.deepEqual(readdirSync(folder).sort(), ['a-20261124T120000Z.txt', 'a-notes.log', 'a.log']);
});

test('every file begins and ends as its format wants, also after a restart', async () => {
  const folder = newFolder();
  const hooks = { ...clock, begin: () => bytes('head\n'), end: () => bytes('end\n') };
  const path = join(folder, 'a.csv');
  const file = new RotatingFile(path, FOREVER, hooks);
  assert.equal(readFileSync(path, 'utf8'), '', 'nothing without rows');
  file.write(bytes('1\n'));
  file.rotate();
  file.write(bytes('2\n'));
  await file.close();
  const [old] = readdirSync(folder).filter((name) => name !== 'a.csv');
  assert.equal(readFileSync(join(folder, old), 'utf8'), 'head\n1\nend\n');
  assert.equal(readFileSync(path, 'utf8'), 'head\n2\nend\n');
  const again = new RotatingFile(path, FOREVER, { ...clock, begin: () => bytes('head\n') });
  again.write(bytes('3\n'));
  await again.close();
  assert.equal(readFileSync(path, 'utf8'), 'head\n2\nend\n3\n');
});

test('old files are compressed, and hold the same', async () => {
  for (const [compress, extension, plain] of [
    ['gzip', '.gz', gunzipSync],
    ['zstd', '.zst', zstdDecompressSync],
  ] as const) {
    const folder = newFolder();
    const file = new RotatingFile(join(folder, 'a.ndjson'), { ...FOREVER, keep: 2, compress }, clock);
    for (const text of ['one\n', 'two\n', 'three\n', 'four\n']) {
      file.write(bytes(text));
      file.rotate();
    }
    await file.close();
    const names = readdirSync(folder).sort();
    assert.deepEqual(
      names.map((name) => name.replace(/^.*Z/, 'Z')),
      [`Z-3.ndjson${extension}`, `Z-4.ndjson${extension}`, 'a.ndjson'],
    );
    assert.deepEqual(
      names.slice(0, 2).map((name) => plain(readFileSync(join(folder, name))).toString()),
      ['three\n', 'four\n'],
    );
  }
});

test('after a file was moved away it goes on in a new one when told', async () => {
  const folder = newFolder();
  const path = join(folder, 'a.log');
  const file = new RotatingFile(path, FOREVER);
  file.write(bytes('1\n'));
  renameSync(path, join(folder, 'moved'));
  file.write(bytes('2\n'));
  assert.ok(!existsSync(path));
  file.reopen();
  file.write(bytes('3\n'));
  await file.close();
  assert.equal(readFileSync(join(folder, 'moved'), 'utf8'), '1\n2\n');
  assert.equal(readFileSync(path, 'utf8'), '3\n');
});

test('a file that cannot be opened again ends nothing, and is written as soon as it can be', async () => {
  const folder = join(newFolder(), 'logs');
  const path = join(folder, 'a.log');
  const failures: string[] = [];
  const file = new RotatingFile(path, FOREVER, { ...clock, failed: ({ message }) => failures.push(message) });
  file.write(bytes('1\n'));
  renameSync(folder, `${folder}-moved`);
  writeFileSync(folder, 'no folder');
  file.reopen();
  file.reopen();
  assert.equal(failures.length, 2);
  assert.match(failures[0], /^Cannot open .*a\.log: /);
  assert.throws(() => file.write(bytes('2\n')), /Cannot open/);
  rmSync(folder);
  file.write(bytes('3\n'));
  await file.close();
  assert.equal(readFileSync(path, 'utf8'), '3\n');
  assert.equal(readFileSync(join(`${folder}-moved`, 'a.log'), 'utf8'), '1\n');
});

test('a file that was removed begins again', async () => {
  const folder = newFolder();
  const path = join(folder, 'a.log');
  const failures: string[] = [];
  const rules = { ...FOREVER, sizeBytes: 10 };
  const file = new RotatingFile(path, rules, { ...clock, failed: ({ message }) => failures.push(message) });
  file.write(bytes('first....\n'));
  rmSync(path);
  file.write(bytes('second...\n'));
  assert.equal(readFileSync(path, 'utf8'), 'second...\n');
  await file.close();
  assert.deepEqual(failures, []);
});

test('what cannot be opened is said in a sentence', () => {
  const inTheWay = join(newFolder(), '..');
  new RotatingFile(join(inTheWay, 'file'), FOREVER).write(bytes('x'));
  assert.throws(() => new RotatingFile(join(inTheWay, 'file', 'a.log'), FOREVER), /^UserError: Cannot open .*a\.log: /);
  assert.throws(
    () => new RotatingFile('/dev/full', FOREVER).write(bytes('x')),
    /Cannot write \/dev\/full: the disk is full/,
  );
});
