import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Screen } from '../../src/cli/top.ts';
import { registrableStart } from '../../src/enrich/public-suffix.ts';
import { Report } from '../../src/report/report.ts';
import { renderTop, sparkline, TOP_TABLES, type TopState, type TopTable } from '../../src/report/top-screen.ts';
import { a, batchesOf, type Row } from './rows.ts';

function rowsOf(n: number): Row[] {
  return Array.from({ length: n }, (_, i) => ({
    name: i % 4 === 0 ? `h${i % 3}.mail.example.co.uk` : `www${i % 7}.shop.example.com`,
    client: `10.0.0.${1 + (i % 5)}`,
    server: `192.0.2.${i % 2}`,
    type: i % 2 === 0 ? 1 : 28,
    rcode: i % 10 === 0 ? 3 : 0,
    answers: [a('192.0.2.1')],
  }));
}

function reportOf(rows: Row[]): Report {
  const report = new Report({ mapPairs: 0 }, registrableStart);
  for (const batch of batchesOf(rows)) report.add(batch);
  return report;
}

function state(table: TopTable, over: Partial<TopState> = {}): TopState {
  const fixed = {
    source: 'eth0',
    rates: [1, 5, 3],
    seconds: 12,
    paused: false,
    ended: false,
    help: false,
    scroll: 0,
    oneIn: 1,
    mostIn: 1,
  };
  return { report: reportOf(rowsOf(200)), table, ...fixed, ...over };
}

const text = (s: TopState, columns = 80, rows = 24) => renderTop(s, columns, rows, false);

test('every table fits every screen, down to tiny ones', () => {
  for (const table of [
    ...(Object.keys(TOP_TABLES) as TopTable[]),
    ...([1, 2, 3, 9] as const).map((n) => `${n}` as const),
  ]) {
    for (const [columns, rows] of [
      [80, 24],
      [200, 50],
      [40, 10],
      [20, 5],
    ]) {
      const lines = text(state(table, { help: rows > 20 }), columns, rows);
      assert.ok(lines.length <= rows, `${table} ${columns}×${rows}: ${lines.length} lines`);
      for (const line of lines) assert.ok(line.length <= columns, `${table} ${columns}×${rows}: ${line}`);
    }
  }
});

test('the tables show what dnstop shows', () => {
  const table = (key: TopTable) => text(state(key)).slice(4);
  assert.match(table('s')[0], /^source +count +share +NXDOMAIN +unansw\. +mean ms/);
  assert.match(table('s')[1], /^10\.0\.0\.1 +40 +20\.0 % +50\.0 % +0 % +1 +▇+$/);
  assert.match(table('d')[1], /^192\.0\.2\.0 +100 +50\.0 %/);
  assert.match(table('t').join('\n'), /^A +100 +50\.0 % +▇+\nAAAA +100 +50\.0 %/m);
  assert.match(table('r').join('\n'), /^NOERROR +180 +90\.0 % +▇+\nNXDOMAIN +20 +10\.0 %/m);
  assert.match(table('o')[1], /^QUERY +200 +100\.0 %/);
  assert.match(table('x')[1], /^example\.co\.uk +10/);
  assert.match(table('1').join('\n'), /^com +150 .*\nuk +50 /m);
  assert.match(table('2').join('\n'), /^example\.com +150 .*\nco\.uk +50 /m);
  assert.match(table('3').join('\n'), /^shop\.example\.com +150 .*\nexample\.co\.uk +50 /m);
});

test('keys choose tables, scroll, pause, reset and quit', () => {
  const screen = new Screen(() => reportOf([]), 'eth0', 's');
  const add = (rows: Row[]) => batchesOf(rows).forEach((batch) => screen.report.add(batch));
  add(rowsOf(50));
  assert.equal(screen.key('t', 10), true);
  assert.equal(screen.state.table, 't');
  screen.key('2', 10);
  assert.equal(screen.state.table, '2');
  screen.key('\x1b[6~', 10);
  screen.key('\x1b[A', 10);
  assert.equal(screen.state.scroll, 9);
  screen.key('p', 10);
  add(rowsOf(50));
  assert.equal(screen.state.report.rows, 50, 'paused: the screen stands still');
  assert.equal(screen.report.rows, 100, 'and counting goes on');
  screen.key('p', 10);
  assert.equal(screen.state.report.rows, 100);
  screen.key('\x12', 10);
  assert.equal(screen.state.report.rows, 0);
  assert.equal(screen.key('q', 10), false);
  assert.equal(screen.key('\x03', 10), false);
});

test('numbers of a sample are marked, as long as there are any', () => {
  assert.match(text(state('s', { oneIn: 8, mostIn: 8 }))[0], / one client in 8 {2}200 queries {2}12 s$/);
  const screen = new Screen(() => reportOf([]), 'eth0', 's');
  screen.sampled(4);
  screen.sampled(1);
  assert.match(text(screen.state)[0], / partly sampled {2}0 queries/);
  screen.key('\x12', 10);
  assert.match(text(screen.state)[0], /eth0 +0 queries/, 'after a reset all of it is whole again');
});

test('rates: what was counted since the last second; at the end of a file those of packet time', () => {
  const screen = new Screen(() => reportOf([]), 'a.pcap', 's');
  const start = performance.now();
  screen.tick(start);
  batchesOf(rowsOf(100)).forEach((batch) => screen.report.add(batch));
  screen.tick(start + 2000);
  assert.ok(Math.abs((screen.state.rates.at(-1) as number) - 50) < 1);
  screen.end();
  assert.deepEqual(screen.state.rates, [800], '100 queries in one bin of 125 ms');
  assert.match(text(screen.state)[0], /a\.pcap.*100 queries {2}ended/);
});

test('untrusted text cannot steer the terminal; no colour without being asked', () => {
  const lines = text(state('n', { source: 'eth0\x1b]0;owned\x07\u202e' }));
  // biome-ignore lint: control characters are what is looked for
  assert.doesNotMatch(lines.join('\n'), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  assert.match(renderTop(state('n'), 80, 24, true)[0], /\x1b\[1m/);
});

test('an empty screen says so, sparklines scale to their highest value', () => {
  assert.match(text(state('s', { report: reportOf([]), rates: [] })).join('\n'), /nothing yet/);
  assert.equal(sparkline([0, 1, 4, 8], 6), '  ▁▁▄█');
  assert.equal(sparkline([0, 0], 2), '▁▁');
  assert.equal(sparkline([9, 8, 8, 8], 3), '███');
});
