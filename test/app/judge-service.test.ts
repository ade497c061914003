import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/app/config.ts';
import { DataFolder } from '../../src/app/data-folder.ts';
import { JudgeService } from '../../src/app/judge-service.ts';
import { openStore } from '../../src/store/open.ts';
import { rowsOf } from '../server/fixture.ts';
import { temporaryFolder } from './serving.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5);

async function service(folder: string): Promise<{ judge: JudgeService; close(): Promise<void> }> {
  const { config } = loadConfig({ flags: { data: folder }, environment: {} });
  const store = await openStore({ path: join(folder, 'store'), flushMs: 50 });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const data = new DataFolder(folder);
  const judge = new JudgeService({
    config,
    store,
    version: '1',
    data,
    isDemo: false,
    isCurrent: false,
    log,
    failed: (error) => assert.fail(String(error)),
  });
  await judge.open();
  const close = async () => {
    await judge.close();
    await store.close();
  };
  return { judge, close };
}

test('what all traffic usually is outlives a restart, and tables say how full they are', async () => {
  const folder = temporaryFolder();
  const { judge: first, close } = await service(folder);
  for (let hour = 0; hour < 98; hour++) {
    const rows = rowsOf(
      Array.from({ length: 12 }, (_, i) => ({
        time: START + hour * HOUR + (i + 0.5) * (HOUR / 12),
        client: '192.0.2.7',
        name: `n${i}.example`,
        answer: { rcode: i === 0 ? 'NXDOMAIN' : 'NOERROR' },
      })),
    );
    for (const batch of rows) first.rows(batch, 0, batch.count);
  }
  const now = START / HOUR + 98;
  const expected = first.baselines.expected('transactions', now);
  assert.ok(expected !== null && Math.abs(expected.level - 12) < 0.5, JSON.stringify(expected));
  const tables = first.tables();
  assert.ok(tables.length > 3 && tables.every(({ used, limit, evicted }) => used <= limit && evicted >= 0));
  assert.equal(tables.find(({ name }) => name === 'alerts')?.limit, 10_000);
  await close();
  const { judge: second, close: end } = await service(folder);
  assert.deepEqual(second.baselines.expected('transactions', now), expected);
  assert.ok(Math.abs((second.baselines.expected('nxdomain_ratio', now)?.level ?? 0) - 1 / 12) < 0.01);
  await end();
});
