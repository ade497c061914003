import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { BlockPreview } from '../../src/server/schema/blocks.ts';
import { nametap, started } from './nametap.ts';

const data = mkdtempSync(join(tmpdir(), 'nametap-block-'));
const list = join(data, 'list');
const actions = JSON.stringify({ office: { type: 'file', path: list, format: 'domains' } });
const serve = started([
  'serve',
  '--data',
  data,
  '--listen',
  '127.0.0.1:0',
  '--user',
  'root',
  '--demo',
  'on',
  '--block-actions',
  actions,
]);
const block = (...words: string[]) => nametap(['block', ...words, '--data', data]);

before(() => serve.until('#token='));
after(async () => {
  serve.child.kill('SIGTERM');
  await serve.ended;
  rmSync(data, { recursive: true });
});

test('nametap block adds, lists, undoes and flushes', () => {
  const added = block('add', '*.Evil.example', '--for', '2h', '--reason', 'ticket 4711');
  assert.equal(added.code, 0, added.err);
  assert.match(added.out, /^evil\.example is blocked until \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\.\n$/);
  block('add', '10.0.0.7', '--kind', 'client');
  assert.match(readFileSync(list, 'utf8'), /^evil\.example$/m);
  const { out } = block('list');
  assert.match(out, /^blocked +kind +until +by +why$/m);
  assert.match(out, /^evil\.example +domain +\S+ \S+Z +operator +ticket 4711$/m);
  const rows = JSON.parse(block('list', '--json').out) as { value: string; kind: string }[];
  assert.deepEqual(rows.map(({ value }) => value).sort(), ['10.0.0.7', 'evil.example']);
  assert.equal(block('undo', 'evil.example').out, 'evil.example is not blocked any more.\n');
  assert.equal(block('flush').out, '1 block has ended.\n');
  assert.equal(block('list').out, '');
});

test('nametap block add --dry-run says what would happen, and does nothing', () => {
  const { out, err } = block('add', 'evil.example', '--for', '30m', '--dry-run');
  assert.equal(out, 'evil.example would be blocked for 30 min by office.\n');
  assert.match(err, /a detector would not \(one signal\): No detector speaks against it\./);
  assert.match(block('add', 'com', '--dry-run').out, /^com would not be blocked: It is a top-level domain/);
  const preview = JSON.parse(block('add', 'evil.example', '--dry-run', '--json').out) as BlockPreview;
  assert.deepEqual([preview.seconds, preview.refused, preview.block], [3600, null, null]);
  assert.equal(block('list').out, '');
});

test('nametap block says why something is never blocked, and what it wants', () => {
  const never = block('add', 'com');
  assert.equal(never.code, 1);
  assert.match(never.err, /com is never blocked: It is a top-level domain/);
  assert.match(block('add', '10.0.0.7').err, /a private address; as a client \(kind client\) it may be blocked/);
  assert.match(block('undo', 'other.example').err, /'other\.example' is not blocked/);
  assert.match(block('add', 'evil.example', '--for', 'soon').err, /soon is no time/);
  for (const words of [[], ['explode'], ['add'], ['list', 'x'], ['undo', 'a', 'b']]) {
    const { code, err } = block(...words);
    assert.equal(code, 1, words.join(' '));
    assert.match(err, /Say what to do: nametap block list/);
  }
});

test('nametap block report says what would have been', () => {
  const { code, err } = block('report');
  assert.equal(code, 0);
  assert.match(err, /no detector may block \(enforce is off\)/);
  assert.match(err, /office: 0 of 0 blocks/);
  const report = JSON.parse(block('report', '--json').out) as { breaker: null; actions: { name: string }[] };
  assert.deepEqual([report.breaker, report.actions.map(({ name }) => name)], [null, ['office']]);
  assert.equal(block('resume').out, 'Detectors may block again.\n');
});
