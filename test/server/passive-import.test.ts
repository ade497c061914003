import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImportLines } from '../../src/server/passive-import.ts';
import type { PassiveRow } from '../../src/store/store.ts';

async function read(format: 'cof' | 'zeek' | 'passivedns', text: string, chunk = 7) {
  const rows: PassiveRow[] = [];
  const lines = new ImportLines(format, (some) => {
    rows.push(...some);
    return Promise.resolve(some.length);
  });
  const bytes = new TextEncoder().encode(text);
  await lines.read(
    (async function* () {
      for (let i = 0; i < bytes.length; i += chunk) yield bytes.subarray(i, i + chunk);
    })(),
  );
  return { rows, counts: lines.counts };
}

test('the common output format: one or many rdata, numbers as types, what is wrong is counted by cause', async () => {
  const { rows, counts } = await read(
    'cof',
    [
      '{"rrname":"WWW.Example.","rrtype":"A","rdata":["192.0.2.1","192.0.2.2"],"time_first":1700000000,"time_last":1700000100,"count":3,"sensor_id":"s"}',
      '{"rrname":"x.example","rrtype":65280,"rdata":"\\\\# 1 00","time_first":1700000000,"time_last":1700000000}',
      'no json',
      '{"rrname":"x.example","rrtype":"A","rdata":"192.0.2.1"}',
      '{"rrtype":"A"}',
      '{"rrname":"x.example","rrtype":"NONSENSE","rdata":"x","time_first":1700000000}',
      '{"rrname":"x.example","rrtype":70000,"rdata":"x","time_first":1700000000}',
      '',
    ].join('\n'),
  );
  assert.deepEqual(rows, [
    ...['192.0.2.1', '192.0.2.2'].map((rdata) => ({
      rrname: 'www.example',
      rrtype: 'A',
      rdata,
      time_first: 1_700_000_000_000,
      time_last: 1_700_000_100_000,
      count: 3,
      sensor: 's',
    })),
    {
      rrname: 'x.example',
      rrtype: 'TYPE65280',
      rdata: '\\# 1 00',
      time_first: 1_700_000_000_000,
      time_last: 1_700_000_000_000,
      count: 1,
    },
  ]);
  assert.deepEqual(counts, {
    lines: 7,
    imported: 3,
    skipped: 5,
    reasons: { 'no JSON object': 1, 'no time_first or time_last': 1, 'no rrname or rrtype': 1, 'unknown type': 2 },
  });
});

test('a name in rdata has no dot at its end, whatever the type', async () => {
  const mail = {
    MX: '10 Mail.Example.',
    AFSDB: '1 Db.Example.',
    KX: '5 Kx.Example.',
    NS: 'Ns.Example.',
    12: 'Ptr.Example.',
  };
  const { rows } = await read(
    'cof',
    Object.entries(mail)
      .map(([rrtype, rdata]) => JSON.stringify({ rrname: 'example', rrtype, rdata, time_first: 1_700_000_000 }))
      .join('\n'),
  );
  assert.deepEqual(
    rows.map(({ rdata }) => rdata),
    // Keys that are numbers come first.
    ['ptr.example', '10 mail.example', '1 db.example', '5 kx.example', 'ns.example'],
  );
});

test("Zeek's dns.log, tab-separated and JSON: aliases lead to the addresses behind them", async () => {
  const tabbed = [
    '#separator \\x09',
    '#fields\tts\tid.orig_h\tquery\tqtype_name\tanswers',
    '1700000000.25\t10.0.0.1\twww.example\tA\tcdn.example,192.0.2.1',
    '1700000000.25\t10.0.0.1\tnone.example\tA\t-',
    '#close\t2023',
  ].join('\n');
  const { rows, counts } = await read('zeek', tabbed);
  assert.deepEqual(
    rows.map(({ rrname, rrtype, rdata }) => [rrname, rrtype, rdata]),
    [
      ['www.example', 'CNAME', 'cdn.example'],
      ['cdn.example', 'A', '192.0.2.1'],
    ],
  );
  assert.equal(rows[0].time_first, 1_700_000_000_250);
  assert.deepEqual(counts.reasons, { 'no answers': 1 });
  const json = await read(
    'zeek',
    '{"ts":"2023-11-14T22:13:20Z","query":"t.example","qtype_name":"TXT","answers":["TXT 5 a\\"b\\\\c"]}\n',
  );
  assert.deepEqual([json.rows[0].rdata, json.rows[0].time_first], ['"a\\"b\\\\c"', 1_700_000_000_000]);
});

test("passivedns' log", async () => {
  const { rows, counts } = await read(
    'passivedns',
    '1700000000.5||10.0.0.1||10.0.0.53||IN||example.||NS||ns.example.||3600||4\n1700000000||a||b||IN||no.example.||A||NXDOMAIN||0||1\nshort||line\n',
  );
  assert.deepEqual(rows, [
    {
      rrname: 'example',
      rrtype: 'NS',
      rdata: 'ns.example',
      time_first: 1_700_000_000_500,
      time_last: 1_700_000_000_500,
      count: 4,
    },
  ]);
  assert.deepEqual(counts.reasons, { 'no answer': 1, 'fewer than 8 fields': 1 });
});

test('a line without an end takes no memory', async () => {
  const { counts } = await read(
    'cof',
    `${'x'.repeat(3 << 20)}\n{"rrname":"a","rrtype":"A","rdata":"192.0.2.1","time_first":1,"time_last":1}\n`,
    1 << 14,
  );
  assert.equal(counts.imported, 1);
  assert.ok((counts.reasons['line too long'] ?? 0) >= 1);
});
