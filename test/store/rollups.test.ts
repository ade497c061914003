import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TransactionBatch } from '../../src/core/transactions.ts';
import { openStore } from '../../src/store/open.ts';
import type { Measure, StatisticsQuery, StatisticsRow, Store } from '../../src/store/store.ts';
import { batchesOf, CAPTURES } from './batches.ts';

const HOUR = 3600;
/** Begin of an hour. */
const START = 1_700_000_000 - (1_700_000_000 % HOUR);
const ALL = { from: (START - HOUR) * 1000, to: (START + 12 * HOUR) * 1000 };
/** True of every row, and not answered from rollups. */
const COUNTED = 'dns.flags.response == 0 or dns.flags.response == 1';
const MEASURES: Measure[] = [
  'transactions',
  'queries',
  'nxdomain',
  'errors',
  'query_bytes',
  'response_bytes',
  'truncated',
  'latency',
  'size',
  'ttl',
  'answers',
];

const folder = mkdtempSync(join(tmpdir(), 'nametap-rollups-'));
let store: Store;

/** Rows of the captures, one every `every` seconds from `from` on. */
async function rowsFrom(from: number, every: number, first: number): Promise<TransactionBatch[]> {
  const list: TransactionBatch[] = [];
  let n = 0;
  for (const path of CAPTURES) {
    for (const batch of (await batchesOf(path)).batches) {
      const { openSeconds, lastSeconds, answerSeconds, idHigh } = batch.col;
      for (let i = 0; i < batch.count; i++, n++) {
        const time = from + n * every;
        if (batch.col.responses[i] > 0) answerSeconds[i] += time - openSeconds[i];
        lastSeconds[i] += time - openSeconds[i];
        openSeconds[i] = time;
        idHigh[i] = first + n;
      }
      list.push(batch);
    }
  }
  return list;
}

before(async () => {
  store = await openStore({ path: folder, countedRows: 0, flushMs: 50 });
  const put = async (batches: TransactionBatch[]) => {
    for (const batch of batches) await store.append(batch, { sensor: 'here' }, true);
    await store.flush();
  };
  await put(await rowsFrom(START, 60, 0));
  await store.compact();
  // Late rows of hours that are closed, and rows behind them that no rollup has yet.
  await put(await rowsFrom(START + HOUR, 11, 10_000));
  await store.compact();
  await put(await rowsFrom(START + 6 * HOUR, 7, 20_000));
});
after(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** The same numbers; percentiles within what the histograms of rollups promise. */
function same(found: StatisticsRow[], counted: StatisticsRow[], what: string): void {
  assert.ok(counted.length > 0, what);
  const key = ({ time, domain, client, server, type, rcode }: StatisticsRow) =>
    JSON.stringify([time, domain, client, server, type, rcode]);
  const byKey = new Map(counted.map((row) => [key(row), row]));
  assert.deepEqual(new Set(found.map(key)), new Set(byKey.keys()), what);
  for (const row of found) {
    const other = byKey.get(key(row)) ?? {};
    for (const measure of MEASURES) {
      const a = row[measure];
      const b = other[measure];
      if (typeof a !== 'object' || typeof b !== 'object') {
        assert.equal(a, b, `${what} ${key(row)} ${measure}`);
        continue;
      }
      for (const part of ['n', 'mean', 'variance', 'min', 'max'] as const) {
        assert.equal(a[part], b[part], `${what} ${key(row)} ${measure} ${part}`);
      }
      for (const part of ['p50', 'p95', 'p99'] as const) {
        const [x, y] = [a[part] ?? 0, b[part] ?? 0];
        assert.ok(Math.abs(x - y) <= 0.025 * y + 1e-9, `${what} ${key(row)} ${measure} ${part}: ${x} for ${y}`);
      }
    }
  }
}

const QUESTIONS: Record<string, Partial<StatisticsQuery>> = {
  'the whole range': {},
  'a range with edges': { from: (START + 1234) * 1000, to: (START + 7 * HOUR + 77) * 1000 },
  'hour by hour': { step: HOUR },
  'minute by minute': { step: 60 },
  'by type and rcode': { group: ['type', 'rcode'], limit: 1000 },
  'by type, hour by hour': { group: ['type'], step: HOUR, limit: 1000 },
  'by domain': { group: ['domain'], limit: 1000 },
  'by client': { group: ['client'], limit: 1000 },
  'by server, hour by hour': { group: ['server'], step: HOUR, limit: 1000 },
};
for (const [what, question] of Object.entries(QUESTIONS)) {
  test(`rollups say what the rows say: ${what}`, async () => {
    const query: StatisticsQuery = { ...ALL, measures: MEASURES, ...question };
    const found = await store.statistics(query);
    const counted = await store.statistics({ ...query, filter: COUNTED });
    assert.notEqual(found.source, 'transactions', what);
    assert.equal(counted.source, 'transactions');
    same(found.rows, counted.rows, what);
  });
}

test('rollups say how many there are by latency, as the rows do', async () => {
  const query: StatisticsQuery = { ...ALL, group: ['latency_bucket'], measures: ['transactions'], limit: 100 };
  const found = await store.statistics(query);
  assert.notEqual(found.source, 'transactions');
  const counted = (await store.statistics({ ...query, filter: COUNTED })).rows;
  const most = counted.reduce((sum, { transactions = 0 }) => sum + transactions, 0);
  assert.equal(
    found.rows.reduce((sum, { transactions = 0 }) => sum + transactions, 0),
    most,
  );
  const byBucket = new Map(found.rows.map((row) => [row.latency_bucket, row.transactions ?? 0]));
  assert.ok(counted.length > 3);
  for (const { latency_bucket: bucket, transactions = 0 } of counted) {
    assert.ok(Math.abs((byBucket.get(bucket) ?? 0) - transactions) <= 0.005 * most, `${bucket} ms: ${transactions}`);
  }
});

test('sketches count clients and names nearly exactly', async () => {
  const query: StatisticsQuery = { ...ALL, measures: ['clients', 'names', 'domains', 'servers'] };
  const [found] = (await store.statistics(query)).rows;
  const [counted] = (await store.statistics({ ...query, filter: COUNTED })).rows;
  for (const name of ['clients', 'names', 'domains', 'servers'] as const) {
    const exact = counted[name] ?? 0;
    assert.ok(exact > 0);
    assert.ok(Math.abs((found[name] ?? 0) - exact) <= 0.05 * exact, `${name}: ${found[name]} for ${exact}`);
  }
});

test('what a run did not put into rollups is put there by the next', async () => {
  const query: StatisticsQuery = { ...ALL, step: HOUR, measures: ['transactions', 'latency'] };
  const before = await store.statistics(query);
  await store.close();
  store = await openStore({ path: folder, countedRows: 0, flushMs: 50 });
  assert.deepEqual(await store.statistics(query), before);
  await store.compact();
  const { rows } = await store.statistics(query);
  same(rows, before.rows, 'after compacting');
});
