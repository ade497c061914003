import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MarkNames } from '../../src/app/marks.ts';
import { rcodeName } from '../../src/wire/iana.ts';
import { DEMO, eventually, serving, temporaryFolder } from './serving.ts';

test('sets of rules have numbers, and never more than an octet holds', () => {
  const marks = new MarkNames();
  assert.equal(marks.of(['a']), 1);
  assert.equal(marks.of(['a', 'b']), 2);
  assert.equal(marks.of(['a']), 1);
  for (let i = 0; i < 1000; i++) assert.ok(marks.of([`rule ${i}`]) <= 255);
  assert.equal(marks.texts[marks.of(['another'])], 'several rules');
  assert.equal(marks.texts[marks.of(['a', 'b'])], 'a, b');
});

test('what a rule without a condition passes is marked in history, and found by the mark', async (t) => {
  const data = temporaryFolder();
  const rules = join(data, 'rules.yaml');
  writeFileSync(
    rules,
    `[{name: nothing there, filter: dns.flags.rcode == 3}, {name: never, filter: dns.id == 0 and dns.id == 1}]`,
  );
  const server = await serving(t, data, { 'capture-files': [DEMO], 'detect-rules': [rules] });
  type Rows = { rows: { rcode?: string; is_suspicious?: boolean; rules?: string[] }[] };
  const ask = (f: string) =>
    server.json<Rows>(`/api/v1/transactions?limit=1000&from=2000-01-01T00:00:00Z&f=${encodeURIComponent(f)}`);
  const { rows } = await eventually(async () => {
    const found = await ask('rule == "nothing there"');
    return found.rows.length > 10 ? found : undefined;
  }, 'marked rows');
  for (const row of rows) {
    assert.equal(row.rcode, rcodeName(3));
    assert.equal(row.is_suspicious, true);
    assert.deepEqual(row.rules, ['nothing there']);
  }
  const others = await ask('not rule');
  assert.ok(others.rows.length > 0);
  for (const row of others.rows) assert.equal(row.is_suspicious, undefined);
});
