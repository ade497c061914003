import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadConfig } from '../../src/app/config.ts';
import { judgeOf } from '../../src/app/judging.ts';
import { flood } from './flood.ts';

const ROWS = 240_000;
/** Of the whole judge, baselines too, however many names there are. */
const MOST_MIB = 130;

test('a flood of unique names: memory stops growing, and what is given up is counted', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const used = () => {
    // What one collection has freed of array buffers is given back by the next.
    gc();
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 2 ** 20;
  };
  const { config } = loadConfig({ environment: {}, file: '/dev/null' });
  const judge = judgeOf(config.detect, { networks: [], resolvers: [], raise: () => {} });
  const before = used();
  let full = 0;
  flood(judge, ROWS, (judged) => {
    if (full === 0 && judged > ROWS / 2) full = used() - before;
  });
  const end = used() - before;
  assert.ok(end < MOST_MIB, `${end.toFixed(0)} MiB`);
  assert.ok(end < full * 1.35, `${full.toFixed(0)} MiB, then ${end.toFixed(0)}`);
  const counts = judge.counts();
  for (const { name, used: n, limit } of counts) assert.ok(n <= limit, `${name}: ${n} of ${limit}`);
  const evicted = new Map(counts.map((one) => [one.name, one.evicted]));
  for (const name of ['hosts', 'domains', 'NEW-DOM', 'FLOOD-RSD']) {
    assert.ok((evicted.get(name) ?? 0) > 0, `${name} gave something up`);
  }
});
