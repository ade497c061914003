import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/app/config.ts';
import { judgeOf, type JudgingContext } from '../../src/app/judging.ts';
import { batchesOf } from '../../src/rr/batch-writer.ts';
import { exchange } from './run.ts';

test('a detector that cannot work here is off, and says why', () => {
  const { config } = loadConfig({ environment: {}, file: '/dev/null' });
  const offOf = (context: Partial<JudgingContext>) => {
    const { states } = judgeOf(config.detect, { networks: [], resolvers: [], raise: () => {}, ...context });
    return new Map(states.filter(({ isOn }) => !isOn).map(({ id, reason }) => [id, reason]));
  };
  assert.deepEqual(offOf({}), new Map());
  const atClients = 'It works at a resolver or at an authority; this sensor stands before a resolver.';
  assert.deepEqual(offOf({ vantage: 'client' }), new Map([['OPS-LAME', atClients]]));
  assert.deepEqual([...offOf({ vantage: 'authority' }).keys()], ['DGA-NX', 'BEACON']);
  const hidden = offOf({ lacks: ['names'] });
  assert.equal(hidden.get('TUN-BYTES'), 'The privacy level hides names, which it needs.');
  assert.equal(hidden.has('FLOOD-NX'), false, 'it needs clients only');
  assert.equal(offOf({ lacks: ['clients'] }).get('FLOOD-NX'), 'The privacy level hides clients, which it needs.');
});

test('what every bounded table holds is counted, without its owner handing it in', () => {
  const { config } = loadConfig({ environment: {}, file: '/dev/null' });
  const judge = judgeOf(config.detect, { networks: [], resolvers: [], raise: () => {} });
  const exchanges = Array.from({ length: 50 }, (_, i) => exchange(i, { name: `www.d${i}.example`, type: 'A' }));
  for (const batch of batchesOf(exchanges)) judge.rows(batch, 0, batch.count);
  const counts = new Map(judge.counts().map((one) => [one.name, one]));
  assert.deepEqual(counts.get('domains'), { name: 'domains', used: 50, limit: 32_768, evicted: 0 });
  assert.deepEqual(counts.get('hosts'), { name: 'hosts', used: 2, limit: 32_768, evicted: 0 });
  assert.equal(counts.get('NEW-DOM')?.used, 50);
  assert.equal(counts.get('baseline zones')?.evicted, 0);
  for (const { name, used, limit } of counts.values()) assert.ok(used <= limit && limit > 0, name);
});
