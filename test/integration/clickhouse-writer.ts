/**
 * Writes batches with identities, as a worker that reads a log does: takes up where the file of committed offsets says,
 * appends, flushes, commits. `ADDRESS OFFSETS FROM TO`; to be killed at any moment, and started again.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { openStore } from '../../src/store/open.ts';
import { numberedBatch } from './clickhouse-batches.ts';

const [, , url, offsets, last] = process.argv;
const store = await openStore({
  engine: 'clickhouse',
  path: null,
  clickhouse: { url, user: 'default', database: 'nametap' },
});
const done = existsSync(offsets) ? Number(readFileSync(offsets, 'utf8')) : 0;
for (let n = done; n < Number(last); n++) {
  // Two batches are one write, whatever becomes of this process between them.
  for (const half of [0, 1]) {
    await store.append(await numberedBatch(n * 2 + half), { sensor: 'worker', token: `raw/3/${n}` }, true);
  }
  await store.flush();
  process.stdout.write(`${n}\n`);
  // Here a crash leaves what is written and not committed.
  await setTimeout(Math.random() * 20);
  writeFileSync(offsets, String(n + 1));
}
await store.close();
