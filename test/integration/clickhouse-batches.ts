import { TransactionBatch } from '../../src/core/transactions.ts';
import { batchesOf, CAPTURES } from '../store/batches.ts';

let rows: TransactionBatch[] | undefined;

/** Rows of the captures at times of their own, always the same for a number. */
export async function numberedBatch(n: number): Promise<TransactionBatch> {
  rows ??= (await Promise.all(CAPTURES.map(batchesOf))).flatMap(({ batches }) => batches);
  const batch = TransactionBatch.create(1024);
  for (const from of rows) for (let i = 0; i < from.count && batch.count < 1000; i++) batch.append(from, i);
  const c = batch.col;
  for (let i = 0; i < batch.count; i++) {
    const second = 1_700_000_000 + n * 100 + (i % 100);
    const shift = second - c.openSeconds[i];
    c.openSeconds[i] += shift;
    c.lastSeconds[i] += shift;
    c.answerSeconds[i] += shift;
    c.idHigh[i] = n + 1;
    c.idLow[i] = i;
  }
  return batch;
}
