import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Database } from '../../src/store/duckdb.ts';
import { openStore } from '../../src/store/open.ts';
import {
  createTable,
  META_COLUMNS,
  PART_COLUMNS,
  SCHEMA_VERSION,
  TABLES,
  TRANSACTION_COLUMNS,
} from '../../src/store/schema.ts';
import { type Store, TEMPORARY_FOLDER } from '../../src/store/store.ts';
import { batchesOf, CAPTURES } from './batches.ts';

const ALWAYS = { from: 0, to: 4e12 };

function folder(t: { after(run: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'nametap-store-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Fills a store from a capture, as if it had come `later` seconds later; how many rows. */
async function fill(store: Store, later = 0): Promise<number> {
  let rows = 0;
  for (const batch of (await batchesOf(CAPTURES.find((path) => path.endsWith('lookups.pcapng')) ?? CAPTURES[0]))
    .batches) {
    rows += batch.count;
    const { openSeconds, lastSeconds, answerSeconds } = batch.col;
    for (const times of [openSeconds, lastSeconds, answerSeconds]) {
      for (let i = 0; i < batch.count; i++) times[i] += later;
    }
    await store.append(batch, { sensor: 'here' }, true);
  }
  await store.flush();
  return rows;
}

async function count(store: Store): Promise<number> {
  return (await store.statistics({ ...ALWAYS, measures: ['transactions'] })).rows[0]?.transactions ?? 0;
}

test('a store of a newer schema is refused with one sentence', async (t) => {
  const path = folder(t);
  await (await openStore({ path })).close();
  const database = await Database.open(join(path, 'nametap.duckdb'), {});
  const connection = await database.connect();
  await connection.run(`UPDATE meta SET value = '${SCHEMA_VERSION + 1}' WHERE key = 'schema'`);
  connection.close();
  database.close();
  await assert.rejects(openStore({ path }), {
    name: 'UserError',
    exit: 3,
    message: /has schema \d+, this nametap knows \d+\. Install a newer/,
  });
});

test('a damaged file is refused with one sentence, and left as it is', async (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'nametap.duckdb'), Buffer.alloc(65_536, 'no database '));
  await assert.rejects(openStore({ path }), { name: 'UserError', exit: 3, message: /is damaged .*Move it away/ });
});

test('a store in use by another process is refused, with who has it', async (t) => {
  const path = folder(t);
  const store = await openStore({ path });
  const script = `import('${new URL('../../src/store/open.ts', import.meta.url).href}').then(({ openStore }) => openStore({ path: ${JSON.stringify(path)} })).then(() => process.exit(0), (error) => { console.log(error.message); process.exit(error.exit); })`;
  assert.throws(
    () => execFileSync(process.execPath, ['-e', script], { stdio: 'pipe', encoding: 'utf8' }),
    (error: { status: number; stdout: string }) =>
      error.status === 3 && error.stdout.includes(`in use by process ${process.pid}`),
  );
  await store.close();
});

test('a folder that cannot be written is told in one sentence', async (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'file'), '');
  await assert.rejects(openStore({ path: join(path, 'file', 'store') }), { name: 'UserError', exit: 3 });
  if (process.getuid?.() !== 0) {
    chmodSync(path, 0o500);
    await assert.rejects(openStore({ path: join(path, 'store') }), { name: 'UserError', message: /permission denied/ });
    chmodSync(path, 0o700);
  }
});

test('a store opened for looking is not written; there must be one', async (t) => {
  const path = folder(t);
  await assert.rejects(openStore({ path: join(path, 'none'), readOnly: true }), {
    name: 'UserError',
    message: /There is no store/,
  });
  const first = await openStore({ path });
  const rows = await fill(first);
  await first.close();
  const store = await openStore({ path, readOnly: true });
  assert.equal(await count(store), rows);
  await store.close();
});

for (const version of [1, 3]) {
  test(`a filled store of version ${version} opens, says what it said, keeps its rows and takes new ones`, async (t) => {
    const path = folder(t);
    const options = { path, countedRows: 0 };
    const first = await openStore(options);
    const once = await fill(first);
    const rows = once + (await fill(first, 7200));
    await first.close();
    const now = await openStore(options);
    const byType = (one: Store) =>
      one.statistics({ ...ALWAYS, group: ['type'], measures: ['transactions', 'latency'] });
    const byDomain = (one: Store) => one.statistics({ ...ALWAYS, group: ['domain'], measures: ['transactions'] });
    const byClient = (one: Store) =>
      one.statistics({ ...ALWAYS, group: ['client'], step: 3600, measures: ['latency'] });
    const [types, domains, clients] = [await byType(now), await byDomain(now), await byClient(now)];
    assert.equal(domains.source, 'hours');
    assert.ok(domains.rows.length > 0 && clients.rows.length > 1, `${domains.rows.length} ${clients.rows.length}`);
    await now.close();
    await toVersion(version, join(path, 'nametap.duckdb'));
    await assert.rejects(openStore({ path, readOnly: true }), {
      name: 'UserError',
      message: /Run 'nametap serve' once/,
    });
    const store = await openStore(options);
    assert.equal((await store.status()).schema, SCHEMA_VERSION);
    assert.deepEqual(await byType(store), types);
    assert.deepEqual(await byDomain(store), domains);
    assert.deepEqual(await byClient(store), clients);
    assert.equal(await count(store), rows);
    assert.equal(await fill(store), once);
    assert.equal(await count(store), rows + once);
    const [{ suspicious }] = (await store.statistics({ ...ALWAYS, measures: ['suspicious'] })).rows;
    assert.equal(suspicious, 0);
    await store.compact();
    assert.equal(await count(store), rows + once);
    await store.close();
  });
}

/** Makes a store what an older version wrote: transactions had fewer columns, rollups by key were among the others. */
async function toVersion(version: number, file: string): Promise<void> {
  const database = await Database.open(file, {});
  const connection = await database.connect();
  const columns = TRANSACTION_COLUMNS.filter((column) => !('since' in column && column.since > version));
  await connection.run('ALTER TABLE transactions_1 RENAME TO kept');
  await connection.run(createTable('transactions_1', columns));
  await connection.run(`INSERT INTO transactions_1 SELECT ${columns.map(({ name }) => name).join(', ')} FROM kept`);
  await connection.run('DROP TABLE kept');
  for (const table of ['minutes', 'hours']) {
    await connection.run(`INSERT INTO ${table} SELECT * FROM ${table}_by_key`);
    await connection.run(`DROP TABLE ${table}_by_key`);
  }
  await connection.run('DROP TABLE stretches');
  await connection.run(`DELETE FROM meta WHERE key = 'sought'`);
  await connection.run(`UPDATE parts SET version = ${version}`);
  await connection.run(`UPDATE meta SET value = '${version}' WHERE key = 'schema'`);
  connection.close();
  database.close();
}

test('old parts move to Parquet and stay found; too old and too many rows go as whole parts', async (t) => {
  const path = folder(t);
  const store = await openStore({ path });
  const rows = await fill(store);
  const before = await store.statistics({ ...ALWAYS, group: ['type'], measures: ['transactions', 'latency'] });
  await store.compact();
  const table = (await store.status()).tables.find(({ name }) => name === 'transactions (parquet)');
  assert.equal(table?.rows, rows);
  assert.ok((table?.bytes ?? 0) > 0);
  assert.deepEqual(
    await store.statistics({ ...ALWAYS, group: ['type'], measures: ['transactions', 'latency'] }),
    before,
  );
  await store.close();
  const small = await openStore({ path, retention: { maxBytes: 1 } });
  await small.compact();
  const status = await small.status();
  assert.equal(status.dropped.retention, rows);
  assert.equal(await count(small), 0);
  await small.close();
});

test('a full queue takes no more of a live capture, and counts what it did not take', async (t) => {
  const store = await openStore({ path: folder(t), queueRows: 1 });
  const { batches } = await batchesOf(CAPTURES.find((path) => path.endsWith('lookups.pcapng')) ?? CAPTURES[0]);
  const again = (await batchesOf(CAPTURES.find((path) => path.endsWith('lookups.pcapng')) ?? CAPTURES[0])).batches[0];
  const taken = batches[0].count;
  assert.equal(await store.append(batches[0], {}, false), true);
  const refused = again.count;
  assert.equal(await store.append(again, {}, false), false);
  assert.equal(again.count, refused, 'the batch is still there');
  await store.flush();
  const status = await store.status();
  assert.equal(status.appended, taken);
  assert.equal(status.dropped.store_queue, refused);
  await store.close();
});

test('every table has a declaration', () => {
  assert.ok(TABLES.length >= 8);
  for (const columns of [TRANSACTION_COLUMNS, PART_COLUMNS, META_COLUMNS]) {
    assert.equal(new Set(columns.map(({ name }) => name)).size, columns.length);
    for (const { title } of columns) assert.ok(title.length > 3);
  }
});

test('what a crash left of an export is gone after a start', async (t) => {
  const path = folder(t);
  await (await openStore({ path })).close();
  const left = join(path, TEMPORARY_FOLDER, 'export-x');
  mkdirSync(left, { recursive: true });
  writeFileSync(join(left, 'file'), 'half');
  await (await openStore({ path })).close();
  assert.equal(existsSync(left), false);
});

test('a batch that makes no sense is counted and told, and the next one is kept', async (t) => {
  const store = await openStore({ path: folder(t) });
  try {
    const [batch] = (await batchesOf(CAPTURES.find((path) => path.endsWith('lookups.pcapng')) ?? CAPTURES[0])).batches;
    const rows = batch.count;
    const buffer = new ArrayBuffer(8);
    const broken = new Proxy(batch, { get: (of, key) => (key === 'buffer' ? buffer : Reflect.get(of, key, of)) });
    assert.equal(await store.append(broken, { sensor: 'here' }, true), true);
    await store.flush();
    const { dropped, degraded, queue } = await store.status();
    assert.equal(dropped.store_error, rows);
    assert.match(degraded ?? '', /^Transactions could not be taken: .+\.$/);
    assert.equal(queue.length, 0);
    await fill(store);
    assert.equal(await count(store), rows);
  } finally {
    await store.close();
  }
});
