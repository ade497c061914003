import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { rows } from '../sinks/numbered.ts';

const ALWAYS = { from: 0, to: 4e12 };

async function count(store: Store): Promise<number> {
  await store.flush();
  const { rows: found } = await store.statistics({ ...ALWAYS, measures: ['transactions'] });
  return found[0]?.transactions ?? 0;
}

test('what a token names is taken once, also after the store was opened again', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'nametap-tokens-'));
  let store = await openStore({ path, flushMs: 50 });
  t.after(async () => {
    await store.close();
    rmSync(path, { recursive: true });
  });
  const take = (token: string, from: number, to: number) => store.append(rows(from, to), { token }, true);
  await take('t/0/0', 0, 10);
  await take('t/0/1', 10, 20);
  await take('t/1/0', 20, 30);
  await take('t/0/0', 0, 10);
  assert.equal(await count(store), 30);
  // Both writers have their turn, many times.
  for (let i = 2; i < 12; i++) {
    await take(`t/0/${i}`, i * 10 + 10, i * 10 + 20);
    await store.flush();
  }
  await take('t/0/10', 110, 120);
  assert.equal(await count(store), 130);
  await store.close();
  store = await openStore({ path, flushMs: 50 });
  await take('t/0/11', 120, 130);
  await take('t/1/0', 20, 30);
  await take('t/1/1', 130, 140);
  assert.equal(await count(store), 140);
});
