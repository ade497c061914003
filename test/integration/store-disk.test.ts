import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { TransactionBatch } from '../../src/core/transactions.ts';
import type { Overview } from '../../src/server/schema/overview.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { fixture } from '../server/fixture.ts';
import { batchesOf, CAPTURES } from '../store/batches.ts';

/** A small file system of its own. */
function smallDisk(t: { after(run: () => void): void }, megabytes: number): string {
  const path = mkdtempSync(join(tmpdir(), 'nametap-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
  t.after(() => {
    execFileSync('umount', ['-l', path]);
    rmSync(path, { recursive: true });
  });
  return path;
}

/** Rows that do not compress: names and ids of their own. */
async function loadOf(): Promise<(round: number) => TransactionBatch> {
  const { batches } = await batchesOf(CAPTURES.find((name) => name.endsWith('lookups.pcapng')) ?? CAPTURES[0]);
  return (round) => {
    const batch = TransactionBatch.create(4096);
    for (let i = 0; batch.count < 4000; i++) batch.append(batches[0], i % batches[0].count);
    const random = new Uint32Array(batch.count * 3);
    for (let at = 0; at < random.length; at += 16_384) crypto.getRandomValues(random.subarray(at, at + 16_384));
    for (let i = 0; i < batch.count; i++) {
      batch.col.openSeconds[i] = batch.col.answerSeconds[i] = 1_700_000_000 + round;
      batch.col.idHigh[i] = random[i * 3];
      batch.col.idLow[i] = random[i * 3 + 1];
      batch.col.client3[i] = random[i * 3 + 2];
      batch.col.family[i] = 4;
    }
    return batch;
  };
}

/** Leaves so many octets free. */
function fillUp(file: string, free: number): void {
  const { bavail, bsize } = statfsSync(dirname(file));
  writeFileSync(file, Buffer.alloc(bavail * bsize - free));
}

async function rowsOf(store: Store): Promise<number> {
  return (await store.statistics({ from: 0, to: 4e12, measures: ['transactions'] })).rows[0]?.transactions ?? 0;
}

test('on a full disk the store says so, counts every row it does not keep, and goes on when there is room', async (t) => {
  const path = smallDisk(t, 40);
  const ballast = join(path, 'ballast');
  writeFileSync(ballast, Buffer.alloc(16 << 20));
  const store = await openStore({ path: join(path, 'store'), flushMs: 100 });
  const next = await loadOf();
  let given = 0;
  let round = 0;
  const give = async () => {
    const batch = next(round++);
    given += batch.count;
    await store.append(batch, { sensor: 'full' }, true);
  };
  const settled = async () => {
    await store.flush();
    return store.status();
  };
  let status = await settled();
  for (let i = 0; i < 300 && status.degraded === null; i++) {
    await give();
    status = await settled();
  }
  assert.match(status.degraded ?? '', /does not take transactions: .*(?:MB left|disk is full|space)/i);
  await give();
  status = await settled();
  assert.ok((status.dropped.store_disk ?? 0) > 0, 'what was not kept is counted');
  assert.equal(status.appended + (status.dropped.store_disk ?? 0), given, 'every row is kept or counted');

  rmSync(ballast);
  const before = status.appended;
  const deadline = Date.now() + 30_000;
  while (status.appended === before && Date.now() < deadline) {
    await give();
    status = await settled();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(status.appended > before, 'rows are kept again');
  assert.equal(status.degraded, null);
  assert.equal(await rowsOf(store), status.appended);
  const kept = status.appended;
  await store.close();
  const again = await openStore({ path: join(path, 'store') });
  assert.equal(await rowsOf(again), kept, 'nothing that was kept is lost');
  await again.close();
});

test('the first screen says that the store is degraded while the database is given up', async (t) => {
  const path = smallDisk(t, 64);
  const store = await openStore({ path: join(path, 'store'), flushMs: 60_000 });
  const server = await fixture({ store });
  t.after(async () => {
    await server.close();
    await store.close();
  });
  const next = await loadOf();
  await store.append(next(0), { sensor: 'full' }, true);
  await store.flush();
  // Taken while there is room, and written when there is none any more.
  await store.append(next(1), { sensor: 'full' }, true);
  await store.status();
  fillUp(join(path, 'ballast'), 400_000);
  await store.flush();
  // Working the log into the file is what a database without room does not survive.
  await assert.rejects(store.compact(), /FATAL Error/);
  const { degraded } = await store.status();
  assert.match(degraded ?? '', /does not take transactions/);
  const overview = (await server.json('/api/v1/overview?from=0&to=now')) as Overview;
  assert.equal(overview.state.level, 'degraded');
  assert.ok(
    overview.state.reasons.some(({ key }) => key === 'store'),
    JSON.stringify(overview.state),
  );
});

test('a read-only file system is told in one sentence', async (t) => {
  const path = smallDisk(t, 8);
  mkdirSync(join(path, 'store'));
  execFileSync('mount', ['-o', 'remount,ro', path]);
  await assert.rejects(openStore({ path: join(path, 'store') }), {
    name: 'UserError',
    exit: 3,
    message: /read-only/,
  });
});
