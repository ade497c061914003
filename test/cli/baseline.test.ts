import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BaselineKeeper } from '../../src/app/baseline-keeper.ts';
import { judgeOf } from '../../src/app/judging.ts';
import { loadConfig } from '../../src/app/config.ts';
import { Baseline } from '../../src/baseline/baseline.ts';
import { openStore } from '../../src/store/open.ts';
import { batchesOf } from '../../src/rr/batch-writer.ts';
import { exchange } from '../detect/run.ts';
import { nametap } from './nametap.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-baseline-cli-'));
let good = '';

before(async () => {
  await (await openStore({ path: join(folder, 'store') })).close();
  const { config } = loadConfig({ environment: {}, file: '/dev/null' });
  const baseline = new Baseline();
  const judge = judgeOf(config.detect, { networks: [], resolvers: [], raise: () => {}, baseline, only: ['OPS-DRIFT'] });
  const show = (from: number, latencyMs: number) => {
    const rows = Array.from({ length: 600 }, (_, i) => exchange(from + i, { latencyMs }));
    for (const batch of batchesOf(rows)) judge.rows(batch, 0, batch.count);
  };
  const keeper = new BaselineKeeper(baseline, join(folder, 'baseline'));
  show(0, 4);
  good = keeper.snapshot().name;
  // What came after that day is what nobody wants to be usual.
  show(3600, 900);
  keeper.save();
});
after(() => rmSync(folder, { recursive: true }));

const run = (...words: string[]) => nametap(['baseline', ...words, '--data', folder]);

function samples(): number {
  const { code, out, err } = run('list', '--json');
  assert.equal(code, 0, err);
  const rows = JSON.parse(out) as { key: string; samples: number }[];
  return rows.find(({ key }) => key === '10.0.0.53')?.samples ?? 0;
}

test('baseline: what a bad week has taught is taken back', () => {
  const taught = samples();
  const shown = run('show', '10.0.0.53');
  assert.match(shown.out, /10\.0\.0\.53, as server/, shown.err);
  assert.match(run('snapshots').out, new RegExp(good));
  const rolled = run('rollback', good);
  assert.equal(rolled.code, 0, rolled.err);
  assert.match(rolled.out, new RegExp(`What was usual at ${good} is what is usual again`));
  const left = samples();
  assert.ok(left < taught, `${taught} samples, then ${left}`);
});

test('baseline: a snapshot that is not there changes nothing', () => {
  const known = samples();
  const { code, err } = run('rollback', '2020-01-01T00-00-00');
  assert.notEqual(code, 0);
  assert.match(err, new RegExp(`The snapshot 2020-01-01T00-00-00 cannot be used.*There are.*${good}`));
  assert.match(run('rollback', '../baseline').err, /is no snapshot/);
  assert.match(run('rollback').err, /Say what to do/);
  assert.equal(samples(), known);
});
