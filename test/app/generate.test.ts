import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { scenarioLines, scenariosOf, writeGenerated } from '../../src/app/generate.ts';
import { runInline } from '../../src/app/run.ts';
import { idText, OUTCOMES } from '../../src/core/transactions.ts';
import { generate } from '../../src/generate/generate.ts';
import { SCENARIOS } from '../../src/generate/scenarios.ts';
import { popularDomains } from '../../src/app/judging.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-generate-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a generated capture gives the rows that were generated', async () => {
  const scenarios = ['poisoning-race', 'poisoning-fragments', 'truncated', 'unanswered', 'recon'];
  const options = { seed: 5, clients: 4, days: 0.05, hasUpstream: true, zones: 100 };
  const write = join(folder, 'all.pcap');
  const labels = join(folder, 'all.tsv');
  const wrote = writeGenerated({ ...options, scenarios, write, format: 'pcap', labels });

  const generated = new Map<string, string>();
  generate({ ...options, popular: popularDomains({ popular: undefined }) }, scenariosOf(scenarios), (batch) => {
    const c = batch.col;
    for (let i = 0; i < batch.count; i++) generated.set(idText(c.idHigh[i], c.idLow[i]), row(c, i));
  });
  const captured = new Map<string, string>();
  const plan = { input: { kind: 'files' as const, paths: [write] }, threads: 0 };
  await runInline(
    plan,
    { signal: new AbortController().signal },
    {
      rows: (batch) => {
        const c = batch.col;
        for (let i = 0; i < batch.count; i++) captured.set(idText(c.idHigh[i], c.idLow[i]), row(c, i));
      },
    },
  );
  assert.equal(wrote.transactions, generated.size);
  assert.equal(captured.size, generated.size);
  assert.deepEqual(captured, new Map([...captured.keys()].map((key) => [key, generated.get(key)])));
  const lines = readFileSync(labels, 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 1 + wrote.labels.length);
  assert.match(lines[1], /^poisoning-race\tPOIS-RACE\t2026-01-05T00:36:00.000Z\t/);
});

/** What must not differ; a capture that ends early knows less. */
function row(c: Parameters<Parameters<typeof generate>[2]>[0]['col'], i: number): string {
  const ended = OUTCOMES[c.outcome[i]] === 'capture_ended' ? 'unanswered' : OUTCOMES[c.outcome[i]];
  return [ended, c.rcode[i], c.queries[i], c.duplicates[i], c.fragmented[i], c.responseBytes[i]].join(' ');
}

test('scenarios are listed, and found by their names', () => {
  for (const { name } of SCENARIOS) assert.match(scenarioLines(), new RegExp(`^${name} `, 'm'));
  assert.throws(() => scenariosOf(['nothing-like-it']), /no scenario 'nothing-like-it'/);
});
