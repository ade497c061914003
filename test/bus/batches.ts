import assert from 'node:assert/strict';
import type { TransactionBatch, TransactionColumn } from '../../src/core/transactions.ts';
import { readTransactions } from '../../src/bus/transaction-reader.ts';
import { type BusOrigin, TransactionWriter } from '../../src/bus/transaction-writer.ts';

export const ORIGIN: BusOrigin = { sensor: 'here', interfaces: ['eth0', undefined], marks: ['', 'a rule, another'] };

/** The batches of all rows, in order. */
export function written(batches: readonly TransactionBatch[], writer = new TransactionWriter()): Uint8Array[] {
  const out: Uint8Array[] = [];
  const finish = () => out.push(writer.finish(ORIGIN, { epoch: 1, line: 0, sequence: out.length }));
  for (const batch of batches) {
    const rows = Uint32Array.from({ length: batch.count }, (_, i) => i);
    for (let at = 0; at < rows.length; ) {
      at = writer.add(batch, rows, at, rows.length);
      if (writer.isFull) finish();
    }
  }
  if (writer.count > 0) finish();
  return out;
}

/** Where in the arena things are may differ; all else must not. */
const PLACES = new Set(['queryAt', 'responseAt', 'framesAt']);

/** Row `i` of one batch is row `k` of another: every column, both messages, all frame numbers. */
export function assertSameRow(a: TransactionBatch, i: number, b: TransactionBatch, k: number): void {
  for (const name of Object.keys(a.col) as TransactionColumn[]) {
    if (!PLACES.has(name) && !Object.is(a.col[name][i], b.col[name][k])) {
      assert.fail(`${name} of row ${i}: ${b.col[name][k]} instead of ${a.col[name][i]}`);
    }
  }
  assert.deepEqual(b.frames(k), a.frames(i));
  for (const [at, length] of [
    ['queryAt', 'queryLength'],
    ['responseAt', 'responseLength'],
  ] as const) {
    const octets = ({ col, arena }: TransactionBatch, row: number) =>
      Buffer.from(arena.subarray(col[at][row], col[at][row] + col[length][row]));
    assert.ok(octets(b, k).equals(octets(a, i)), `${at.slice(0, -2)} of row ${i}`);
  }
}

/** All rows come back as they were. */
export function assertRoundTrip(batches: readonly TransactionBatch[], writer?: TransactionWriter): void {
  const read = written(batches, writer).map((bytes) => readTransactions(bytes).batch);
  let part = 0;
  let k = 0;
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++, k++) {
      if (k === read[part].count) {
        part++;
        k = 0;
      }
      assertSameRow(batch, i, read[part], k);
    }
  }
  assert.equal(
    read.reduce((sum, { count }) => sum + count, 0),
    batches.reduce((sum, { count }) => sum + count, 0),
  );
}
