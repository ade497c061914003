import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { capture, nametap } from './nametap.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-rules-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const rules = join(folder, 'rules.yaml');
writeFileSync(
  rules,
  `- { name: busy client, filter: dns, per: ip.src, over: 5m, when: count >= 3, severity: high }
- { name: all, filter: dns }
`,
);

test('rules are checked, and a mistake has its place', () => {
  const { code, out } = nametap(['rules', 'check', rules]);
  assert.equal(code, 0);
  assert.equal(out, `${rules}: 2 rules, 1 of them marks\n`);
  const wrong = join(folder, 'wrong.yaml');
  writeFileSync(wrong, '- name: x\n  filtre: dns\n');
  const bad = nametap(['rules', 'check', wrong]);
  assert.equal(bad.code, 1);
  assert.match(bad.err, /wrong\.yaml:2:3: 'filtre' is no key of a rule\. Did you mean filter\?/);
});

test('rules are tried on a capture: alerts on standard output, what was marked on standard error', () => {
  const file = capture('udp.pcap');
  const { code, out, err } = nametap(['rules', 'test', rules, file]);
  assert.equal(code, 0, err);
  // A double holds the microsecond: nothing is said behind it.
  assert.match(out, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}000Z  high      /);
  const [, transactions, alerts] = /(\d+) transactions, (\d+) alerts/.exec(err) ?? [];
  assert.match(err, new RegExp(`'all' marked ${transactions} transactions`));
  assert.ok(Number(alerts) >= 1);
  const lines = nametap(['rules', 'test', rules, file, '-T', 'ndjson', '--expect', alerts]);
  assert.equal(lines.code, 0, lines.err);
  assert.equal(lines.out.trimEnd().split('\n').length, Number(alerts));
  assert.equal(nametap(['rules', 'test', rules, file, '--expect', String(Number(alerts) + 1)]).code, 1);
  assert.match(nametap(['rules', 'test', rules, file, '--expect', 'many']).err, /--expect wants a whole number/);
});
