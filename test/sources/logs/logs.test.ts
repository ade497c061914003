import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { type Transaction, transactionValue } from '../../../src/rr/transaction.ts';
import { batchesOf } from '../../../src/rr/batch-writer.ts';
import type { Exchange } from '../../../src/rr/exchange.ts';
import { csvCells } from '../../../src/sources/logs/csv.ts';
import { type LogCounts, LOG_FORMATS, openLogFile, readLogs } from '../../../src/sources/logs/read.ts';
import { logTime } from '../../../src/sources/logs/times.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-logs-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** Transactions of logs, in order, and what was counted. */
async function read(...texts: (string | Uint8Array)[]): Promise<{ rows: Transaction[]; counts: LogCounts[] }> {
  const logs = [];
  for (const text of texts) {
    const path = join(folder, `log-${files++}`);
    writeFileSync(path, text);
    const log = await openLogFile(path);
    assert.ok(log !== undefined, 'it is a log');
    logs.push(log);
  }
  const rows: Transaction[] = [];
  const counts = await readLogs(logs, new AbortController().signal, (batch) => {
    for (let i = 0; i < batch.count; i++) rows.push(transactionValue(batch, i));
    return true;
  });
  return { rows, counts };
}

const ZEEK = [
  '#separator \\x09',
  '#set_separator\t,',
  '#empty_field\t(empty)',
  '#unset_field\t-',
  '#path\tdns',
  '#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\trtt\tquery\tqclass\tqtype\trcode\tAA\tTC\tRD\tRA\tanswers\tTTLs',
  '1521911720.865716\tC1\t10.47.1.100\t41772\t10.0.0.100\t53\tudp\t36329\t0.000870\twww.example.com\t1\t1\t0\tF\tF\tT\tT\tedge.example.net,192.0.2.7\t30.000000,60.000000',
  '1521911721.5\tC2\t10.47.1.100\t41773\t10.0.0.100\t53\ttcp\t7\t-\tgone\\x20x.example\t1\t16\t-\tF\tF\tT\tF\t-\t-',
  '1521911720.9\tC3\t2001:db8::1\t1\t2001:db8::53\t53\tudp\t8\t0.1\tt.example\t1\t16\t0\tF\tF\tT\tT\tTXT 11 v=spf1\\x2c -all\t5',
  '1521911722.0\tC4\t10.47.1.100\t5\t10.0.0.100\t53\tudp\t9\t0.1\tnx.example\t1\t28\t3\tF\tF\tT\tT\t-\t-',
].join('\n');

test('Zeek, tab-separated: answers, TTLs, unanswered, octets, order of time', async () => {
  for (const text of [`${ZEEK}\n`, ZEEK.replaceAll('\n', '\r\n'), gzipSync(ZEEK)]) {
    const { rows, counts } = await read(text);
    assert.equal(counts[0].format, 'zeek');
    assert.deepEqual([counts[0].rows, counts[0].bad], [4, 0]);
    const [web, mail, missing, silent] = rows;
    assert.equal(web.time, '2018-03-24T17:15:20.865716000Z');
    assert.equal(web.latency_ms, 0.87);
    assert.equal(web.client_port, 41_772);
    assert.equal(web.id, 36_329);
    assert.deepEqual(web.cnames, ['edge.example.net']);
    assert.deepEqual(web.addresses, ['192.0.2.7']);
    assert.equal(web.ttl_min, 30);
    assert.equal(mail.client, '2001:db8::1');
    assert.equal(mail.answers?.[0].data, '"v=spf1, -all"');
    assert.equal(missing.rcode, 'NXDOMAIN');
    assert.equal(silent.name, 'gone\\032x.example');
    assert.equal(silent.transport, 'tcp');
    assert.equal(silent.outcome, 'unanswered');
  }
});

test('Zeek as JSON', async () => {
  const line = {
    ts: 1521911720.865716,
    'id.orig_h': '10.0.0.7',
    'id.orig_p': 5000,
    'id.resp_h': '10.0.0.53',
    'id.resp_p': 53,
    proto: 'udp',
    trans_id: 3,
    rtt: 0.012,
    query: 'www.example.com',
    qtype: 1,
    rcode: 0,
    RD: true,
    RA: true,
    answers: ['192.0.2.1', '192.0.2.2'],
    TTLs: [60, 60],
  };
  const { rows, counts } = await read(
    `${JSON.stringify(line)}\nnonsense\n${JSON.stringify({ ...line, query: 'x'.repeat(80) })}\n`,
  );
  assert.equal(counts[0].format, 'zeek-json');
  assert.deepEqual(rows[0].addresses, ['192.0.2.1', '192.0.2.2']);
  assert.equal(rows[0].latency_ms, 12);
  assert.equal(counts[0].bad, 2);
  assert.deepEqual(counts[0].firstBad, { line: 2, reason: 'it is no JSON object' });
});

const event = (more: object, dns: object) =>
  JSON.stringify({
    timestamp: '2026-01-05T10:00:00.000100+0100',
    event_type: 'dns',
    src_ip: '10.0.0.7',
    src_port: 5000,
    dest_ip: '10.0.0.53',
    dest_port: 53,
    proto: 'UDP',
    ...more,
    dns,
  });

test('Suricata: version 2 with the answer turned round, and version 3; what is not DNS is passed over', async () => {
  const turned = { src_ip: '10.0.0.53', src_port: 53, dest_ip: '10.0.0.7', dest_port: 5000 };
  const answers = [
    { rrname: 'www.example.com', rrtype: 'CNAME', ttl: 5, rdata: 'edge.example.net' },
    { rrname: 'edge.example.net', rrtype: 'A', ttl: 9, rdata: '192.0.2.7' },
  ];
  const later = { timestamp: '2026-01-05T10:00:00.020100+0100' };
  const text = [
    '{"timestamp":"2026-01-05T10:00:00.000000+0100","event_type":"stats","stats":{}}',
    event({}, { version: 2, type: 'query', id: 9, rrname: 'www.example.com', rrtype: 'A' }),
    event(
      { ...turned, ...later },
      {
        version: 2,
        type: 'answer',
        id: 9,
        flags: '8180',
        rrname: 'www.example.com',
        rrtype: 'A',
        rcode: 'NOERROR',
        answers,
      },
    ),
    event({}, { version: 3, type: 'request', id: 10, queries: [{ rrname: 'nx.example', rrtype: 'AAAA' }] }),
    event(later, {
      version: 3,
      type: 'response',
      id: 10,
      rcode: 'NXDOMAIN',
      queries: [{ rrname: 'nx.example', rrtype: 'AAAA' }],
    }),
    event({}, { version: 3, type: 'request', id: 11, queries: [{ rrname: 'silent.example', rrtype: 'A' }] }),
  ].join('\n');
  const { rows, counts } = await read(text);
  assert.deepEqual([counts[0].format, counts[0].rows, counts[0].bad], ['eve', 3, 0]);
  const of = (name: string) => rows.find((row) => row.name === name);
  const web = of('www.example.com');
  assert.deepEqual([web?.client, web?.server, web?.latency_ms], ['10.0.0.7', '10.0.0.53', 20]);
  assert.equal(web?.time, '2026-01-05T09:00:00.000100000Z');
  assert.deepEqual([web?.cnames, web?.addresses, web?.ttl_min], [['edge.example.net'], ['192.0.2.7'], 5]);
  assert.equal(of('nx.example')?.rcode, 'NXDOMAIN');
  assert.equal(of('silent.example')?.outcome, 'unanswered');
});

test('Suricata: answers without their queries are counted, each once', async () => {
  const answer = (id: number, version: number, more: object = {}) =>
    event({}, { version, type: 'answer', id, rrname: `n${id}.example`, rrtype: 'A', rcode: 'NOERROR', ...more });
  const query = (id: number) => event({}, { version: 1, type: 'query', id, rrname: `n${id}.example`, rrtype: 'A' });
  // Version 1 has an event for each record of an answer.
  const first = [query(1), answer(1, 1, { rdata: '192.0.2.1' }), answer(1, 1, { rdata: '192.0.2.2' })];
  const alone = [answer(2, 1, { rdata: '192.0.2.1' }), answer(2, 1, { rdata: '192.0.2.2' }), answer(3, 2)];
  const { rows, counts } = await read([...first, ...alone].join('\n'));
  assert.deepEqual([rows.length, counts[0].bad, counts[0].unasked], [1, 0, 2]);
});

test('CSV: columns in any order, several addresses, no answer, and every form of time', async () => {
  const text = [
    'query_type,timestamp,domain,ip_returned,response_time,client',
    'A,1767603600,one.example,"192.0.2.1, 2001:db8::1",3.25,10.0.0.7',
    '28,1767603601500,two.example,,,10.0.0.8',
    'A,2026-01-05T09:00:02.123456Z,three.example,NXDOMAIN,4,10.0.0.8',
    'A,"2026-01-05 10:00:03+01:00",four.example,192.0.2.9;192.0.2.10,1,10.0.0.8',
    'A,soon,five.example,,,10.0.0.8',
    'A,1767603600,,,,10.0.0.8',
    'NONSENSE,1767603600,x.example,,,10.0.0.8',
    'A,1767603600,x.example,,fast,10.0.0.8',
    'A,1767603600',
  ].join('\n');
  const { rows, counts } = await read(text);
  assert.deepEqual([counts[0].format, counts[0].rows, counts[0].bad], ['csv', 4, 5]);
  assert.equal(counts[0].firstBad?.line, 6);
  const of = (name: string) => rows.find((row) => row.name === `${name}.example`);
  assert.deepEqual(of('one')?.addresses, ['192.0.2.1', '2001:db8::1']);
  assert.equal(of('one')?.latency_ms, 3.25);
  assert.deepEqual([of('two')?.outcome, of('two')?.type], ['unanswered', 'AAAA']);
  assert.equal(of('two')?.time, '2026-01-05T09:00:01.500000000Z');
  assert.deepEqual([of('three')?.rcode, of('three')?.time], ['NXDOMAIN', '2026-01-05T09:00:02.123456000Z']);
  assert.deepEqual(
    [of('four')?.addresses, of('four')?.time],
    [['192.0.2.9', '192.0.2.10'], '2026-01-05T09:00:03.000000000Z'],
  );
});

test('several logs are one, in order of time', async () => {
  const log = (name: string, from: number) =>
    `timestamp,domain,query_type,response_time\n${Array.from({ length: 50 }, (_, i) => `${from + i * 2},${name}${i}.example,A,1`).join('\n')}`;
  const { rows } = await read(log('a', 1_767_603_600), log('b', 1_767_603_601));
  assert.equal(rows.length, 100);
  assert.deepEqual(
    rows.map(({ time }) => time),
    rows.map(({ time }) => time).toSorted(),
  );
});

test('times and cells', () => {
  assert.deepEqual(logTime('1767603601500123'), { seconds: 1_767_603_601, nanos: 500_123_000 });
  assert.deepEqual(logTime('0'), { seconds: 0, nanos: 0 });
  for (const wrong of ['', 'now', '2026-13-01T00:00:00Z', '-5', '12:00'])
    assert.equal(logTime(wrong), undefined, wrong);
  assert.deepEqual(csvCells('a,"b ""c"", d",,e'), ['a', 'b "c", d', '', 'e']);
  assert.deepEqual(csvCells('"a",'), ['a', '']);
});

test('captures and other texts are no logs; a log that is cut gives what came before', async () => {
  for (const [i, text] of ['', 'hello\nworld\n', '{"a":1}\n', '\xd4\xc3\xb2\xa1aaaa'].entries()) {
    const path = join(folder, `none-${i}`);
    writeFileSync(path, text, 'latin1');
    assert.equal(await openLogFile(path), undefined, text);
  }
  const many = `${ZEEK}\n${`${ZEEK.split('\n')[6]}\n`.repeat(5000)}`;
  const cut = gzipSync(many);
  const { rows, counts } = await read(cut.subarray(0, cut.length - 20));
  assert.ok(rows.length > 1000);
  assert.ok(counts[0].damage !== undefined);
});

test('whatever a line holds, it is a row or a reason', async () => {
  const cell = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '',
      '-',
      '::',
      '1:2:3:4:5:6:7:8:9',
      ':::::',
      '999.1.1.1',
      '1e999',
      '-1',
      'T',
      '\\x',
      'TXT 3 a',
      'x'.repeat(300),
    ),
  );
  const value = fc.oneof(
    cell,
    fc.integer(),
    fc.double(),
    fc.constant(null),
    fc.array(cell, { maxLength: 3 }),
    fc.object(),
  );
  const event = fc.record(
    {
      event_type: fc.constant('dns'),
      timestamp: cell,
      src_ip: cell,
      dest_ip: cell,
      src_port: value,
      dns: fc.oneof(fc.object(), value),
    },
    { requiredKeys: ['event_type'] },
  );
  const zeek = fc.dictionary(
    fc.constantFrom('ts', 'id.orig_h', 'id.resp_h', 'query', 'qtype', 'rtt', 'rcode', 'answers', 'TTLs'),
    value,
  );
  const one = { timestamp: '1767603600', src_ip: '10.0.0.1', dest_ip: '10.0.0.2', src_port: 1, dest_port: 53 };
  const dns = fc.dictionary(
    fc.constantFrom('type', 'id', 'rrname', 'rrtype', 'queries', 'answers', 'grouped', 'rcode', 'flags'),
    value,
  );
  const lines = fc.oneof(
    fc.array(cell, { minLength: 19, maxLength: 19 }).map((cells) => ['zeek', cells.join('\t')] as const),
    fc.array(cell, { minLength: 6, maxLength: 6 }).map((cells) => ['csv', cells.join(',')] as const),
    zeek.map(
      (row) =>
        ['zeek-json', JSON.stringify({ ts: 1767603600, 'id.orig_h': '::1', 'id.resp_h': '::2', ...row })] as const,
    ),
    event.map((row) => ['eve', JSON.stringify(row)] as const),
    dns.map((row) => ['eve', JSON.stringify({ ...one, event_type: 'dns', dns: { type: 'answer', ...row } })] as const),
    dns.map((row) => ['eve', JSON.stringify({ ...one, event_type: 'dns', dns: { type: 'query', ...row } })] as const),
  );
  const headers: Record<string, string> = {
    zeek: ZEEK.split('\n').slice(0, 6).join('\n'),
    csv: 'timestamp,domain,query_type,response_time,ip_returned,client',
  };
  await fc.assert(
    fc.asyncProperty(lines, async ([kind, line]) => {
      const format = LOG_FORMATS.find(({ name }) => name === kind);
      assert.ok(format !== undefined);
      const parser = format.open();
      const found: Exchange[] = [];
      for (const header of headers[kind]?.split('\n') ?? []) parser.line(header, () => {});
      const reason = parser.line(line.replaceAll('\n', ' '), (row) => void found.push(row));
      parser.end?.((row) => void found.push(row));
      assert.ok(reason === undefined || reason.length > 0);
      // What was taken can be written.
      const rows = batchesOf(found.map((row) => ({ ...row, time: 1_767_603_600 })));
      for (const batch of rows) for (let i = 0; i < batch.count; i++) transactionValue(batch, i);
    }),
    { numRuns: 2000 },
  );
});
