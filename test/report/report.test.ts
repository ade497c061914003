import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registrableStart } from '../../src/enrich/public-suffix.ts';
import { Report } from '../../src/report/report.ts';
import { scaledReport } from '../../src/report/sampled.ts';
import { reportText } from '../../src/report/text.ts';
import { reportHtml } from '../../src/report/html.ts';
import { FAULT } from '../../src/wire/fault.ts';
import { summarize } from '../../src/sketch/summary.ts';
import { a, batchesOf, cname, type Row } from './rows.ts';

function report(rows: Iterable<Row>, options = {}): Report {
  const made = new Report(options, registrableStart);
  for (const batch of batchesOf(rows)) made.add(batch);
  return made;
}

/** Seeded traffic with everything in it. */
function* traffic(n: number): Generator<Row> {
  let s = 42;
  const random = () => {
    s = (Math.imul(s, 1103515245) + 12345) >>> 0;
    return s / 2 ** 32;
  };
  for (let i = 0; i < n; i++) {
    const d = Math.floor(100 ** random()) - 1;
    const nx = random() < 0.1;
    const outcome = random() < 0.03 ? 'unanswered' : 'answered';
    yield {
      at: 1_700_000_000 + i / 7,
      name: `${random() < 0.5 ? 'WWW' : 'api'}.d${d}.${d % 3 === 0 ? 'co.uk' : 'com'}`,
      type: [1, 28, 65][i % 3],
      client: `10.0.0.${Math.floor(random() * 40)}`,
      server: `10.9.0.${i % 3}`,
      port: Math.floor(random() * 65536),
      id: Math.floor(random() * 65536),
      latencyNanos: Math.floor(1e5 * 1000 ** random()),
      rcode: nx ? 3 : 0,
      outcome,
      edns: random() < 0.5,
      queries: random() < 0.05 ? 2 : 1,
      answers: nx ? [] : [a(`192.0.2.${d}`, 60 + d), a(`192.0.2.${d + 1}`, 30)],
    };
  }
}

test('latency is exact in count, mean, variance, min and max, and states the error of its percentiles', () => {
  const rows = [...traffic(3000)];
  const exact = summarize(
    rows.filter((r) => r.outcome === 'answered').map((r) => r.latencyNanos as number),
    'ns',
  );
  const { latency } = report(rows).value();
  assert.equal(latency.n, exact.n);
  for (const key of ['mean', 'min', 'max', 'stddev'] as const) {
    assert.ok(Math.abs((latency[key] as number) - (exact[key] as number) / 1e6) < 1e-9, key);
  }
  for (const key of ['p50', 'p90', 'p95', 'p99'] as const) {
    const want = (exact[key] as number) / 1e6;
    assert.ok(Math.abs((latency[key] as number) - want) <= want * (latency.error as number), key);
  }
  assert.equal(
    latency.histogram.reduce((sum, [, , n]) => sum + n, 0),
    latency.n,
  );
});

test('two workers give the same report as one', () => {
  const batches = batchesOf(traffic(5000));
  const whole = new Report({}, registrableStart);
  const left = new Report({}, registrableStart);
  const right = new Report({}, registrableStart);
  batches.forEach((batch, i) => {
    whole.add(batch);
    (i % 2 === 0 ? left : right).add(batch);
  });
  const merged = new Report({}, registrableStart);
  merged.merge(Report.deserialize(structuredClone(left.serialize())));
  merged.merge(Report.deserialize(structuredClone(right.serialize())));
  const rows = (r: Report) => [...r.map.rows()];
  assert.deepEqual(rows(merged), rows(whole));
  const means = (value: object) =>
    JSON.parse(JSON.stringify(value, (key, v) => (key === 'latency_mean_ms' && v !== null ? v.toFixed(6) : v)));
  assert.deepEqual(means(merged.value()), means(whole.value()));
});

test('names fold case, domains follow the public suffix list', () => {
  const value = report([
    { name: 'www.Example.co.uk' },
    { name: 'WWW.EXAMPLE.CO.UK' },
    { name: 'a.b.example.co.uk' },
    { name: 'co.uk' },
    { name: '.' },
  ]).value();
  assert.deepEqual(
    value.names.top.map(({ key, count }) => [key, count]),
    [
      ['www.example.co.uk', 2],
      ['.', 1],
      ['a.b.example.co.uk', 1],
      ['co.uk', 1],
    ].toSorted((x, y) => (y[1] as number) - (x[1] as number) || 0),
  );
  assert.deepEqual(value.names.distinct, { value: 4, exact: true });
  assert.equal(value.domains.top[0].key, 'example.co.uk');
  assert.equal(value.domains.top[0].count, 3);
  assert.equal(value.domains.distinct.value, 3);
});

test('of a sample the counts are scaled and marked, ratios and statistics are of what was seen', () => {
  const seen = report([{ name: 'gone.example.com', rcode: 3 }, { flags: 0x8380 }, { queries: 2 }, {}]).value();
  const value = scaledReport(seen, 10);
  assert.deepEqual(value.sampled, { rate: 10, scaled: true });
  assert.deepEqual([value.transactions.count, value.transactions.queries], [40, 50]);
  assert.deepEqual([value.nxdomain.count, value.nxdomain.ratio], [10, 0.25]);
  assert.deepEqual([value.domains.top[0].count, value.domains.distinct.value], [40, 1]);
  assert.equal(
    value.transactions.timeline.queries.reduce((a, b) => a + b, 0),
    50,
  );
  assert.deepEqual(value.latency, seen.latency);
  assert.deepEqual(value.ledger, seen.ledger);
  assert.deepEqual(value.transactions.truncated, { count: 10, ratio: 0.25, followed_by_tcp: 0, not_followed: 10 });
  assert.match(reportText(value), /1 of 10 sampled, counts scaled/);
  assert.match(reportHtml(value), /A sample: one in 10, counts are scaled/);
  assert.doesNotMatch(reportHtml(seen), /A sample/);
});

test('NXDOMAIN is told from NODATA, and blamed on domain and client', () => {
  const value = report([
    { name: 'gone.example.com', rcode: 3, client: '10.0.0.7' },
    { name: 'gone2.example.com', rcode: 3, client: '10.0.0.7' },
    { name: 'empty.example.org', kind: 'nodata' },
    { name: 'fine.example.net', answers: [a('192.0.2.1')] },
  ]).value();
  assert.deepEqual([value.nxdomain.count, value.nxdomain.ratio], [2, 0.5]);
  assert.deepEqual(value.nxdomain.nodata, { count: 1, ratio: 0.25 });
  assert.deepEqual(value.nxdomain.by_domain, [{ key: 'example.com', count: 2, ratio: 1 }]);
  assert.deepEqual(value.nxdomain.by_client, [{ key: '10.0.0.7', count: 2, ratio: 1 }]);
});

test('truncated answers are split into followed by TCP and not', () => {
  const value = report([
    { flags: 0x8380, retry: true },
    { flags: 0x8380, retry: true },
    { flags: 0x8380 },
    { tcp: true },
    {},
  ]).value();
  const { truncated } = value.transactions;
  assert.deepEqual(truncated, { count: 3, ratio: 0.75, followed_by_tcp: 2, not_followed: 1 });
  assert.deepEqual(
    value.transports.map(({ key, count }) => [key, count]),
    [
      ['udp', 4],
      ['tcp', 1],
    ],
  );
  assert.equal(value.latency.tcp.n, 1);
  assert.equal(value.latency.tcp_setup.n, 0);
  assert.equal(value.latency.tcp_setup.mean, null);
});

test('setting up TCP connections is timed apart from answers, zero included', () => {
  const { latency } = report([{ tcp: true, setupNanos: 4e6 }, { tcp: true }, { tcp: true, setupNanos: 0 }, {}]).value();
  const { n, mean, min, max, unit } = latency.tcp_setup;
  assert.deepEqual([n, mean, min, max, unit], [2, 2, 0, 4, 'ms']);
  assert.equal(latency.tcp.n, 3);
  assert.equal(latency.max, 1);
});

test('unanswered, retransmitted, orphan and malformed are counted each on its own', () => {
  const value = report([
    { outcome: 'unanswered', queries: 3, lastMillis: 2000, server: '10.0.0.9' },
    { outcome: 'capture_ended' },
    { outcome: 'orphan' },
    { queries: 2, lastMillis: 400, latencyNanos: 500_000_000 },
    { fault: FAULT.trailing_bytes },
    { fault: FAULT.cut },
  ]).value();
  assert.equal(value.transactions.count, 6);
  assert.equal(value.transactions.queries, 8);
  assert.deepEqual([value.unanswered.count, value.unanswered.ratio], [1, 0.2]);
  assert.deepEqual(value.unanswered.by_server, [{ key: '10.0.0.9', count: 1, ratio: 1 }]);
  assert.deepEqual(value.transactions.retransmitted, { count: 2, ratio: 0.4, copies: 3 });
  assert.deepEqual(value.malformed.by_cause, [{ key: 'trailing_bytes', count: 1, ratio: 1 }]);
  assert.deepEqual([value.malformed.count, value.malformed.cut], [1, 1]);
  assert.equal(value.latency.max, 500);
  assert.equal(value.latency.from_last_copy.max, 100);
});

test('sizes are split at 512 and 1232 bytes by transport and EDNS', () => {
  const value = report([
    { edns: true },
    { edns: true, answers: Array.from({ length: 60 }, () => a('192.0.2.1')) },
    { answers: Array.from({ length: 100 }, () => a('192.0.2.1')), tcp: true },
  ]).value();
  const responses = value.sizes.classes.filter(({ message }) => message === 'response');
  const row = (transport: string, edns: boolean, classes: number[]) => ({
    message: 'response',
    transport,
    edns,
    up_to_512: classes[0],
    up_to_1232: classes[1],
    above_1232: classes[2],
  });
  assert.deepEqual(responses, [row('udp', true, [1, 1, 0]), row('tcp', false, [0, 0, 1])]);
  assert.equal(value.answers.max, 100);
  assert.equal(value.ttl.n, 160);
});

test('a fixed source port has no entropy, random ids have as much as there are queries', () => {
  const rows = Array.from({ length: 64 }, (_, i) => ({ port: 53, id: i * 1000 }));
  const [client] = report(rows).value().clients.top;
  assert.equal(client.source_port_entropy?.bits, 0);
  assert.equal(client.id_entropy?.bits, 6);
  assert.equal(client.id_entropy?.sampled, 64);
});

test('nothing at all is a report of nulls', () => {
  const value = report([]).value();
  assert.equal(value.latency.mean, null);
  assert.equal(value.transactions.per_second, null);
  assert.equal(value.period.first, null);
  assert.equal(value.unanswered.ratio, null);
  assert.equal(/NaN|Infinity/.test(JSON.stringify(value)), false);
});

test('the map holds name, chain, address, TTLs and times', () => {
  const rows = [
    ...report([
      {
        at: 1_700_000_000,
        name: 'WWW.example.com',
        answers: [
          cname('a.cdn.net'),
          cname('b.cdn.net', 'a.cdn.net'),
          a('192.0.2.9', 60, 'b.cdn.net'),
          a('192.0.2.66', 60, 'other.net'),
        ],
      },
      {
        at: 1_700_000_100,
        name: 'www.example.com',
        flags: 0x8580,
        answers: [cname('a.cdn.net'), a('192.0.2.9', 20, 'a.cdn.net')],
      },
      {
        name: 'www.example.com',
        type: 28,
        answers: [{ type: 28, ttl: 5, rdata: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] }],
      },
      { name: 'gone.example.com', rcode: 3, answers: [a('192.0.2.1')] },
    ]).map.rows(),
  ];
  assert.deepEqual(rows, [
    {
      name: 'www.example.com',
      cnames: [],
      type: 'AAAA',
      data: '2001:db8::1',
      ttl_min: 5,
      ttl_max: 5,
      first_seen: '2023-11-14T22:13:20.001000000Z',
      last_seen: '2023-11-14T22:13:20.001000000Z',
      count: 1,
      authoritative: false,
    },
    {
      name: 'www.example.com',
      cnames: ['a.cdn.net', 'b.cdn.net'],
      type: 'A',
      data: '192.0.2.9',
      ttl_min: 20,
      ttl_max: 60,
      first_seen: '2023-11-14T22:13:20.001000000Z',
      last_seen: '2023-11-14T22:15:00.001000000Z',
      count: 2,
      authoritative: true,
    },
  ]);
});

test('a full map gives up what was seen longest ago and counts it', () => {
  const rows = Array.from({ length: 300 }, (_, i) => ({
    at: 1_700_000_000 + i,
    name: `n${i}.example.com`,
    answers: [cname(`c${i}.net`), a('192.0.2.1', 60, `c${i}.net`)],
  }));
  const { map } = report(rows, { mapPairs: 100 });
  assert.ok(map.size <= 100 && map.size >= 50);
  assert.equal(map.evicted + map.size, 300);
  const kept = [...map.rows()];
  assert.equal(kept.length, map.size);
  for (const row of kept) {
    const i = Number(/^n(\d+)\./.exec(row.name)?.[1]);
    assert.ok(i >= 300 - map.size, row.name);
    assert.deepEqual(row.cnames, [`c${i}.net`]);
  }
});

test('hostile responses: a CNAME loop, rdata that is no name, a thousand links', () => {
  const links = Array.from({ length: 1000 }, (_, i) => cname(`l${i + 1}.x`, i === 0 ? undefined : `l${i}.x`));
  const { map } = report([
    { name: 'loop.x', answers: [cname('loop.x'), a('192.0.2.1')] },
    { name: 'bad.x', answers: [{ type: 5, ttl: 1, rdata: [0xc0, 0xff] }, a('192.0.2.2')] },
    { name: 'empty.x', answers: [{ type: 5, ttl: 1, rdata: [] }, a('192.0.2.2')] },
    { name: 'l0.x', answers: [...links, a('192.0.2.3', 1, 'l1000.x')] },
    { name: 'short.x', answers: [{ type: 1, ttl: 1, rdata: [1, 2] }] },
  ]);
  assert.deepEqual(
    [...map.rows()].map(({ name, data }) => [name, data]),
    [['loop.x', '192.0.2.1']],
  );
});

test('unique names and clients without end: memory stays bounded, distinct counts stay close', () => {
  function* flood(): Generator<Row> {
    for (let i = 0; i < 30_000; i++) {
      yield { name: `x${i}.flood.com`, client: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, rcode: 3 };
    }
  }
  const made = report(flood(), { names: 1024, clients: 1024 });
  const value = made.value();
  assert.ok(made.names.size <= 1024 && made.clients.size <= 1024);
  assert.ok(Math.abs(value.names.distinct.value - 30_000) < 4 * 0.01625 * 30_000);
  assert.equal(value.names.distinct.exact, false);
  assert.ok(Math.abs(value.clients.distinct.value - 30_000) < 4 * 0.01625 * 30_000);
  assert.deepEqual(value.domains.distinct, { value: 1, exact: true });
  assert.equal(value.nxdomain.by_domain[0].count, 30_000);
  assert.ok(value.names.floor > 0);
});
