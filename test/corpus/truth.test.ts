import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hasCorpus, manifest } from '../sources/corpus.ts';
import { compare, decodeCapture, ledgerFaults } from './compare.ts';

/** Accepted deviations: file, what, how often, why. */
function declared(): Map<string, number> {
  const lines = readFileSync(new URL('deviations.tsv', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1);
  return new Map(
    lines.map((line) => {
      const [file, what, count, reason] = line.split('\t');
      assert.ok(reason !== undefined && reason !== '', `no reason: ${line}`);
      return [`${file}\t${what}`, Number(count)];
    }),
  );
}

test('every message of the corpus agrees with the ground truth, field by field, but for declared deviations', async (t) => {
  if (!hasCorpus()) return t.skip('the shared captures are not beside this checkout');
  const accepted = declared();
  const wrong: string[] = [];
  let messages = 0;
  let fields = 0;
  let deviations = 0;
  for (const line of manifest()) {
    const { rows, nbns, ledger } = await decodeCapture(line);
    wrong.push(...ledgerFaults(ledger).map((fault) => `${line.file}: ${fault}`));
    if (ledger.received !== Number(line.records)) wrong.push(`${line.file}: ${ledger.received} frames received`);
    if (ledger.decoded !== rows.length + nbns.length) wrong.push(`${line.file}: ${ledger.decoded} messages decoded`);
    if (nbns.length !== Number(line.nbns)) wrong.push(`${line.file}: ${nbns.length} NetBIOS messages`);
    const found = compare(line.file, rows, '.tsv');
    messages += found.messages;
    fields += found.fields;
    for (const [what, count] of found.counts) {
      const key = `${line.file}\t${what}`;
      deviations += count;
      if (accepted.get(key) !== count) {
        const examples = found.examples.get(what)?.join('\n    ');
        wrong.push(`${key}: ${count} found, ${accepted.get(key) ?? 0} declared\n    ${examples}`);
      }
      accepted.delete(key);
    }
  }
  for (const key of accepted.keys()) wrong.push(`${key}: declared, but it no longer occurs`);
  t.diagnostic(
    `${manifest().length} captures, ${messages} messages, ${fields} fields, ${deviations} declared deviations`,
  );
  assert.equal(wrong.join('\n'), '');
  assert.ok(messages > 56_000);
});
