import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type RunPlan, type RunState, stateSum } from '../../src/app/plan.ts';
import { runReport, runRows } from '../../src/app/run.ts';
import { ipv4Text } from '../../src/core/address.ts';
import { FATE } from '../../src/core/ledger.ts';
import { sampledRate, scaledReport } from '../../src/report/sampled.ts';
import { exchanges } from './exchanges.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-sample-'));
after(() => rmSync(folder, { recursive: true }));
const CLIENTS = 1000;
const file = join(folder, 'clients.pcap');
// Each asks two resolvers, one of them by TCP too.
writeFileSync(file, exchanges(CLIENTS));
const hooks = () => ({ signal: AbortSignal.timeout(60_000) });
const plan = (sample: number | undefined, threads = 0): RunPlan => ({
  input: { kind: 'files', paths: [file] },
  threads,
  sample,
});

/** Rows of each client, and the ledger. */
async function clients(sample: number | undefined, threads = 0) {
  const rows = new Map<string, number>();
  const { ledger } = await runRows(plan(sample, threads), hooks(), ({ col }, from, to) => {
    for (let i = from; i < to; i++) {
      const client = ipv4Text(col.client3[i]);
      rows.set(client, (rows.get(client) ?? 0) + 1);
    }
  });
  assert.deepEqual(ledger.imbalance(), []);
  return { rows, ledger };
}

test('a client is in a sample with all that it asks, of whomever and however, or not at all', async () => {
  const all = await clients(undefined);
  assert.equal(all.rows.size, CLIENTS);
  const before = new Set(all.rows.keys());
  for (const sample of [2, 4, 16]) {
    const { rows, ledger } = await clients(sample);
    assert.ok(Math.abs(rows.size - CLIENTS / sample) < 3 * Math.sqrt(CLIENTS / sample), `${rows.size} of ${sample}`);
    for (const [client, count] of rows) {
      assert.equal(count, all.rows.get(client), client);
      // One in four of them are among one in two.
      assert.ok(before.has(client), client);
    }
    assert.equal(ledger.received, all.ledger.received);
    assert.ok(ledger.frames[FATE.sampled] > 0);
    before.clear();
    for (const client of rows.keys()) before.add(client);
  }
});

test('a run says of how many clients it looks at one, and the state of several is put together', async () => {
  let state: (() => RunState) | undefined;
  const watching = (given: () => RunState) => void (state = given);
  await runRows(plan(8), { ...hooks(), watching }, () => {});
  assert.deepEqual(state?.(), { open: 0, ring: null, oneIn: 8 });
  const sum = stateSum([
    { open: 3, ring: 0.2, oneIn: 1 },
    { open: 4, ring: null, oneIn: 4 },
  ]);
  assert.deepEqual(sum, { open: 7, ring: 0.2, oneIn: 4 });
});

test('the same clients with workers', async () => {
  const alone = await clients(8);
  const { rows, ledger } = await clients(8, 2);
  assert.deepEqual(rows, alone.rows);
  assert.deepEqual(ledger.toJSON(), alone.ledger.toJSON());
});

test('a report of a sample counts what was left out, and scales by it', async () => {
  const whole = await runReport(plan(undefined), {}, hooks());
  const part = await runReport(plan(4), {}, hooks());
  const rate = sampledRate(part.ledger);
  const value = scaledReport(part.report.value({ files: [] }, 10), rate);
  assert.ok(rate > 3 && rate < 5.5, String(rate));
  assert.deepEqual(value.sampled, { rate, scaled: true });
  assert.equal(value.ledger.frames.sampled, part.ledger.frames[FATE.sampled]);
  const { count } = whole.report.value({ files: [] }, 10).transactions;
  assert.ok(Math.abs(value.transactions.count - count) <= 0.02 * count, `${value.transactions.count} of ${count}`);
  assert.ok(Number.isInteger(value.transactions.count));
  const seen = whole.report.value({ files: [] }, 10);
  assert.equal(sampledRate(whole.ledger), 1);
  assert.deepEqual(scaledReport(seen, 1), seen);
});
