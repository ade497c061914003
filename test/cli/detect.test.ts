import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { capture, nametap } from './nametap.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-detect-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (name: string, text: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const hex = (n: number) => (Math.imul(n + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
const when = (i: number) => new Date(1_760_000_000_000 + i * 500).toISOString();
/** A small transfer among ordinary look-ups. */
const LINES = Array.from({ length: 40 }, (_, i) =>
  i % 2 === 0
    ? `${when(i)},www.example.com,A,12.5,192.0.2.1 192.0.2.2`
    : `${when(i)},${hex(i)}${hex(i * 7)}${hex(i * 13)}${hex(i * 31)}.drop.example,TXT,20,`,
);
const CSV = `timestamp,domain,query_type,response_time,ip_returned\r\n${LINES.join('\r\n')}\r\n`;
const csv = fileOf('queries.csv', CSV);

const KEYS =
  'time detector severity score subject client server domain count first_seen last_seen attack evidence'.split(' ');

test('a log gives one alert a line with exactly these keys, and a summary on standard error', () => {
  const { code, out, err } = nametap(['detect', '--detector', 'tun-bytes', csv]);
  assert.equal(code, 0, err);
  const alerts = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(alerts.length, 1);
  assert.deepEqual(Object.keys(alerts[0]), KEYS);
  assert.equal(alerts[0].detector, 'TUN-BYTES');
  assert.equal(alerts[0].domain, 'drop.example');
  assert.equal(alerts[0].client, null, 'the log does not say');
  assert.match(String(alerts[0].time), /^2025-10-09T\d\d:\d\d:\d\d\.\d{9}Z$/);
  assert.match(err, /40 transactions of 1 clients in 19\.5 s; 1 alerts: 1 medium/);
  assert.equal(nametap(['detect', '--detector', 'TUN-BYTES', csv]).out, out, 'the same again');
});

test('--fail-on makes it a check', () => {
  assert.equal(nametap(['detect', '-q', '--fail-on', 'medium', csv]).code, 1);
  assert.equal(nametap(['detect', '-q', '--fail-on', 'critical', csv]).code, 0);
  const quiet = nametap(['detect', '-q', '--fail-on', 'medium', capture('lookups.pcapng')]);
  assert.deepEqual([quiet.code, quiet.err], [0, '']);
});

test('--annotate writes a CSV back as it was, with two columns', () => {
  const { code, out } = nametap(['detect', '--annotate', '-T', 'csv', '-q', csv]);
  assert.equal(code, 0);
  const lines = out.trimEnd().split('\r\n');
  assert.equal(lines[0], 'timestamp,domain,query_type,response_time,ip_returned,is_suspicious,reason');
  assert.equal(lines.length, 41);
  lines.slice(1).forEach((line, i) => {
    assert.ok(line.startsWith(`${LINES[i]},`), line);
    if (i % 2 === 0) assert.ok(line.endsWith(',false,'), line);
    else assert.match(line, /,true,.*TUN-BYTES: /);
  });
});

test('rules without a condition mark rows and raise nothing', () => {
  const rules = fileOf('rules.yaml', '- name: slow A\n  filter: dns.qry.type == A and dns.time > 0.01\n');
  const { out, err } = nametap(['detect', '--detector', 'TUN-NOPARENT', '--rules', rules, '--annotate', csv]);
  assert.match(err, /0 alerts/);
  const marked = out.split('\r\n').filter((line) => line.endsWith(',true,slow A'));
  assert.equal(marked.length, 20);
});

test('a capture written as Zeek’s or Suricata’s log, compressed or not, gives the same alerts', () => {
  const source = capture('resolution.pcap');
  const shown = nametap(['detect', '--annotate', '-q', source]).out.split('\r\n').length;
  for (const format of ['zeek', 'eve']) {
    const text = nametap(['read', '-T', format, source]).out;
    for (const path of [fileOf(`a.${format}`, text), fileOf(`a.${format}.gz`, gzipSync(text))]) {
      const { code, out, err } = nametap(['detect', '--annotate', '-q', path]);
      assert.equal(code, 0, err);
      assert.equal(out.split('\r\n').length, shown, format);
    }
  }
  assert.match(readFileSync(csv, 'utf8'), /drop\.example/);
});

test('what makes no sense is said, with what to do', () => {
  const fails: [string[], RegExp][] = [
    [[], /Which capture or log/],
    [['-T', 'csv', csv], /add --annotate/],
    [['--annotate', '-'], /twice/],
    [['--detector', 'TUN-BYTE', csv], /Did you mean TUN-BYTES\?/],
    [[csv, capture('udp.pcap')], /one after the other/],
  ];
  for (const [words, reason] of fails) {
    const { code, err } = nametap(['detect', ...words]);
    assert.equal(code, 1, words.join(' '));
    assert.match(err, reason);
  }
  const broken = fileOf('broken.csv', CSV.replace(LINES[3], 'yesterday,x,A,,').replace(LINES[5], 'now,x,A,,'));
  assert.match(
    nametap(['detect', broken]).err,
    /broken\.csv \(csv\): 2 lines were of no use; the first is line 5: timestamp is neither/,
  );
  const useless = nametap(['detect', fileOf('none.csv', 'timestamp,domain,query_type\nx,y,z\n')]);
  assert.equal(useless.code, 3);
  assert.match(useless.err, /no line of it could be used\. Line 2/);
});
