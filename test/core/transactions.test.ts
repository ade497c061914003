import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runRows } from '../../src/app/run.ts';
import { TransactionBatch } from '../../src/core/transactions.ts';
import { transactionValue } from '../../src/rr/transaction.ts';

const DEMO = fileURLToPath(new URL('../../assets/demo.pcap.gz', import.meta.url));

const values = (batch: TransactionBatch, from = 0, to = batch.count) =>
  Array.from({ length: to - from }, (_, k) => transactionValue(batch, from + k));

async function demo(): Promise<TransactionBatch> {
  const all = TransactionBatch.create(1024);
  const plan = { input: { kind: 'files' as const, paths: [DEMO] }, threads: 0 };
  await runRows(plan, { signal: new AbortController().signal }, (batch, from, to) => {
    for (let i = from; i < to; i++) assert.ok(all.append(batch, i));
  });
  return all;
}

test('a range of rows is copied as row by row, however it is cut', async () => {
  const all = await demo();
  const expected = values(all);
  assert.equal(expected.length, 999);
  for (const step of [1, 7, 100, 999]) {
    const copy = TransactionBatch.create(1024);
    for (let at = 0; at < 999; at += step) {
      const to = Math.min(999, at + step);
      assert.equal(copy.appendRange(all, at, to), to - at);
    }
    assert.deepEqual(values(copy), expected);
  }
});

test('what does not fit is left: rows that fit are copied, and none when none does', async () => {
  const all = await demo();
  const rows = TransactionBatch.create(8);
  assert.equal(rows.appendRange(all, 3, 999), 8);
  assert.deepEqual(values(rows), values(all, 3, 11));
  assert.equal(rows.appendRange(all, 11, 999), 0);
  const bytes = TransactionBatch.create(1024, 4096);
  const taken = bytes.appendRange(all, 0, 999);
  assert.ok(taken > 1 && taken < 100, `${taken}`);
  assert.deepEqual(values(bytes), values(all, 0, taken));
  assert.ok(bytes.used <= 4096);
});

test('a copy of a few rows is just large enough, and the same', async () => {
  const all = await demo();
  for (const [from, to] of [
    [0, 999],
    [5, 6],
    [10, 27],
    [3, 3],
  ]) {
    const copy = TransactionBatch.copyOf(all, from, to);
    assert.deepEqual(values(copy), values(all, from, to));
    assert.ok(copy.buffer.byteLength < 4096 + 1000 * (to - from), `${copy.buffer.byteLength}`);
    assert.deepEqual(values(TransactionBatch.from(copy.buffer)), values(all, from, to));
  }
});
