import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { batchesOf, CAPTURES } from './batches.ts';

test('how long things are kept can be changed while it runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-keep-'));
  const store = await openStore({ path: folder });
  try {
    const capture = CAPTURES.find((path) => path.endsWith('lookups.pcapng')) ?? '';
    for (const batch of (await batchesOf(capture)).batches) await store.append(batch, {}, true);
    await store.compact();
    const kept = async () => {
      const { tables } = await store.status();
      return tables.filter(({ name }) => name.startsWith('transactions')).reduce((sum, { rows }) => sum + rows, 0);
    };
    assert.equal(await kept(), 50);
    await store.keep({ maxBytes: 1 });
    await store.compact();
    assert.equal(await kept(), 0);
    assert.equal((await store.status()).dropped.retention, 50);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('where only counts are kept, rows go once their hour is counted, and every number stays', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-keep-'));
  const store = await openStore({ path: folder, retention: { countsOnly: true } });
  const capture = CAPTURES.find((path) => path.endsWith('lookups.pcapng')) ?? '';
  const add = async (later: number) => {
    for (const batch of (await batchesOf(capture)).batches) {
      for (const column of ['openSeconds', 'lastSeconds', 'answerSeconds', 'closeSeconds'] as const) {
        for (let i = 0; i < batch.count; i++) batch.col[column][i] += later;
      }
      await store.append(batch, {}, true);
    }
    await store.compact();
  };
  const kept = async () => {
    const { tables } = await store.status();
    return tables.filter(({ name }) => name.startsWith('transactions')).reduce((sum, { rows }) => sum + rows, 0);
  };
  try {
    await add(0);
    assert.equal(await kept(), 50, 'their hour goes on');
    await add(2 * 3600);
    assert.equal(await kept(), 50, 'those of the hour that is over are gone');
    const all = { from: 0, to: 4e12 };
    const { rows } = await store.statistics({ ...all, measures: ['transactions', 'latency'] });
    assert.equal(rows[0].transactions, 100);
    const types = await store.statistics({ ...all, group: ['type'], measures: ['transactions'] });
    assert.equal(
      types.rows.reduce((sum, { transactions = 0 }) => sum + transactions, 0),
      100,
    );
    const domains = await store.statistics({ ...all, group: ['domain'], measures: ['transactions'], limit: 1000 });
    assert.equal(
      domains.rows.reduce((sum, { transactions = 0 }) => sum + transactions, 0),
      100,
    );
    let found = 0;
    for await (const page of store.transactions({ ...all, limit: 1000 })) found += page.rows.length;
    assert.equal(found, 50);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
