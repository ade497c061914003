import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixture } from './fixture.ts';
import { countBand, isOutside, LikeHours, ratioBand, usualOver } from '../../src/server/bands.ts';
import { BaselineKeeper } from '../../src/app/baseline-keeper.ts';
import { Baseline } from '../../src/baseline/baseline.ts';
import type { Baselines } from '../../src/core/usual.ts';
import { type UsualNumbers, withExpected } from '../../src/server/usual.ts';
import { moversOf } from '../../src/server/movers.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A Thursday midnight. */
const START = 1_764_806_400_000 - (1_764_806_400_000 % DAY);

test('a band is hidden until three like hours are known', () => {
  const hours = (days: number) =>
    new LikeHours(Array.from({ length: days }, (_, i) => ({ time: START - (i + 1) * DAY, value: 100 + i })));
  assert.equal(hours(2).at(START), null);
  assert.deepEqual(hours(3).at(START), { median: 101, sigma: 1.4826 });
  assert.equal(hours(3).at(START + HOUR), null, 'another hour of the day is not alike');
});

test('the same hour of the week comes before the same hour of the day', () => {
  const daily = Array.from({ length: 21 }, (_, i) => ({
    time: START - (i + 1) * DAY,
    value: (i + 1) % 7 === 0 ? 10 : 100,
  }));
  const like = new LikeHours(daily);
  assert.equal(like.at(START)?.median, 10, 'three Thursdays are known');
  assert.equal(like.at(START + DAY)?.median, 100);
});

test('over several hours what is usual is their mean, and unknown when one of them is', () => {
  const hours = [0, 1].flatMap((hour) =>
    [1, 2, 3].map((day) => ({ time: START - day * DAY + hour * HOUR, value: hour === 0 ? 100 : 300 })),
  );
  const like = new LikeHours(hours);
  assert.equal(usualOver(like, START, START + 2 * HOUR)?.median, 200);
  assert.equal(usualOver(like, START + HOUR / 2, START + HOUR + HOUR / 2)?.median, 200);
  assert.equal(usualOver(like, START, START + 3 * HOUR), null);
});

test('bands leave room for chance', () => {
  const usual = { median: 3600, sigma: 0 };
  const minute = countBand(usual, 1 / 60);
  assert.ok(!isOutside(60 + 3 * Math.sqrt(60), minute) && isOutside(60 + 5 * Math.sqrt(60), minute));
  const { low, high } = ratioBand({ median: 0.05, sigma: 0.001 }, 10_000);
  assert.ok(low > 0.03 && high < 0.07);
  assert.ok(ratioBand({ median: 0.05, sigma: 0.001 }, 10).high > 0.3, 'of ten transactions a share says little');
  assert.equal(isOutside(null, { low: 0, high: 1 }), false);
  assert.equal(isOutside(5, null), false);
});

test('movers are in order of change, not of volume', () => {
  const rows = (counts: Record<string, number>) => Object.entries(counts).map(([key, count]) => ({ key, count }));
  const now = { rows: rows({ big: 10_050, burst: 900, fresh: 200, steady: 50, few: 5 }), floor: 0 };
  const before = { rows: rows({ big: 240_000, burst: 240, steady: 1200, gone: 12_000 }), floor: 0 };
  const movers = moversOf(now, before, 1 / 24, (key) => `f ${key}`);
  assert.deepEqual(
    movers.map(({ key }) => key),
    ['burst', 'fresh', 'gone'],
  );
  assert.deepEqual(movers[0], { key: 'burst', now: 900, usual: 10, change: 89, f: 'f burst' });
  assert.deepEqual([movers[1].usual, movers[1].change], [0, null], 'what was never seen has no rate of change');
  assert.deepEqual([movers[2].now, movers[2].change], [0, -1]);
});

test('a key below the table of the time before is not called new', () => {
  const now = { rows: [{ key: 'middling', count: 40 }], floor: 0 };
  const before = { rows: [{ key: 'top', count: 1000 }], floor: 960 };
  assert.deepEqual(
    moversOf(now, before, 1 / 24, (key) => key).map(({ key }) => key),
    ['top'],
  );
});

test('hours that are not over are expected as the baseline says, others as like hours were', () => {
  const like = new LikeHours([1, 2, 3].map((day) => ({ time: START - day * DAY, value: 100 })));
  const hours: UsualNumbers = {
    transactions: like,
    nxdomain_ratio: like,
    servfail_ratio: like,
    unanswered_ratio: like,
    latency_p50: like,
    latency_p95: like,
    latency_p99: like,
    clients: like,
  };
  const asked: number[] = [];
  const expected: Baselines['expected'] = (series, hour) => {
    asked.push(hour);
    return series === 'transactions' && hour === START / HOUR ? { level: 250, sigma: 5 } : null;
  };
  const baselines = new BaselineKeeper(new Baseline(), 'nowhere');
  const usual = withExpected(hours, Object.assign(baselines, { expected }));
  assert.deepEqual(usual.transactions.at(START + 17), { median: 250, sigma: 5 });
  assert.equal(usual.transactions.at(START - 7 * DAY)?.median, 100);
  assert.equal(usual.nxdomain_ratio.at(START)?.median, 100, 'while it warms up');
  assert.equal(usual.clients.at(START)?.median, 100);
  assert.equal(asked.length, 3);
  assert.equal(withExpected(hours, null), hours);
});

test('the API goes back to what was usual: for operators, and said to the audit log', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-usual-'));
  const baseline = new Baseline();
  const f = await fixture({ baselines: new BaselineKeeper(baseline, folder) });
  t.after(async () => {
    await f.close();
    rmSync(folder, { recursive: true });
  });
  const made = await f.send('POST', '/api/v1/baseline/snapshots');
  assert.equal(made.status, 201);
  const { name } = (await made.json()) as { name: string };
  baseline.tick(1_760_000_400);
  assert.equal((await f.send('POST', '/api/v1/baseline/rollback', { name })).status, 204);
  const unknown = await f.send('POST', '/api/v1/baseline/rollback', { name: '2020-01-01T00-00-00' });
  assert.equal(unknown.status, 409);
  assert.match(((await unknown.json()) as { detail: string }).detail, /cannot be used.*There are/);
  assert.equal((await f.send('POST', '/api/v1/baseline/rollback', { name: '' })).status, 400);
  const stranger = await fetch(`${f.server.url}/api/v1/baseline/rollback`, { method: 'POST', body: '{}' });
  assert.equal(stranger.status, 401);
});
