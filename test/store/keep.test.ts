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
