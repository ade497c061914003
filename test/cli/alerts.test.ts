import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AlertBook } from '../../src/alerts/book.ts';
import { openStore } from '../../src/store/open.ts';
import { finding } from '../alerts/findings.ts';
import { nametap } from './nametap.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-alerts-cli-'));
const NOW = Math.floor(Date.now() / 1000);
const ids: string[] = [];

before(async () => {
  const store = await openStore({ path: join(folder, 'store') });
  const book = new AlertBook({ records: store.records });
  book.raise(finding({ time: NOW - 100 }));
  book.raise(finding({ time: NOW - 50, domain: 'other.example', severity: 'low' }));
  await book.flush();
  ids.push(...book.incidents().map(({ id }) => id));
  await store.close();
});
after(() => rmSync(folder, { recursive: true }));

const run = (...words: string[]) => nametap(['alerts', ...words, '--data', folder]);

test('alerts: list, show, act by a short id, undo', () => {
  const short = ids[0].slice(0, 8);
  const listed = run('list');
  assert.equal(listed.code, 0, listed.err);
  assert.match(
    listed.out,
    new RegExp(`^${short} .* high .* TUN-BYTES +4\\.1 kB of names under evil\\.example in 12 s$`, 'm'),
  );
  assert.equal(run('list', '--severity', 'high').out.trim().split('\n').length, 2);

  const shown = run('show', short);
  assert.match(shown.out, /distinct sub-name bytes per hour 4,?100 B, limit 1,?024 B/);
  assert.match(shown.out, /0000000000000001 .* a\.evil\.example TXT/);

  assert.match(run('mute', short, '--for', '8h', 'known', 'backup').out, /is muted/);
  assert.doesNotMatch(run('list').out, new RegExp(short));
  assert.match(run('list', '--state', 'muted').out, new RegExp(short));
  assert.match(run('undo', short).out, /as it was before/);
  assert.match(run('note', short, 'asked').out, /is noted/);
  const [one] = JSON.parse(run('list', '--json', '--severity', 'high').out) as { id: string; state: string }[];
  assert.deepEqual([one.id, one.state], [ids[0], 'open']);
  assert.match(run('show', short).out, /undo .*mute[\s\S]*note +asked/);
});

test('alerts: mistakes are told', () => {
  for (const [words, message] of [
    [['explode', ids[0]], /Say what to do/],
    [['show'], /Say what to do/],
    [['show', 'zz'], /no id of an alert/],
    [['show', 'ffffffff'], /no alert ffffffff/],
    [['mute', ids[0], '--for', 'long'], /is no time/],
    [['note', ids[0]], /needs a text/],
  ] as const) {
    const { code, err } = run(...words);
    assert.notEqual(code, 0);
    assert.match(err, message);
  }
});
