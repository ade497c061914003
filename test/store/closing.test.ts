import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TransactionBatch } from '../../src/core/transactions.ts';
import { Database } from '../../src/store/duckdb.ts';
import { openStore } from '../../src/store/open.ts';
import { Readers } from '../../src/store/readers.ts';
import { batchesOf, CAPTURES } from './batches.ts';

const ALWAYS = { from: 0, to: 4e12 };
const SLOW = 'SELECT sum(a.i * b.i % 7) AS n FROM range(100000) a(i), range(1000000) b(i)';

test('long strings stay readable for as long as somebody reads them', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const database = await Database.open(null, {});
  const connection = await database.connect();
  const sql = (text: string) => `SELECT '${text} that does not fit into its cell ' || i AS s FROM range(40000) t(i)`;
  const reads: ((i: number) => Uint8Array)[] = [];
  for await (const chunk of connection.chunks(sql('a string'))) reads.push(chunk.strings(0));
  for (let i = 0; i < 3; i++) {
    collect();
    // Natives are finalised in a turn of their own.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await connection.all(sql('another one, and a longer one too,'));
  reads.forEach((read, k) => {
    assert.equal(Buffer.from(read(0)).toString(), `a string that does not fit into its cell ${k * 2048}`);
  });
  connection.close();
  database.close();
});

test('closing stops questions and waits until nothing runs; those that wait are asked of the next database', async () => {
  const readers = new Readers();
  const first = await Database.open(null, { threads: '1' });
  readers.open(first);
  const slow = Array.from({ length: 8 }, () => readers.use((connection) => connection.all(SLOW)));
  const stopped = Promise.allSettled(slow);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const waits = readers.use((connection) => connection.all('SELECT current_setting($1) AS n', ['threads']));
  await readers.close();
  assert.equal(readers.idle, true);
  first.close();
  for (const { status } of await stopped) assert.equal(status, 'rejected');
  const second = await Database.open(null, { threads: '3' });
  readers.open(second);
  assert.deepEqual(await waits, [{ n: 3 }]);
  await readers.end();
  await assert.rejects(
    readers.use((connection) => connection.all('SELECT 1')),
    /the store is closed/,
  );
  second.close();
});

test('a question that waits for its turn hears that nobody wants its answer any more', async () => {
  const readers = new Readers();
  const database = await Database.open(null, { threads: '1' });
  readers.open(database);
  const slow = Promise.allSettled(Array.from({ length: 8 }, () => readers.use((connection) => connection.all(SLOW))));
  const stop = new AbortController();
  const waits = readers.use((connection) => connection.all('SELECT 1'), stop.signal);
  stop.abort(new Error('gone'));
  await assert.rejects(waits, /gone/);
  assert.equal(readers.idle, false, 'the others go on');
  await readers.end();
  await slow;
  database.close();
});

test('a question that gets no connection takes no place', async () => {
  const readers = new Readers();
  const database = await Database.open(null, {});
  database.close();
  readers.open(database);
  for (let i = 0; i < 20; i++)
    await assert.rejects(
      readers.use(async () => {}),
      /closed/,
    );
});

test('a store closes in the middle of everything: rows come, are asked for, merged', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'nametap-store-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const captures = await Promise.all(CAPTURES.slice(0, 4).map(batchesOf));
  let rows = 0;
  for (let round = 0; round < 3; round++) {
    const store = await openStore({ path, flushMs: 1 });
    const work: Promise<unknown>[] = [];
    for (const { batches } of captures) {
      for (const batch of batches) {
        rows += batch.count;
        work.push(store.append(TransactionBatch.from(batch.buffer.slice(0)), { sensor: 'here' }, true));
      }
      work.push(store.statistics({ ...ALWAYS, group: ['name'], measures: ['transactions'] }));
      work.push(
        store.records.put('audit', round),
        store.compact(),
        store.passive({ match: { kind: 'below', name: 'com' } }),
      );
    }
    const settled = Promise.allSettled(work);
    await store.close();
    await settled;
    await assert.rejects(store.status(), /the store is closed|has ended/);
  }
  const store = await openStore({ path, readOnly: true });
  const { rows: found } = await store.statistics({ ...ALWAYS, measures: ['transactions'] });
  assert.equal(found[0].transactions, rows);
  await store.close();
});

test('an export that cannot be written says so, and the store goes on', async () => {
  const store = await openStore({ path: null });
  const file = join(tmpdir(), 'nametap-nowhere', 'export');
  for (const format of ['csv', 'ndjson', 'parquet'] as const) {
    await assert.rejects(store.export({ ...ALWAYS, format }, file), /nametap-nowhere/);
  }
  assert.equal((await store.status()).appended, 0);
  await store.close();
});
