import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idText, type TransactionBatch } from '../../src/core/transactions.ts';
import { generate } from '../../src/generate/generate.ts';
import { Random, Zipf } from '../../src/generate/random.ts';
import { SCENARIOS } from '../../src/generate/scenarios.ts';

const SMALL = { seed: 3, clients: 6, days: 0.1, zones: 200 };

/** What is read of rows while their batch is at hand. */
function rowsOf<T>(scenarios: Parameters<typeof generate>[1], read: (batch: TransactionBatch, i: number) => T) {
  const rows: T[] = [];
  const labels = generate(SMALL, scenarios, (batch) => {
    for (let i = 0; i < batch.count; i++) rows.push(read(batch, i));
    return true;
  });
  return { rows, labels };
}

const id = ({ col }: TransactionBatch, i: number) => idText(col.idHigh[i], col.idLow[i]);

test('the same seed gives the same traffic, another seed another', () => {
  const one = rowsOf([], id).rows;
  assert.ok(one.length > 300, `${one.length} rows`);
  assert.deepEqual(rowsOf([], id).rows, one);
  assert.equal(new Set(one).size, one.length);
  const others: string[] = [];
  generate({ ...SMALL, seed: 4 }, [], (batch) => {
    for (let i = 0; i < batch.count; i++) others.push(id(batch, i));
  });
  assert.equal(others.filter((other) => one.includes(other)).length, 0);
});

for (const scenario of SCENARIOS) {
  test(`${scenario.name}: sound messages in order of closing, and a label`, () => {
    const { rows, labels } = rowsOf([scenario], ({ col: c }, i) => ({
      closed: c.closeSeconds[i] + c.closeNanos[i] / 1e9,
      fault: c.fault[i],
      latency: c.responses[i] > 0 && c.queries[i] > 0 ? c.answerSeconds[i] - c.openSeconds[i] : 0,
    }));
    for (let i = 1; i < rows.length; i++) assert.ok(rows[i].closed >= rows[i - 1].closed - 1e-6, `row ${i}`);
    assert.equal(rows.filter(({ fault, latency }) => fault !== 0 || latency < 0).length, 0);
    assert.ok(labels.length > 0);
    for (const label of labels) {
      assert.equal(label.scenario, scenario.name);
      assert.ok(label.subject !== '' && label.from <= label.to);
    }
  });
}

test('ranks follow Zipf, numbers their distributions', () => {
  const random = new Random(1);
  const zipf = new Zipf(100, 1);
  const counts = new Array<number>(100).fill(0);
  for (let i = 0; i < 100_000; i++) counts[zipf.draw(random)]++;
  assert.ok(Math.abs(counts[0] / counts[9] - 10) < 1.5, `${counts[0]} ${counts[9]}`);
  let sum = 0;
  for (let i = 0; i < 10_000; i++) sum += random.exponential(5);
  assert.ok(Math.abs(sum / 10_000 - 5) < 0.3);
});
