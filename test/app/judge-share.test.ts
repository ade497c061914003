import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JudgeShare } from '../../src/app/judge-share.ts';
import { batchesOf } from '../../src/rr/batch-writer.ts';

test('fewer clients are looked at while judging takes too long, and all again when it does not', () => {
  const share = new JudgeShare();
  const step = (busy: number) => {
    share.note(busy * 1000);
    return share.decide(1000);
  };
  assert.equal(step(0.4), false);
  assert.equal(share.oneIn, 1);
  assert.equal(step(0.9), true);
  assert.equal(step(0.6), true);
  assert.equal(share.oneIn, 4);
  assert.equal(step(0.3), false, 'neither too much nor calm');
  for (let i = 0; i < 20; i++) step(2);
  assert.equal(share.oneIn, 64);
  for (let i = 0; i < 20; i++) step(0.01);
  assert.equal(share.oneIn, 1);
});

test('of a client everything is looked at, or nothing', () => {
  const share = new JudgeShare();
  const rows = Array.from({ length: 400 }, (_, i) => ({
    time: 1_760_000_000 + i,
    client: `10.0.${i % 100}.7`,
    server: '10.0.0.53',
    name: `n${i}.example.com`,
    latencyMs: 1,
  }));
  const [batch] = batchesOf(rows);
  const seen = () => Array.from({ length: batch.count }, (_, i) => share.has(batch, i));
  assert.ok(seen().every(Boolean));
  share.oneIn = 4;
  const some = seen();
  const kept = some.filter(Boolean).length;
  assert.ok(kept > 40 && kept < 200, `${kept} of 400`);
  for (let i = 100; i < 400; i++) assert.equal(some[i], some[i % 100]);
});
