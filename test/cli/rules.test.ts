import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

test('rules are tried on logs too, and on ports that are not DNS’s own', () => {
  const log = join(folder, 'queries.csv');
  const rows = Array.from({ length: 5 }, (_, i) => `2026-01-05T10:00:0${i}Z,n${i}.example,A,${i},192.0.2.1,10.0.0.7`);
  writeFileSync(log, `timestamp,domain,query_type,response_time,ip_returned,client\n${rows.join('\n')}\nnonsense\n`);
  const { code, err } = nametap(['rules', 'test', rules, log, '--expect', '1']);
  assert.equal(code, 0, err);
  assert.match(err, /5 transactions, 1 alert/);
  assert.match(err, /1 lines were of no use; the first is line 7/);
  const file = capture('tcp-pipelined.pcap');
  const moved = join(folder, 'moved.pcap');
  writeFileSync(moved, movedTo(readFileSync(file), 53, 53_053));
  const transactions = (...words: string[]) =>
    Number(/(\d+) transactions/.exec(nametap(['rules', 'test', rules, ...words]).err)?.[1]);
  const usual = transactions(file);
  assert.ok(usual > 1);
  assert.deepEqual([transactions(moved), transactions(moved, '-d', 'tcp.port==53053,dns')], [0, usual]);
  assert.match(nametap(['rules', 'test', rules, moved, '-d', 'udp.port=53053']).err, /is not understood/);
});

/** A capture with another port in all transport headers over IPv4 and Ethernet. */
function movedTo(bytes: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.from(bytes);
  const little = copy.readUInt32LE(0) === 0xa1b2c3d4 || copy.readUInt32LE(0) === 0xa1b23c4d;
  for (let at = 24; at + 16 <= copy.length; ) {
    const length = little ? copy.readUInt32LE(at + 8) : copy.readUInt32BE(at + 8);
    const ip = at + 16 + 14;
    const udp = copy.readUInt16BE(at + 16 + 12) === 0x86dd ? ip + 40 : ip + 20;
    for (const port of [udp, udp + 2]) if (copy.readUInt16BE(port) === from) copy.writeUInt16BE(to, port);
    at += 16 + length;
  }
  return copy;
}
