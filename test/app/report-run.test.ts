import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { RunPlan } from '../../src/app/plan.ts';
import { newReport, runInline, runReport } from '../../src/app/run.ts';

const folder = fileURLToPath(new URL('../captures', import.meta.url));
const CAPTURES = globSync('*.{pcap,pcapng}', { cwd: folder }).map((name) => `${folder}/${name}`);

const planOf = (path: string, threads = 0): RunPlan => {
  return { input: { kind: 'files', paths: [path] }, dissect: { heuristic: true }, threads };
};
const hooks = () => ({ signal: new AbortController().signal });

test('a report says the same of messages read as rows are made, and of rows that hold them', async () => {
  assert.ok(CAPTURES.length > 10);
  for (const path of CAPTURES) {
    const { report } = await runReport(planOf(path), {}, hooks());
    const again = newReport({});
    const { ledger } = await runInline(planOf(path), hooks(), { rows: (batch) => again.add(batch) });
    again.addLedger(ledger);
    assert.deepEqual(again.value(), report.value(), path);
    assert.deepEqual([...again.map.rows()], [...report.map.rows()], path);
  }
});

test('what this thread counts and what workers count is one report', async () => {
  for (const path of CAPTURES) {
    const { report } = await runReport(planOf(path), {}, hooks());
    const { report: shared, ledger } = await runReport(planOf(path, 2), {}, hooks());
    assert.deepEqual(shared.value(), report.value(), path);
    assert.deepEqual([...shared.map.rows()], [...report.map.rows()], path);
    assert.ok(ledger.received > 0, path);
  }
});

test('a file that is missing ends the workers too, with one sentence', async () => {
  await assert.rejects(runReport(planOf('/nonexistent.pcap', 3), {}, hooks()), /nonexistent\.pcap/);
});
