import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { start } from '../../scripts/services/clickhouse.ts';
import { Connection } from '../../src/store/clickhouse/connection.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { numberedBatch } from './clickhouse-batches.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-clickhouse-once-'));
const engine = join(folder, 'engine');
let service = await start({ folder: engine });
const port = Number(new URL(service.address).port);
after(async () => {
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
});

const options = (database: string) => ({ url: service.address, user: 'default', database });
const open = (database: string): Promise<Store> =>
  openStore({ engine: 'clickhouse', path: null, flushMs: 50, clickhouse: options(database) });

/** What tables hold, whatever parts it lies in. */
async function sums(database: string): Promise<Record<string, unknown>> {
  const connection = new Connection(options(database));
  try {
    const one = async (sql: string) => (await connection.one(sql)) ?? {};
    const rollup = (table: string) =>
      one(
        `SELECT sum(transactions) AS rows, sum(queries) AS queries, sum(latency_n) AS n, sum(response_bytes) AS bytes,
         arraySum(mapValues(sumMap(latency_histogram))) AS buckets FROM ${table}`,
      );
    return {
      rows: await one(
        'SELECT count() AS rows, uniqExact(transaction) AS ids, sum(queries) AS queries, count(latency) AS n, sum(response_bytes) AS bytes FROM transactions',
      ),
      minutes: await rollup('minutes'),
      hours: await rollup('hours'),
      domains: await rollup('domain_minutes'),
      domainHours: await rollup('domain_hours'),
      clients: await rollup('client_hours'),
      servers: await rollup('server_hours'),
      passive: await one(
        'SELECT uniqExact(reversed, type, data, prefix, suffix) AS keys, sum(count) AS n FROM passive',
      ),
      inverse: await one('SELECT sum(count) AS n FROM passive_by_data'),
      missing: await one('SELECT sum(count) AS n FROM missing'),
    };
  } finally {
    await connection.close();
  }
}

/** The same numbers of batches written by a store that nothing befell. */
async function written(database: string, batches: number): Promise<Record<string, unknown>> {
  const store = await open(database);
  for (let n = 0; n < batches; n++) await store.append(await numberedBatch(n), { sensor: 'worker' }, true);
  await store.flush();
  await store.close();
  return sums(database);
}

test('what has one identity is taken once, in rows, rollups and passive DNS', async (t) => {
  const store = await open('once');
  t.after(() => store.close());
  const token = 'raw/0/100-199';
  const put = async (name: string) => {
    for (const n of [0, 1]) await store.append(await numberedBatch(n), { sensor: 'worker', token: name }, true);
    await store.flush();
  };
  await put(token);
  const first = await sums('once');
  await put(token);
  assert.deepEqual(await sums('once'), first);
  assert.deepEqual(first, await written('plain', 2));
  const { rows, n } = first.rows as { rows: bigint; n: bigint };
  assert.ok(rows > 200n);
  for (const table of ['minutes', 'hours', 'domains', 'domainHours', 'clients', 'servers']) {
    const rollup = first[table] as { rows: number; n: number; buckets: bigint };
    assert.equal(BigInt(rollup.rows), rows, table);
    assert.equal(BigInt(rollup.n), n, table);
    assert.equal(rollup.buckets, n, table);
  }
  // Without an identity, or with another one, the same rows are rows again.
  await put('raw/0/200-299');
  assert.equal(((await sums('once')).rows as { rows: bigint }).rows, rows * 2n);
});

test('a worker that is killed between write and commit doubles and loses nothing', async () => {
  const offsets = join(folder, 'offsets');
  const writes = 8;
  const script = fileURLToPath(new URL('./clickhouse-writer.ts', import.meta.url));
  let kills = 0;
  for (let isDone = false; !isDone; ) {
    const child = spawn(process.execPath, [script, service.address, offsets, String(writes)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const most = 2 + (kills % 2);
    let said = 0;
    createInterface({ input: child.stdout }).on('line', () => {
      if (++said === most) child.kill('SIGKILL');
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    isDone = code === 0;
    if (!isDone) kills++;
    assert.ok(kills < 20, 'it gets on');
  }
  assert.ok(kills >= 3, `${kills} kills`);
  assert.deepEqual(await sums('nametap'), await written('unkilled', writes * 2));
});

test('a server that is killed and started again loses nothing, and doubles nothing', async (t) => {
  const store = await open('killed');
  t.after(() => store.close());
  const writing = (async () => {
    for (let n = 0; n < 12; n++) {
      await store.append(await numberedBatch(n), { sensor: 'worker', token: `raw/1/${n}` }, true);
      await store.flush();
    }
  })();
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 400));
    await service.kill();
    const { degraded } = await store.status();
    assert.match(degraded ?? '', /^ClickHouse at .* does not take transactions: .*They wait/);
    service = await start({ folder: engine, port });
  }
  await writing;
  assert.equal((await store.status()).degraded, null);
  assert.deepEqual((await store.status()).dropped, {});
  await store.close();
  assert.deepEqual(await sums('killed'), await written('unharmed', 12));
});
