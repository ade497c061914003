import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BaselineKeeper } from '../../src/app/baseline-keeper.ts';
import { Baseline } from '../../src/baseline/baseline.ts';
import { ModelTable, OWN } from '../../src/baseline/model-table.ts';
import { exchange, findings } from '../detect/run.ts';

const HOUR = 3600;

test('OPS-DRIFT: what was learnt lately has moved away from what was learnt for days', () => {
  const days = (from: number, to: number, latencyMs: (i: number) => number) =>
    Array.from({ length: (to - from) * 24 * 40 }, (_, i) =>
      exchange(from * 24 * HOUR + i * 90, { client: `10.0.0.${1 + (i % 9)}`, latencyMs: latencyMs(i) }),
    );
  const usual = (i: number) => 5 + (i % 3);
  const only = { only: ['OPS-DRIFT'] };
  assert.deepEqual(findings(days(0, 6, usual), only), [], 'nothing moves');
  const [found] = findings([...days(0, 5, usual), ...days(5, 7, (i) => 60 + (i % 9))], only);
  assert.match(
    found?.title ?? '',
    /^10\.0\.0\.53: half of the answers took [5-7](\.\d+)? ms for weeks, 6\d(\.\d+)? ms/,
  );
  assert.ok(found.score >= 0.4);
});

test('model table: a place comes with the fourth sight, and is kept by its owner', () => {
  const table = new ModelTable(8, { doubles: OWN, floats: 1, ints: 0 });
  const owner = { text: 'a' };
  const hints = [-1];
  for (let i = 0; i < 5; i++) hints.push(table.place(owner, hints[i], 4, i));
  assert.deepEqual(hints, [-1, -2, -3, -4, 0, 0]);
  const again = { text: 'a' };
  let hint = -1;
  for (let i = 0; i < 4; i++) hint = table.place(again, hint, 4, 9);
  assert.equal(hint, 0, 'another object of the same key');
  assert.equal(table.place({ text: 'b' }, -1, 1, 9), 1, 'or with the first, where that is enough');
  for (let i = 0; i < 40; i++) table.place({ text: `new${i}` }, -1, 1, 10);
  assert.ok(table.size <= 8 && table.evicted === 2, 'no more go within a minute');
});

test('snapshots: two weeks of them are kept, the oldest go', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-snapshots-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(folder, { recursive: true });
  for (let day = 1; day <= 20; day++) {
    writeFileSync(join(folder, `2020-01-${String(day).padStart(2, '0')}T00-00-00`), 'x');
  }
  writeFileSync(join(folder, 'notes'), 'x');
  const keeper = new BaselineKeeper(new Baseline(), folder);
  const { name } = keeper.snapshot();
  const names = keeper.snapshots().map((one) => one.name);
  assert.equal(names.length, 14);
  assert.equal(names[0], name);
  assert.equal(names.at(-1), '2020-01-08T00-00-00');
  assert.ok(readdirSync(folder).includes('notes'), 'what is no snapshot stays');
  keeper.rollback(name);
  assert.throws(() => keeper.rollback('2020-01-20T00-00-00'), /cannot be used/, 'one that is broken changes nothing');
});
