/** Writes rows into a store until it is killed; says after each batch how many it handed over, and how many are safe. */
import { TransactionBatch } from '../../src/core/transactions.ts';
import { openStore } from '../../src/store/open.ts';
import { batchesOf, CAPTURES } from './batches.ts';

const [, , path, flushMs] = process.argv;
const { batches } = await batchesOf(CAPTURES.find((name) => name.endsWith('lookups.pcapng')) ?? CAPTURES[0]);
const store = await openStore({ path, flushMs: Number(flushMs) });
let accepted = 0;
let round = 0;
let safe = 0;
for (;;) {
  const batch = TransactionBatch.create(4096);
  for (const from of batches) {
    while (batch.count < 4000) {
      const count = batch.count;
      for (let i = 0; i < from.count; i++) batch.append(from, i);
      if (batch.count === count) break;
    }
  }
  const now = Date.now() / 1000;
  for (let i = 0; i < batch.count; i++) {
    batch.col.openSeconds[i] = batch.col.lastSeconds[i] = Math.floor(now);
    batch.col.answerSeconds[i] = Math.floor(now);
    batch.col.idLow[i] = (round * 4096 + i) >>> 0;
    batch.col.idHigh[i] = process.pid;
  }
  round++;
  const { count } = batch;
  await store.append(batch, { sensor: 'load' }, true);
  accepted += count;
  if (round % 4 === 0) safe = (await store.status()).appended;
  process.stdout.write(`${accepted} ${safe}\n`);
  await new Promise((resolve) => setTimeout(resolve, 20));
}
