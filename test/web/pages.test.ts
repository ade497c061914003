import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beats, INTERVAL_EDGES, intervalHistogram } from '../../web/src/clients/intervals.ts';
import { changes, churn, growth, lanes } from '../../web/src/domains/timeline.ts';
import { entropyOf, labelShape, octetsOf, splitLabels } from '../../web/src/domains/labels.ts';
import { nameTree, treeRows } from '../../web/src/domains/tree.ts';
import { latencyMatrix, stepFor } from '../../web/src/latency/matrix.ts';
import { defang } from '../../web/src/format.ts';
import { emptyWeek, fullOf, shade, summaryOf, weekOf, wholeHoursAhead } from '../../web/src/clients/rhythm.ts';
import { kindOf, parseBatch, refang, toCof } from '../../web/src/pdns/question.ts';
import { toCsv } from '../../web/src/statistics/csv.ts';
import { atLeast, figure, sorted, storeOrder } from '../../web/src/statistics/figures.ts';
import { flow, type FlowStage, isLoss } from '../../web/src/sensors/flow.ts';
import { configLines } from '../../web/src/settings/lines.ts';

test('labels keep their escapes; octets of presentation text', () => {
  assert.deepEqual(splitLabels('a\\.b.c.example'), ['a\\.b', 'c', 'example']);
  assert.deepEqual(splitLabels('.'), []);
  assert.deepEqual(splitLabels('a.example.'), ['a', 'example']);
  assert.deepEqual(octetsOf('a\\.\\007\\\\'), [97, 46, 7, 92]);
  assert.deepEqual(octetsOf('a\\'), [97], 'an escape of nothing');
  assert.equal(entropyOf(octetsOf('aaaa')), 0);
  assert.equal(entropyOf(octetsOf('abCD')), 2);
  assert.equal(entropyOf(octetsOf('aA')), 0, 'case folds');
  assert.equal(entropyOf([]), 0);
});

test('the shape of labels tells words from encoded data', () => {
  const words = labelShape('example.com', ['www.example.com', 'mail.example.com', 'example.com']);
  assert.equal(words.names, 2, 'the domain itself has nothing below it');
  assert.equal(words.longest?.name, 'mail.example.com');
  const encoded = 'nbswy3dpeb3w64tmmqqho2lumvzsa5dim3z.example.com';
  const tunnel = labelShape('example.com', [encoded]);
  assert.equal(tunnel.length.find((bucket) => bucket.names > 0)?.from, 32);
  assert.ok((tunnel.entropy.find((bucket) => bucket.names > 0)?.from ?? 0) >= 3.5);
  assert.equal(labelShape('example.com', [`${'x'.repeat(63)}.example.com`]).length.at(-1)?.names, 1, '63 has a place');
});

test('the tree of names adds up, folds chains and ignores what is elsewhere', () => {
  const tree = nameTree('example.com', [
    { name: 'example.com', transactions: 5, clients: 2 },
    { name: 'www.example.com', transactions: 7, clients: 3 },
    { name: 'a.b.c.example.com', transactions: 2, clients: 1 },
    { name: 'z.b.c.example.com', transactions: 4, clients: 1 },
    { name: 'A.EXAMPLE.com', transactions: 1, clients: 1 },
    { name: 'notexample.com', transactions: 100, clients: 9 },
    { name: 'com', transactions: 100, clients: 9 },
  ]);
  assert.equal(tree.transactions, 19);
  assert.equal(tree.names, 5);
  assert.equal(tree.own, 5);
  assert.deepEqual(
    tree.children.map(({ label, transactions, names }) => [label, transactions, names]),
    [
      ['www', 7, 1],
      ['b.c', 6, 2],
      ['A', 1, 1],
    ],
  );
  assert.deepEqual(
    treeRows(tree, new Set(['b.c.example.com']), 2).rows.map(({ node, depth }) => `${depth} ${node.label}`),
    ['0 www', '0 b.c', '1 z', '1 a'],
  );
  assert.equal(treeRows(tree, new Set(), 2).hidden, 1);
  const deep = `${Array.from({ length: 126 }, () => 'a').join('.')}.com`;
  assert.equal(nameTree('com', [{ name: deep, transactions: 1, clients: 1 }]).children[0].name, deep);
});

test('a time line marks what came and what went', () => {
  const day = 86_400_000;
  const seen = [
    { name: 'a.example', type: 'A', data: '192.0.2.1', first: 0, last: 10 * day, count: 9 },
    { name: 'a.example', type: 'A', data: '192.0.2.2', first: 9 * day, last: 20 * day, count: 4 },
    { name: 'a.example', type: 'NS', data: 'ns.example', first: day, last: 20 * day, count: 4 },
  ];
  const line = lanes(seen);
  assert.deepEqual(
    line.lanes.map(({ data, start, end, appeared, vanished }) => [data, start, end, appeared, vanished]),
    [
      ['192.0.2.1', 0, 0.5, false, true],
      ['192.0.2.2', 0.45, 1, true, false],
      ['ns.example', 0.05, 1, false, false],
    ],
  );
  assert.deepEqual(lanes([]).lanes, []);
  const starts = [0, 5, 10, 15].map((at) => at * day);
  assert.deepEqual(churn(seen, starts, 5 * day), { alive: [2, 3, 3, 2], fresh: [2, 1, 0, 0] });
  assert.deepEqual(growth([1, 12 * day, 2], starts, 5 * day), [2, 2, 3, 3]);
  assert.deepEqual(changes([300, null, 300, 60, 60, 300]), [
    { index: 3, before: 300, after: 60 },
    { index: 5, before: 60, after: 300 },
  ]);
});

test('a clock is told from a person', () => {
  const clock = Array.from({ length: 30 }, (_, i) => ({ domain: 'c2.example', time: i * 60_000 + (i % 3) * 900 }));
  const pairs = clock.map(({ domain, time }) => ({ domain, time: time + 40 }));
  let seed = 7;
  const person = Array.from({ length: 40 }, () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return { domain: 'news.example', time: (seed / 2147483648) * 1_800_000 };
  });
  const found = beats([...person, ...clock, ...pairs]);
  assert.deepEqual(
    found.map(({ domain, rounds }) => [domain, rounds]),
    [['c2.example', 30]],
  );
  assert.ok(Math.abs(found[0].period - 60) < 2, `${found[0].period}`);
  const counts = intervalHistogram([0, 5, 60_005, 120_005]);
  assert.equal(counts[INTERVAL_EDGES.indexOf(60)], 2);
  assert.equal(counts[0], 1);
  assert.equal(
    intervalHistogram([]).every((n) => n === 0),
    true,
  );
});

test('passive DNS questions are told apart', () => {
  const kinds: Record<string, ReturnType<typeof kindOf>> = {
    'example.com': 'name',
    '*.example.com': 'left_wildcard',
    'www.example.*': 'right_wildcard',
    '192.0.2.1': 'address',
    '2001:db8::1': 'address',
    '192.0.2.0/24': 'cidr',
    '192.0.2.0/33': null,
    '2001:db8::/32': 'cidr',
    '192.0.2.1-192.0.2.9': 'range',
    'my-host.example': 'name',
    '192.0.2.300': 'name',
    'two words': null,
    '': null,
  };
  for (const [text, kind] of Object.entries(kinds)) assert.equal(kindOf(text), kind, text);
});

test('defanged text comes back, in every habit', () => {
  for (const text of ['www.example.com', '192.0.2.1', '2001:db8::1']) {
    assert.notEqual(defang(text), text);
    assert.equal(refang(defang(text)), text);
  }
  assert.equal(defang('www.example.com'), 'www[.]example[.]com');
  assert.equal(refang('hxxps[://]user@evil[.]example:8443/path'), 'evil.example');
  assert.equal(refang('evil(.)example[dot]com.'), 'evil.example.com');
  assert.equal(refang('http://[2001:db8::1]/x'), '2001:db8::1');
  const batch = parseBatch('evil[.]example, 192.0.2.1\n192.0.2.1;\n192.0.2.0/99 <b>');
  assert.deepEqual(batch, { questions: ['evil.example', '192.0.2.1', 'b'], refused: ['192.0.2.0/99'], more: 0 });
  assert.equal(parseBatch(Array.from({ length: 105 }, (_, i) => `h${i}.example`).join('\n')).more, 5);
});

test('rows leave in the common output format', () => {
  const row = {
    rrname: 'a.example',
    rrtype: 'A',
    rdata: '192.0.2.1',
    time_first: '2026-01-01T00:00:00.900Z',
    time_last: '2026-01-01T00:00:01.000Z',
    count: 3,
  };
  assert.deepEqual(JSON.parse(toCof([row])), { ...row, time_first: 1767225600, time_last: 1767225601 });
});

test('the latency matrix has no holes and keeps the unanswered', () => {
  const matrix = latencyMatrix(
    [
      { time: 60_000, bucket: 1, count: 4 },
      { time: 60_000, bucket: 8, count: 1 },
      { time: 180_000, bucket: null, count: 2 },
      { time: 999_999_999, bucket: 1, count: 50 },
    ],
    60_000,
    240_000,
    60_000,
  );
  assert.deepEqual(matrix.bucketMs, [1, 2, 4, 8]);
  assert.deepEqual(matrix.counts, [
    [4, 0, 0, 1],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
  assert.deepEqual(matrix.unanswered, [0, 0, 2]);
  assert.equal(matrix.total, 7);
  assert.equal(stepFor(3_600_000, 60), 60);
  assert.equal(stepFor(7 * 86_400_000, 90), 7200);
});

test('the flow sums, keeps small losses visible, and says when it does not sum', () => {
  const stages: FlowStage[] = [
    { stage: 'interface', unit: 'frames', in: 1_000_000, out: 999_999, lost: { interface: 1 } },
    { stage: 'dns', unit: 'frames', in: 999_999, out: 900_000, lost: { not_dns: 99_999 } },
    { stage: 'display filter', unit: 'messages', in: 1_800_000, out: 1_800_000, lost: {} },
  ];
  const drawn = flow(stages, 900, 100);
  assert.equal(drawn.sums, true);
  assert.deepEqual(
    drawn.nodes.map(({ x, height, turns }) => [x, Math.round(height), turns]),
    [
      [0, 100, false],
      [300, 100, false],
      [600, 100, true],
    ],
  );
  assert.equal(drawn.nodes[0].lost[0].height, 2);
  assert.equal(flow([{ ...stages[0], lost: {} }], 900, 100).sums, false);
  assert.equal(flow([stages[0], { ...stages[1], in: 999_998, out: 899_999 }], 900, 100).sums, false, 'stages chain');
  assert.equal(isLoss('kernel'), true);
  assert.equal(isLoss('not_dns'), false);
  assert.equal(isLoss('malformed'), false, 'it came so');
});

test('a configuration is shown line by line, masked secrets marked', () => {
  assert.deepEqual(
    configLines({
      server: { token: '***', port: 5390, hosts: ['a', 'b'], tls: {} },
      sinks: [{ kind: 'csv' }],
      x: null,
    }).map(({ depth, key, value, masked }) => `${' '.repeat(depth)}${key}=${value}${masked ? '!' : ''}`),
    [
      'server=null',
      ' token=***!',
      ' port=5390',
      ' hosts=[a, b]',
      ' tls={}',
      'sinks=null',
      ' -=null',
      '  kind=csv',
      'x=–',
    ],
  );
});

test('a week is moved to the time zone, and one loud hour does not dim the others', () => {
  const week = weekOf(
    [
      { hour: 0, count: 5 },
      { hour: 167, count: 7 },
      { hour: 168, count: 9 },
    ],
    2,
  );
  assert.equal(week[0][2], 5);
  assert.equal(week[0][1], 7, 'Sunday 23:00 UTC is Monday 01:00');
  assert.equal(
    week.flat().reduce((sum, n) => sum + n, 0),
    12,
    'there is no hour 168',
  );
  assert.equal(wholeHoursAhead('Europe/Berlin', Date.UTC(2026, 0, 1)), 1);
  assert.equal(wholeHoursAhead('America/New_York', Date.UTC(2026, 6, 1)), -4);
  assert.equal(wholeHoursAhead('Asia/Kolkata', 0), null, 'half an hour has no place in the table');
  assert.equal(wholeHoursAhead('UTC', 0), 0);
  const office = weekOf(
    Array.from({ length: 100 }, (_, hour) => ({ hour, count: hour === 50 ? 100_000 : 10 })),
    0,
  );
  assert.equal(fullOf(office), 10);
  assert.equal(shade(10, fullOf(office)), 6);
  assert.equal(shade(100_000, fullOf(office)), 6);
  assert.equal(shade(0, 10), 0);
  assert.deepEqual(summaryOf(office), { busiest: { day: 2, hour: 2 }, active: 100 });
  assert.equal(summaryOf(emptyWeek()), null);
});

test('rows sort by any number, what is not known comes last', () => {
  const rows = [
    { domain: 'a', transactions: 10, nxdomain: 5, latency: { p95: 3 } },
    { domain: 'b', transactions: 100, nxdomain: 5, latency: { p95: null } },
    { domain: 'c', transactions: 1, nxdomain: 1, latency: { p95: 9 } },
  ];
  const order = (by: string): string =>
    sorted(rows, by)
      .map(({ domain }) => domain)
      .join('');
  assert.equal(order('-latency.p95'), 'cab');
  assert.equal(order('latency.p95'), 'acb');
  assert.equal(order('-nxdomain_ratio'), 'cab');
  assert.equal(order('transactions'), 'cab');
  assert.equal(storeOrder('-latency.p95'), '-latency');
  assert.equal(storeOrder('nxdomain_ratio'), 'nxdomain');
});

test('numbers of a statistic keep what matters', () => {
  assert.deepEqual([null, 0, 0.0000917, 0.10523, 3.1449, 41.26, 979.4, 62_500, 12_345_678].map(figure), [
    '–',
    '0',
    '9.17e-5',
    '0.105',
    '3.14',
    '41.3',
    '979',
    '62,500',
    '1.23e7',
  ]);
  assert.equal(atLeast('latency', 41.5), 'dns.time >= 0.041500000');
  assert.equal(atLeast('ttl', 300), 'dns.resp.ttl >= 300');
  assert.equal(atLeast('size', 300), 'dns.flags.response == 1 and dns.message.length >= 300');
});

test('CSV runs nothing and breaks nowhere', () => {
  assert.equal(
    toCsv(
      ['domain', 'n'],
      [
        ["=cmd|'/c calc'!A1", 1],
        ['@SUM(A1)', -2],
        ['a,"b"\n', null],
      ],
    ),
    `domain,n\r\n'=cmd|'/c calc'!A1,1\r\n'@SUM(A1),-2\r\n"a,""b""\n",\r\n`,
  );
});
