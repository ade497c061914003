import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ledger } from '../../src/core/ledger.ts';
import { runNode } from './examples.ts';
import { readCapture, reportCapture, summarize, type Transaction, UserError } from '../../src/library/index.ts';

const captures = fileURLToPath(new URL('../captures/', import.meta.url));
const lookups = join(captures, 'lookups.pcapng');
const folder = mkdtempSync(join(tmpdir(), 'nametap-library-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function all(from: AsyncIterable<Transaction>): Promise<Transaction[]> {
  return Array.fromAsync(from);
}

test('a capture gives its transactions and a ledger that sums', async () => {
  const capture = readCapture(lookups);
  const rows = await all(capture);
  assert.equal(rows.length, 50);
  assert.ok(rows.every(({ outcome, latency_ms = -1 }) => outcome === 'answered' && latency_ms > 0));
  assert.equal(capture.ledger.received, 100);
  assert.equal(capture.ledger.decoded, 100);
  assert.deepEqual(Ledger.from(capture.ledger).imbalance(), []);
  assert.deepEqual(capture.damage, []);
  assert.equal(capture.interfaces.length, 1);
});

test('several files are one capture', async () => {
  const paths = ['udp.pcap', 'truncated-then-tcp.pcap', 'lookups.pcapng'].map((name) => join(captures, name));
  const capture = readCapture(paths);
  const rows = await all(capture);
  const apart = (await Promise.all(paths.map(async (path) => all(readCapture(path))))).flat();
  assert.equal(rows.length, apart.length);
  assert.deepEqual(Ledger.from(capture.ledger).imbalance(), []);
});

test('a filter decides which messages become transactions', async () => {
  const names = (await all(readCapture(lookups))).map(({ name = '' }) => name);
  const wanted = names.find((name) => name.includes('.')) ?? '';
  const capture = readCapture(lookups, { filter: `dns.qry.name == "${wanted.toUpperCase()}"` });
  const rows = await all(capture);
  assert.equal(rows.length, names.filter((name) => name === wanted).length);
  assert.ok(rows.length > 0 && rows.length < names.length);
  const exact = readCapture(lookups, { filter: `dns.qry.name == "${wanted.toUpperCase()}"`, compat: 'wireshark' });
  assert.deepEqual(await all(exact), []);
});

test('what is wrong is told: the filter at once, a missing file when reading begins', async () => {
  const isFilterError = (error: unknown) => error instanceof UserError && error.exit === 4;
  assert.throws(() => readCapture(lookups, { filter: 'dns.qry.nam == 1' }), isFilterError);
  const isFileError = (error: unknown) => error instanceof UserError && error.exit === 3;
  await assert.rejects(all(readCapture(join(folder, 'absent.pcap'))), isFileError);
  const capture = readCapture(lookups);
  await all(capture);
  await assert.rejects(all(capture), /read once/);
});

test('a cut file gives what stands before the cut, and says where it is', async () => {
  const path = join(folder, 'cut.pcapng');
  const bytes = readFileSync(lookups);
  writeFileSync(path, bytes.subarray(0, Math.round(bytes.length * 0.6)));
  const told: { file: string; offset: number; reason: string }[] = [];
  const capture = readCapture(path, { onDamage: (damage) => told.push(damage) });
  const rows = await all(capture);
  const whole = await all(readCapture(lookups));
  const frames = capture.ledger.received;
  assert.ok(frames > 10 && frames < 100);
  assert.deepEqual(
    rows.filter(({ outcome }) => outcome === 'answered'),
    whole.filter((row) => row.frames.response[0] <= frames),
  );
  assert.equal(told.length, 1);
  assert.equal(told[0].file, path);
  assert.ok(told[0].offset > bytes.length / 2 && told[0].offset < bytes.length);
  assert.deepEqual(capture.damage, told);
});

test('a signal or a break ends the reading', async () => {
  const aborted = readCapture(lookups, { signal: AbortSignal.abort() });
  assert.deepEqual(await all(aborted), []);
  assert.deepEqual(Ledger.from(aborted.ledger).imbalance(), []);
  let seen = 0;
  for await (const row of readCapture(lookups)) {
    assert.notEqual(row.transaction, '');
    if (++seen === 3) break;
  }
  assert.equal(seen, 3);
});

test('a shorter time-out turns slow answers into late ones', async () => {
  const rows = await all(readCapture(lookups));
  const slowest = Math.max(...rows.map(({ latency_ms = 0 }) => latency_ms));
  const quick = await all(readCapture(lookups, { timeoutMs: slowest / 2, lateMs: 1000 }));
  assert.ok(quick.some(({ outcome }) => outcome === 'unanswered'));
});

test('the report agrees with the rows', async () => {
  const latencies = (await all(readCapture(lookups))).map(({ latency_ms = Number.NaN }) => latency_ms);
  const report = await reportCapture(lookups, { top: 3 });
  const { n, min, max, mean, variance } = summarize(latencies, 'ms');
  assert.equal(report.latency.n, n);
  assert.equal(report.latency.min, min);
  assert.equal(report.latency.max, max);
  assert.ok(Math.abs((report.latency.mean ?? 0) - (mean ?? 0)) < 1e-9);
  assert.ok(Math.abs((report.latency.variance ?? 0) - (variance ?? 0)) < 1e-6);
  assert.deepEqual(report.ledger.imbalance, []);
  assert.deepEqual(report.source.files, [lookups]);
});

test('the rows are those of nametap read -T ndjson', async () => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  for (const name of ['udp.pcap', 'truncated-then-tcp.pcap', 'mdns.pcap', 'malformed.pcap', 'two-interfaces.pcapng']) {
    const path = join(captures, name);
    const { stdout } = await runNode(folder, [main, 'read', path, '-T', 'ndjson']);
    const lines = stdout.split('\n').filter((line) => line !== '');
    const rows = await all(readCapture(path));
    assert.ok(rows.length > 0, name);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      rows,
      name,
    );
  }
});
