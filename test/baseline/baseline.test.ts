import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DomainSet } from '../../src/detect/domain-set.ts';
import { deserialize, serialize } from 'node:v8';
import { BaselineKeeper } from '../../src/app/baseline-keeper.ts';
import { Baseline } from '../../src/baseline/baseline.ts';
import { describe, listUsual } from '../../src/baseline/describe.ts';
import { BUCKETS, binomialTail, bucketOf, floorOf, quantile, usualOf, valleyOf } from '../../src/baseline/latency.ts';
import { ModelTable, OWN, SAMPLES } from '../../src/baseline/model-table.ts';
import { clearSeason, learnHour, SEASON_FLOATS, usualAt } from '../../src/baseline/season.ts';
import { BASELINE_DEFAULTS } from '../../src/baseline/settings.ts';
import { TopList } from '../../src/baseline/top-list.ts';
import { Entities } from '../../src/detect/entities.ts';
import { Observation } from '../../src/detect/observation.ts';
import { registrableStart } from '../../src/enrich/public-suffix.ts';
import { batchesOf } from '../../src/rr/batch-writer.ts';
import type { Exchange } from '../../src/rr/exchange.ts';

const START = 1_760_000_400;

function learn(baseline: Baseline, exchanges: readonly Exchange[], limits = { hosts: 16_384, domains: 32_768 }): void {
  const entities = new Entities(registrableStart, new DomainSet([]), limits);
  for (const batch of batchesOf(exchanges)) {
    const seen = new Observation(entities, batch);
    for (let i = 0; i < batch.count; i++) {
      seen.take(batch, i);
      baseline.observe(seen);
    }
  }
}

/** `hours` of a client at a resolver: one answer in four from elsewhere, the others from a cache. */
function traffic(hours: number, each: number, more: (i: number) => Partial<Exchange> = () => ({})): Exchange[] {
  return Array.from({ length: hours * each }, (_, i) => ({
    time: START + (i * 3600) / each,
    client: `10.0.0.${1 + (i % 5)}`,
    server: '10.0.0.53',
    name: `www.site${i % 20}.com`,
    latencyMs: i % 4 === 0 ? 30 + (i % 7) : 1,
    ...more(i),
  }));
}

test('latency: percentiles, floor and the valley between cache and recursion', () => {
  const weights = new Float32Array(BUCKETS);
  for (let i = 0; i < 1000; i++) weights[bucketOf(i % 4 === 0 ? 40 : 0.5)]++;
  const usual = usualOf(weights, 0);
  assert.ok(usual !== null && Math.abs(usual.median / 0.5 - 1) < 0.07);
  assert.ok(Math.abs(usual.p95 / 40 - 1) < 0.07);
  assert.ok(Math.abs(usual.mean - 10.375) < 0.7 && usual.variance > 0);
  const valley = valleyOf(weights, 0);
  assert.ok(valley !== null && valley.at > 0.5 && valley.at < 40);
  assert.ok(Math.abs(valley.share - 0.75) < 0.01);
  assert.ok(Math.abs(floorOf(weights, 0) / 0.5 - 1) < 0.07);
  assert.ok(Number.isNaN(quantile(new Float32Array(BUCKETS), 0, 0.5)));
  assert.ok(binomialTail(20, 100, 0.05) < 1e-4);
  assert.equal(binomialTail(4, 100, 0.05), 1);
});

test('season: an hour is drawn to the same hour of other days until three weeks are known', () => {
  const floats = new Float32Array(SEASON_FLOATS);
  clearSeason(floats, 0);
  assert.equal(usualAt(floats, 0, 5), null);
  learnHour(floats, 0, 5, 100);
  assert.equal(usualAt(floats, 0, 5 + 24)?.level, 100, 'known from the day before');
  for (let week = 0; week < 4; week++) {
    for (let day = 0; day < 7; day++) learnHour(floats, 0, 5 + day * 24 + week * 168, day === 3 ? 10 : 100);
  }
  assert.ok((usualAt(floats, 0, 5 + 3 * 24, 4)?.level ?? 100) < 40);
  assert.ok((usualAt(floats, 0, 5 + 3 * 24, 0)?.level ?? 0) > 60);
});

test('model table: a flood of new keys pushes out nothing that was learnt', () => {
  const table = new ModelTable(100, { doubles: OWN, floats: 2, ints: 1 });
  for (let i = 0; i < 50; i++) table.doubles[table.take(`known${i}`, 1) * OWN + SAMPLES] = 500;
  for (let i = 0; i < 10_000; i++) {
    if (table.admits(2, 2 + i)) table.doubles[table.take(`new${i}`, 2 + i) * OWN + SAMPLES] = 1;
  }
  assert.ok(table.size <= 100);
  assert.ok(table.evicted > 0);
  for (let i = 0; i < 50; i++) assert.ok(table.find(`known${i}`) >= 0);
  const id = table.idOf(table.find('known7'));
  assert.equal(table.keyOf(id), 'known7');
});

test('top list: the frequent ones stay, and fade', () => {
  const list = new TopList<string>(3);
  for (let i = 0; i < 100; i++) {
    list.add('a');
    list.add(`rare${i}`);
  }
  assert.equal(list.top(1)[0].key, 'a');
  list.fade(0.5);
  assert.ok(list.total <= 100);
});

test('baseline: what is usual for a resolver, a client and a domain, in words and numbers', () => {
  const baseline = new Baseline();
  learn(baseline, traffic(30, 300));
  const [server] = describe(baseline, '10.0.0.53');
  assert.equal(server.kind, 'server');
  assert.ok(server.isWarm);
  assert.ok(server.cache !== null && Math.abs(server.cache.share - 0.75) < 0.05);
  assert.match(server.words.join(' '), /come from a cache/);
  assert.ok(server.rate !== null && Math.abs(server.rate.level - 300) < 30);
  const aWeek = new Baseline();
  learn(
    aWeek,
    traffic(170, 120, (i) => ({ latencyMs: Math.floor(i / 120) === 1 ? 80 : 5 })),
  );
  assert.match(
    describe(aWeek, '10.0.0.53')[0].words.join(' '),
    /At this hour of the week half of the answers come within (7\d|8\d)(\.\d)? ms/,
  );
  const [client] = describe(baseline, '10.0.0.1');
  assert.match(client.words.join(' '), /It asks 10\.0\.0\.53 \(100\.0 %\)/);
  const [domain] = describe(baseline, 'site3.com');
  assert.equal(domain.kind, 'domain');
  assert.match(describe(baseline, '*')[0].words[0], /^All traffic has been known for 1 d/);
  assert.deepEqual(describe(baseline, 'unknown.org'), []);
  assert.deepEqual(
    listUsual(baseline, 'server', 5).map(({ key }) => key),
    ['10.0.0.53'],
  );
});

test('baseline: one client is only ever part of what is usual, and alarms are not learnt', () => {
  const loud = new Baseline({ ...BASELINE_DEFAULTS, votes: 50 });
  learn(
    loud,
    traffic(1, 5000, () => ({ client: '10.0.0.9' })),
  );
  const [server] = describe(loud, '10.0.0.53');
  assert.ok(server.samples < 500, `${server.samples} of 5000`);
  const quiet = new Baseline();
  learn(quiet, traffic(2, 600));
  const before = describe(quiet, '10.0.0.53')[0].latency?.n ?? 0;
  quiet.mute({ server: '10.0.0.53' });
  learn(
    quiet,
    traffic(1, 600, (i) => ({ time: START + 7200 + i * 2, latencyMs: 900 })),
  );
  const after = describe(quiet, '10.0.0.53')[0].latency?.n ?? 0;
  assert.ok(after - before < 400, 'half an hour was not learnt');
});

test('baseline: saved, restored, kept as a snapshot and gone back to', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-baseline-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const baseline = new Baseline();
  learn(baseline, traffic(30, 300));
  const again = new Baseline();
  assert.equal(again.load(deserialize(serialize(baseline.save()))), true);
  assert.deepEqual(describe(again, '10.0.0.1'), describe(baseline, '10.0.0.1'));
  assert.deepEqual(describe(again, 'site3.com'), describe(baseline, 'site3.com'));
  assert.equal(new Baseline().load({ version: 0 }), false);
  const small = new Baseline({ ...BASELINE_DEFAULTS, domains: 16 });
  learn(small, traffic(2, 300));
  const kept = small.save();
  assert.equal(small.load(baseline.save()), false, 'more domains than fit');
  assert.deepEqual(small.save(), kept, 'nothing of it was taken');
  const keeper = new BaselineKeeper(baseline, join(folder, 'baseline'));
  assert.deepEqual(keeper.snapshots(), []);
  const { name } = keeper.snapshot();
  const before = keeper.show('10.0.0.53');
  learn(
    baseline,
    traffic(3, 600, (i) => ({ time: START + 31 * 3600 + i * 6, latencyMs: 700 })),
  );
  assert.notDeepEqual(keeper.show('10.0.0.53')[0].samples, before[0].samples);
  keeper.rollback(name);
  assert.equal(keeper.show('10.0.0.53')[0].samples, before[0].samples);
  assert.throws(() => keeper.rollback('../etc/passwd'), /is no snapshot/);
  const resumed = new BaselineKeeper(new Baseline(), join(folder, 'baseline'));
  assert.equal(resumed.restore(), undefined);
  assert.equal(resumed.show('10.0.0.53')[0].samples, before[0].samples);
});

test('baseline: a flood of unique names stays below 30 MB and keeps what was learnt', () => {
  const baseline = new Baseline();
  learn(baseline, traffic(2, 600));
  const flood = Array.from({ length: 120_000 }, (_, i) => ({
    time: START + 7200 + i / 1000,
    client: `10.${(i >> 14) & 3}.${(i >> 7) & 127}.${i & 127}`,
    server: `192.0.${(i >> 8) & 15}.${i & 255}`,
    name: `x.flood${i % 60_000}.net`,
    latencyMs: 3,
  }));
  learn(baseline, flood);
  const { clients, servers, zones } = baseline;
  assert.ok(clients.table.size <= 5000 && servers.table.size <= 2000 && zones.table.size <= 20_000);
  assert.ok(baseline.evicted > 0);
  const counts = baseline.counts();
  assert.ok(counts.every(({ used, limit }) => used <= limit));
  assert.equal(
    counts.slice(0, 3).reduce((sum, { evicted }) => sum + evicted, 0),
    baseline.evicted,
  );
  // At the limits of all tables, whatever comes: a table never holds more rows than its capacity.
  const full = [clients.table, servers.table, zones.table].reduce((sum, { capacity, shape }) => {
    return sum + capacity * (shape.doubles * 8 + shape.floats * 4 + shape.ints * 4);
  }, 0);
  assert.ok(full + baseline.ttls.bytes < 30e6, `${(full / 1e6).toFixed(1)} MB`);
  assert.ok(baseline.bytes < 32e6, `${(baseline.bytes / 1e6).toFixed(1)} MB`);
  assert.equal(describe(baseline, 'site3.com').length, 1);
  assert.equal(
    describe(baseline, '10.0.0.1').some(({ kind }) => kind === 'client'),
    true,
  );
});
