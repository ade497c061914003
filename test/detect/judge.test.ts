import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadConfig } from '../../src/app/config.ts';
import { judgeOf, Judging, type JudgingContext } from '../../src/app/judging.ts';
import type { Config } from '../../src/app/settings.ts';
import type { Finding } from '../../src/core/alert.ts';
import { batchesOf } from '../../src/rr/batch-writer.ts';
import type { Exchange } from '../../src/rr/exchange.ts';
import { flood } from './flood.ts';
import { exchange } from './run.ts';

/** Settings of detectors by key, over the defaults. */
function detect(limits: Record<string, object>, more: Partial<Config['detect']> = {}): Config['detect'] {
  const { config } = loadConfig({
    environment: {},
    flags: { 'detect-detectors': JSON.stringify(limits) },
    file: '/dev/null',
  });
  return { ...config.detect, ...more };
}

test('a detector that cannot work here is off, and says why', () => {
  const { config } = loadConfig({ environment: {}, file: '/dev/null' });
  const offOf = (context: Partial<JudgingContext>) => {
    const { states } = judgeOf(config.detect, { networks: [], resolvers: [], raise: () => {}, ...context });
    return new Map(states.filter(({ isOn }) => !isOn).map(({ id, reason }) => [id, reason]));
  };
  assert.deepEqual(offOf({}), new Map());
  const atClients = 'It works at a resolver or at an authority; this sensor stands before a resolver.';
  assert.deepEqual(offOf({ vantage: 'client' }), new Map([['OPS-LAME', atClients]]));
  assert.deepEqual([...offOf({ vantage: 'authority' }).keys()], ['DGA-NX', 'BEACON', 'SURPRISE']);
  const hidden = offOf({ lacks: ['names'] });
  assert.equal(hidden.get('TUN-BYTES'), 'The privacy level hides names, which it needs.');
  assert.equal(hidden.has('FLOOD-NX'), false, 'it needs clients only');
  assert.match(offOf({ lacks: ['rhythm'] }).get('BEACON') ?? '', /^This capture is played again and again/);
  assert.equal(offOf({ lacks: ['clients'] }).get('FLOOD-NX'), 'The privacy level hides clients, which it needs.');
});

test('detectors whose limits change begin anew, with what they save; the others keep all they know', () => {
  const found: Finding[] = [];
  const raise = (one: Finding) => void found.push(one);
  const judging = new Judging(detect({}), {
    networks: [],
    resolvers: [],
    raise,
    only: ['INTEL', 'RECON', 'NEW-DOM'],
  });
  const show = (exchanges: Exchange[]) => {
    for (const batch of batchesOf(exchanges)) judging.judge.rows(batch, 0, batch.count);
  };
  const transfer = (after: number) => exchange(after, { type: 'AXFR', client: `10.0.1.${after}` });
  show([exchange(0, { name: 'www.known.example' }), transfer(1)]);
  const told = found.length;
  assert.ok(told > 0);
  assert.deepEqual(judging.configure(detect({}), []), [], 'nothing has changed');
  const fresh = judging.configure(detect({ new_dom: { domains: 2000 } }), []);
  assert.deepEqual(fresh, ['NEW-DOM']);
  const saved = judging.judge.save()['NEW-DOM'] as [string, number, number][];
  assert.deepEqual(
    saved.map(([domain]) => domain),
    ['known.example', 'example.com'],
  );
  show([transfer(1)]);
  assert.equal(found.length, told, 'what was told of is not told of again');
  assert.deepEqual(judging.configure(detect({ recon: { enabled: false } }), []), ['NEW-DOM']);
  assert.match(judging.judge.states.find(({ id }) => id === 'RECON')?.reason ?? '', /switched off/);
  show([transfer(2)]);
  assert.equal(found.length, told, 'it is off');
  judging.configure(detect({}, { allow: ['example.com'] }), []);
  show([transfer(3)]);
  assert.equal(found.length, told, 'it is allowed');
  judging.configure(detect({}), []);
  show([transfer(4)]);
  assert.ok(found.length > told);
  assert.throws(() => judging.configure(detect({ intel: { lists: ['/nowhere/list'] } }), []), /cannot be read/);
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

test('configured again and again: what detectors kept that are gone is let go', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const used = () => {
    // What one collection has freed of array buffers is given back by the next.
    gc();
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 2 ** 20;
  };
  const judging = new Judging(detect({}), { networks: [], resolvers: [], raise: () => {} });
  const { judge } = judging;
  flood(judge, 24_000);
  const tunnels = () => judge.counts().find(({ name }) => name.includes('TUN-*'));
  assert.ok((tunnels()?.used ?? 0) > 0);
  const before = used();
  for (let round = 0; round < 12; round++) {
    const on = { enabled: round % 2 === 1 };
    const sets = { flux: on, beacon: on, surprise: on, tun_down: on, flood_rsd: on, recon: on, rebind: on, amp: on };
    judging.configure(detect({ ...sets, tun_bytes: on, tun_shape: on }), []);
    const broken = detect({ flux: { networks: 11 }, intel: { lists: ['/nowhere/list'] } });
    assert.throws(() => judging.configure(broken, []), /cannot be read/);
    if (!on.enabled) assert.equal(tunnels(), undefined);
  }
  assert.equal(tunnels()?.used, 0, 'they begin anew');
  flood(judge, 24_000);
  const more = used() - before;
  assert.ok(more < 12, `${more.toFixed(1)} MiB more`);
});
