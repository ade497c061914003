import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { start } from '../../scripts/services/postgres.ts';
import { TransactionBatch } from '../../src/core/transactions.ts';
import { openStore } from '../../src/store/open.ts';
import { advise } from '../../src/store/postgres/advise.ts';
import { Cluster } from '../../src/store/postgres/cluster.ts';
import type { PostgresOptions } from '../../src/store/postgres/options.ts';
import { Pool } from '../../src/store/postgres/pool.ts';
import { INDEXES } from '../../src/store/postgres/schema.ts';
import type { Origin, Store, StoreOptions } from '../../src/store/store.ts';
import { batchesOf, CAPTURES } from '../store/batches.ts';

const service = await start({ replicas: 1 });
after(() => service.stop());
const [replica] = service.replicas;
const { batches } = await batchesOf(CAPTURES.find((path) => path.endsWith('lookups.pcapng')) ?? CAPTURES[0]);
const rowsOfAll = batches.reduce((sum, { count }) => sum + count, 0);
const ALWAYS = { from: 0, to: 4e12 };
const DAY_MS = 86_400_000;

function options(schema: string, more: Partial<PostgresOptions> = {}): PostgresOptions {
  return { url: service.url(), replicas: [`${replica.host}:${replica.port}`], schema, ...more };
}

function open(
  schema: string,
  more: Partial<StoreOptions> = {},
  postgres: Partial<PostgresOptions> = {},
): Promise<Store> {
  return openStore({ engine: 'postgres', path: null, flushMs: 50, postgres: options(schema, postgres), ...more });
}

/** Hands the rows of the capture over, `later` ms later than they were. */
async function fill(store: Store, later = 0, origin: Origin = { sensor: 'here' }): Promise<void> {
  for (const batch of batches) {
    const copy = TransactionBatch.from(batch.buffer.slice(0));
    const { openSeconds, lastSeconds, answerSeconds } = copy.col;
    for (const times of [openSeconds, lastSeconds, answerSeconds]) {
      for (let i = 0; i < copy.count; i++) times[i] += later / 1000;
    }
    await store.append(copy, origin, true);
  }
}

async function counted(store: Store): Promise<number> {
  return (await store.statistics({ ...ALWAYS, measures: ['transactions'] })).rows[0]?.transactions ?? 0;
}

/** Runs statements on a server. */
async function ask<T>(schema: string, sql: string, on: 'primary' | 'replica' = 'primary'): Promise<T[]> {
  const pool = new Pool(service.url(on === 'replica' ? replica : service.primary), options(schema));
  try {
    return await pool.use((session) => session.all<T>(sql));
  } finally {
    await pool.end();
  }
}

test('what was just written is read, though a replica is behind; one that has come so far is asked', async () => {
  const store = await open('behind');
  await fill(store);
  await store.flush();
  assert.equal(await counted(store), rowsOfAll);
  await ask('behind', 'SELECT pg_wal_replay_pause()', 'replica');
  try {
    for (let n = 1; n <= 3; n++) {
      await store.records.put('views', { n }, { id: 'a' });
      assert.deepEqual((await store.records.get('views', 'a'))?.value, { n });
    }
    await fill(store);
    await store.flush();
    assert.equal(await counted(store), 2 * rowsOfAll);
    // The replica really does not have it.
    assert.deepEqual(await ask('behind', `SELECT value FROM records WHERE id = 'a'`, 'replica'), []);
  } finally {
    await ask('behind', 'SELECT pg_wal_replay_resume()', 'replica');
  }
  await setTimeout(1500);
  const asked = async () => (await store.status()).postgres?.servers.find(({ role }) => role === 'replica')?.asked ?? 0;
  const before = await asked();
  assert.equal(await counted(store), 2 * rowsOfAll);
  assert.ok((await asked()) > before, 'the replica was asked');
  await store.close();
});

test('a dead replica costs no answer, and is asked again once it is back', async () => {
  const store = await open('failing');
  await fill(store);
  await store.flush();
  const state = async () => (await store.status()).postgres?.servers[1].state;
  await setTimeout(1100);
  assert.equal(await state(), 'up');
  const questions = Array.from({ length: 20 }, () => counted(store));
  await replica.kill();
  for (const n of await Promise.all(questions)) assert.equal(n, rowsOfAll);
  assert.equal(await counted(store), rowsOfAll);
  await setTimeout(1500);
  assert.equal(await state(), 'down');
  await replica.again();
  for (let tries = 0; tries < 50 && (await state()) !== 'up'; tries++) await setTimeout(200);
  assert.equal(await state(), 'up');
  await store.close();
});

test('rows wait for a primary that is away; none is lost, none comes twice', async () => {
  const store = await open('waiting');
  await fill(store);
  await store.flush();
  await service.primary.kill();
  await fill(store);
  await setTimeout(300);
  const { degraded } = await store.status();
  assert.match(degraded ?? '', /PostgreSQL does not/);
  await service.primary.again();
  await fill(store);
  await store.flush();
  assert.equal(await counted(store), 3 * rowsOfAll);
  const status = await store.status();
  assert.equal(status.degraded, null);
  assert.deepEqual(status.dropped, {});
  await store.close();
});

test('what comes again under its token is taken once', async () => {
  const store = await open('tokens');
  for (const token of ['t/0/0-99', 't/0/100-199', 't/0/0-99', 't/0/100-199']) {
    await fill(store, 0, { sensor: 'here', token });
    await store.flush();
  }
  assert.equal(await counted(store), 2 * rowsOfAll);
  const hours = await ask<{ n: number }>('tokens', 'SELECT sum(transactions)::bigint AS n FROM hours');
  assert.equal(hours[0].n, 2 * rowsOfAll);
  await store.close();
});

test('days have tables of their own, made ahead, and go as a whole; rollups stay', async () => {
  const store = await open('days', { retention: { transactionsDays: 30 }, countedRows: 0 });
  const now = Date.now();
  const first = firstOf(batches);
  await fill(store, now - first - 3 * DAY_MS);
  await fill(store, now - first - 40 * DAY_MS);
  await store.flush();
  // Rows of an imported file are as old as their import.
  await store.compact();
  assert.equal(await counted(store), 2 * rowsOfAll);
  await ask('days', `UPDATE days SET added = last`);
  await store.compact();
  const tables = await ask<{ name: string }>(
    'days',
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'transactions'::regclass ORDER BY 1`,
  );
  const names = tables.map(({ name }) => name);
  const nameOf = (ms: number) => `transactions_${new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')}`;
  for (const ahead of [0, 1, 2, 3]) assert.ok(names.includes(nameOf(now + ahead * DAY_MS)), `${ahead} days ahead`);
  assert.ok(names.includes(nameOf(now - 3 * DAY_MS)));
  assert.ok(!names.includes(nameOf(now - 40 * DAY_MS)), 'the old day is gone');
  assert.equal((await store.status()).dropped.retention, rowsOfAll);
  assert.equal(await counted(store), 2 * rowsOfAll, 'hours know what was given up');
  assert.equal(
    (await store.statistics({ ...ALWAYS, filter: 'dns or mdns', measures: ['transactions'] })).complete,
    false,
  );
  await store.close();
});

/** Time of the earliest row, ms. */
function firstOf(all: readonly TransactionBatch[]): number {
  return Math.min(...all.flatMap(({ col, count }) => [...col.openSeconds.subarray(0, count)])) * 1000;
}

test('rollups answer as those of the embedded store do, on the same rows', async () => {
  const postgres = await open('equal', { countedRows: 0 });
  const embedded = await openStore({ path: null, countedRows: 0 });
  for (const store of [postgres, embedded]) {
    // In hours that are over, on two days.
    for (const later of [0, 3_600_000, 90_000_000]) await fill(store, later);
    await store.compact();
  }
  const measures = ['transactions', 'queries', 'nxdomain', 'query_bytes', 'latency', 'size', 'ttl', 'answers'] as const;
  for (const question of [
    { measures },
    { measures, step: 60 },
    { measures, step: 3600, group: ['type'], limit: 1000 },
    { measures, group: ['rcode', 'transport'], limit: 1000 },
    { measures: ['clients', 'names', 'domains', 'servers', 'transactions'] },
    { measures: ['transactions'], group: ['latency_bucket'], limit: 1000 },
    { measures, group: ['domain'], limit: 1000 },
    { measures: ['transactions', 'latency'], group: ['client'], limit: 1000 },
    { measures: ['transactions'], group: ['server'], step: 3600, limit: 1000 },
    { measures: ['transactions', 'names'], group: ['name'], order: { by: 'names', descending: true }, limit: 1000 },
  ] as const) {
    const [a, b] = await Promise.all([postgres, embedded].map((store) => store.statistics({ ...ALWAYS, ...question })));
    assert.deepEqual(sorted(a.rows), sorted(b.rows), JSON.stringify(question));
    assert.ok(a.rows.length > 0);
  }
  await postgres.close();
  await embedded.close();
});

/** In an order of its own: groups of one size come in any. */
function sorted(rows: readonly object[]): object[] {
  return [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

test('times far from now, and texts that PostgreSQL does not have, cost no row', async () => {
  const store = await open('odd');
  const wide = TransactionBatch.from(batches[0].buffer.slice(0));
  for (let i = 0; i < wide.count; i++) wide.col.openSeconds[i] = [-1e12, 0, 86_400 * i * 17, 1e10, 9e15][i % 5];
  const { count } = wide;
  await store.append(wide, { sensor: 'a\0b', interfaces: ['\0'] }, true);
  await store.flush();
  const { dropped, tables, degraded } = await store.status();
  assert.deepEqual(dropped, {}, degraded ?? '');
  const partitions = tables.filter(({ name }) => name.startsWith('transactions_'));
  assert.ok(partitions.length < 25, `${partitions.length} partitions`);
  assert.equal(
    partitions.reduce((sum, { rows }) => sum + rows, 0),
    count,
  );
  await store.close();
});

test('each index is what its question uses', async () => {
  const store = await open('indexes');
  await fill(store);
  await store.flush();
  const day = partitionDay(await ask<{ partition: string }>('indexes', 'SELECT partition FROM days LIMIT 1'));
  await multiply('indexes', day, 60_000);
  await ask(
    'indexes',
    `SELECT brin_summarize_new_values('${day}_time_idx'), brin_summarize_new_values('${day}_transaction_idx')`,
  );
  const [{ time }] = await ask<{ time: number }>('indexes', `SELECT (min(time) / 1000000)::bigint AS time FROM ${day}`);
  const range = (seconds: number) => `time >= ${time}000000 AND time < ${time + seconds * 1000}000000`;
  const questions: Record<keyof typeof INDEXES, string> = {
    time: `SELECT * FROM transactions WHERE ${range(2)}`,
    client: `SELECT * FROM transactions WHERE client = '\\x00000007' AND ${range(86_400)} ORDER BY time DESC LIMIT 20`,
    name: `SELECT * FROM transactions WHERE name = 'n77.test' AND ${range(86_400)} ORDER BY time DESC LIMIT 20`,
    transaction: `SELECT * FROM transactions WHERE transaction = (SELECT transaction FROM ${day} LIMIT 1)`,
  };
  for (const [name, sql] of Object.entries(questions)) {
    const plan = (await explained(sql, name === 'transaction')).map((row) => row['QUERY PLAN']).join('\n');
    assert.ok(INDEXES[name] !== undefined);
    assert.match(plan, new RegExp(`${day}_${name}(?:_time)?_idx`), `${name}: ${plan}`);
  }
  await store.close();
});

/** Enough rows for the planner to care: the first one again and again, later by milliseconds, of many clients and names. */
async function multiply(schema: string, day: string, count: number): Promise<void> {
  const columns = await ask<{ name: string }>(
    schema,
    `SELECT attname::text AS name FROM pg_attribute WHERE attrelid = '${day}'::regclass AND attnum > 0 ORDER BY attnum`,
  );
  const made: Record<string, string> = {
    time: 'least(time + n::bigint * 3000000, time - time % 86400000000000 + 86399999999999)',
    client: `decode(lpad(to_hex(n % 5000), 8, '0'), 'hex')`,
    name: `'n' || (n % 20000) || '.test'`,
    transaction: `hashint8extended(n, transaction)`,
  };
  const values = columns.map(({ name }) => made[name] ?? name).join(', ');
  const one = `SELECT * FROM ${day} ORDER BY time LIMIT 1`;
  await ask(schema, `INSERT INTO ${day} SELECT ${values} FROM (${one}) AS one, generate_series(1, ${count}) AS n`);
  await ask(schema, `ANALYZE ${day}`);
}

/** As the store asks: by id without reading all. */
async function explained(sql: string, isById: boolean): Promise<{ 'QUERY PLAN': string }[]> {
  const pool = new Pool(service.url(), options('indexes'));
  try {
    return await pool.use(async (session) => {
      if (isById) await session.run('SET enable_seqscan = off');
      return session.all(`EXPLAIN ${sql}`);
    });
  } finally {
    await pool.end();
  }
}

function partitionDay([row]: { partition: string }[]): string {
  return row.partition;
}

test('a leaked connection is told with who borrowed it; bounds and idle time hold', async () => {
  const told: string[] = [];
  const cluster = new Cluster(options('public', { leakMs: 100, connections: 3, idleMs: 200 }), (text) =>
    told.push(text),
  );
  const leaked = await cluster.primary.borrow();
  await setTimeout(250);
  assert.equal(told.length, 1);
  const { leaks, servers } = cluster.status();
  assert.equal(leaks.count, 1);
  assert.match(leaks.last[0].stack, /postgres-servers\.test\.ts/);
  assert.ok(leaks.last[0].held_ms >= 100);
  assert.equal(servers[0].connections.most, 3);
  cluster.primary.giveBack(leaked);
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, () =>
      cluster.primary.use(async (session) => {
        most = Math.max(most, cluster.primary.connections.open);
        await session.all('SELECT pg_sleep(0.01)');
      }),
    ),
  );
  assert.equal(most, 3);
  await setTimeout(500);
  assert.equal(cluster.primary.connections.open, 0, 'idle ones are closed');
  assert.equal(cluster.status().leaks.count, 1);
  await cluster.end();
});

test('slow statements are remembered with their plan; an abort ends one', async () => {
  const cluster = new Cluster(options('public', { slowMs: 50, replicas: [] }));
  await cluster.read((session) =>
    session.all('SELECT count(*), pg_sleep(0.1) FROM pg_class WHERE relname <> ?', ['x']),
  );
  await cluster.slow.done();
  const [slow] = cluster.status().slow.last;
  assert.ok(slow.ms >= 100, `${slow.ms} ms`);
  assert.match(slow.plan ?? '', /actual time.*Buffers/s);
  assert.doesNotMatch(slow.sql, /'x'/);
  const abort = new AbortController();
  const asked = cluster.read((session) => session.all('SELECT pg_sleep(30)'), abort.signal);
  const began = performance.now();
  await setTimeout(100);
  abort.abort();
  await assert.rejects(asked, { name: 'AbortError' });
  assert.ok(performance.now() - began < 5000);
  await cluster.end();
});

test('a missing index is proposed, and makes its question ten times as fast', async () => {
  const store = await open('advised');
  await fill(store);
  await store.flush();
  const day = partitionDay(await ask<{ partition: string }>('advised', 'SELECT partition FROM days LIMIT 1'));
  await multiply('advised', day, 100_000);
  await ask('advised', 'SELECT pg_stat_statements_reset()');
  const pool = new Pool(service.url(), options('advised'));
  const question = async () => {
    const began = performance.now();
    for (let n = 0; n < 10; n++) {
      const client = Uint8Array.of(0, 0, 0, n);
      const sql = 'SELECT * FROM transactions WHERE client = ? AND time >= 0 ORDER BY time DESC LIMIT 20';
      await pool.use((session) => session.all(sql, [client]));
    }
    return (performance.now() - began) / 10;
  };
  assert.deepEqual((await advise(options('advised'))).proposals, []);
  await question();
  await ask('advised', 'DROP INDEX transactions_client');
  const slow = await question();
  const { proposals, statements } = await advise(options('advised'));
  assert.ok(statements.some(({ sql }) => sql.includes('client = $1')));
  assert.equal(proposals.length, 1, JSON.stringify(proposals));
  const [{ ddl, gain, columns }] = proposals;
  assert.deepEqual(columns, ['client', 'time DESC']);
  assert.ok(gain >= 10, `${gain} times`);
  await ask('advised', ddl);
  await ask('advised', 'ANALYZE transactions');
  await question();
  const fast = await question();
  assert.ok(slow / fast >= 10, `${slow.toFixed(2)} ms, then ${fast.toFixed(2)} ms`);
  assert.deepEqual((await advise(options('advised'))).proposals, []);
  await pool.end();
  await store.close();
});

test('tables of an older version are migrated, those of a newer one refused; reasons are told', async () => {
  await (await open('versions')).close();
  await ask('versions', 'DROP VIEW readable');
  await ask('versions', `UPDATE meta SET value = '1' WHERE key = 'schema'`);
  const store = await open('versions');
  await fill(store);
  await store.flush();
  const rows = await ask<{ client: string; transaction: string }>(
    'versions',
    'SELECT client::text, transaction FROM readable LIMIT 3',
  );
  assert.match(rows[0].client, /^[0-9a-f.:]+\/\d+$|^[0-9a-f.:]+$/);
  assert.ok((await store.transaction(rows[0].transaction)) !== null, 'ids are those of everywhere');
  await store.close();
  await ask('versions', `UPDATE meta SET value = '99' WHERE key = 'schema'`);
  await assert.rejects(open('versions'), /has schema 99/);
  await assert.rejects(open('nothing', { readOnly: true }), /There is no store in the schema nothing/);
  const wrong = service.url().replace(/:[^:@]+@/, ':wrong@');
  await assert.rejects(open('public', {}, { url: wrong }), /refuses the user nametap/);
  await assert.rejects(open('public', {}, { url: 'postgres://a@127.0.0.1:1/b' }), /cannot be used/);
});

test('where only counts are kept, rows go once their hour is counted, late ones too', async () => {
  const store = await open('counts', { retention: { countsOnly: true } });
  const kept = async (): Promise<number> => {
    const pool = new Pool(service.url(), options('counts'));
    try {
      return (
        (await pool.use((session) => session.one<{ n: number }>('SELECT count(*) AS n FROM transactions')))?.n ?? 0
      );
    } finally {
      await pool.end();
    }
  };
  try {
    for (const [turn, later] of [0, 2, 0, 4].entries()) {
      await fill(store, later * 3_600_000);
      await store.compact();
      assert.equal(await kept(), 0, `turn ${turn}`);
    }
    const { rows } = await store.statistics({ ...ALWAYS, measures: ['transactions'] });
    assert.equal(rows[0].transactions, 4 * rowsOfAll);
  } finally {
    await store.close();
  }
});
