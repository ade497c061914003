import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync, crc32 as zlibCrc32 } from 'node:zlib';
import { analyseCapture } from '../../src/library/browser.ts';
import { crc32 } from '../../src/sources/crc32.ts';
import { readCapture, reportCapture, type Transaction } from '../../src/library/index.ts';
import { readFrames } from '../../src/library/pcap.ts';
import type { Summary } from '../../src/sketch/summary.ts';

const captures = fileURLToPath(new URL('../captures/', import.meta.url));
const signal = new AbortController().signal;

async function analysed(bytes: Uint8Array<ArrayBuffer>, name = 'a.pcap', keepBytes?: number) {
  const steps: number[] = [];
  const progress = (read: number, total: number): void => {
    assert.ok(read <= total && total === bytes.length);
    steps.push(read);
  };
  return { ...(await rest()), steps };
  async function rest() {
    const analysis = await analyseCapture(new Blob([bytes]), {
      name,
      signal,
      progress,
      zstd: () => import('fzstd'),
      ...(keepBytes !== undefined && { keepBytes }),
    });
    return { analysis };
  }
}

for (const name of [
  'lookups.pcapng',
  'resolution.pcap',
  'truncated-then-tcp.pcap',
  'malformed.pcap',
  'fragments-ipv6.pcap',
]) {
  test(`${name} gives the page what the library gives Node`, async () => {
    const bytes = new Uint8Array(readFileSync(captures + name));
    const { analysis, steps } = await analysed(bytes, name);
    const expected: Transaction[] = [];
    for await (const row of readCapture(captures + name)) expected.push(row);
    const found = Array.from(analysis.find(''), (n) => analysis.transaction(n)).reverse();
    assert.deepEqual(found, expected);
    assert.equal(steps.at(-1), bytes.length);
    const { ledger } = await reportCapture(captures + name);
    assert.deepEqual({ ...analysis.report.ledger }, { ...ledger });
    assert.deepEqual(analysis.report.ledger.imbalance, []);
  });
}

test('rows are found by the filter language, and decoded to their bytes', async () => {
  const { analysis } = await analysed(new Uint8Array(readFileSync(`${captures}lookups.pcapng`)));
  const name = analysis.transaction(7).name ?? '';
  const numbers = analysis.find(`dns.qry.name == "${name.toUpperCase()}" and dns.qry.type == A`);
  assert.ok(numbers.length > 0 && numbers.length < analysis.kept);
  for (const n of numbers) assert.equal(analysis.transaction(n).name, name);
  const { query } = analysis.messages(numbers[0]);
  assert.ok(query !== null && query.tree.length > 0);
  assert.equal((query.bytes[0] << 8) | query.bytes[1], analysis.transaction(numbers[0]).id);
  assert.throws(() => analysis.find('dns.qry.nam == "x"'), { name: 'FilterError', at: 0, length: 11 });
});

test('gzip is read as what is in it; a file that is cut gives what came before', async () => {
  const plain = new Uint8Array(readFileSync(`${captures}udp.pcap`));
  const whole = (await analysed(plain)).analysis;
  const zipped = (await analysed(new Uint8Array(gzipSync(plain)))).analysis;
  assert.deepEqual(zipped.report.transactions, whole.report.transactions);
  assert.equal(zipped.damage, undefined);
  const cut = (await analysed(plain.slice(0, plain.length - 7))).analysis;
  assert.equal(cut.damage?.reason, 'the file ends within a packet record');
  assert.ok(cut.total > 0 && cut.total <= whole.total);
  const broken = (await analysed(new Uint8Array(gzipSync(plain)).slice(0, 500))).analysis;
  assert.match(broken.damage?.reason ?? '', /cannot be read further|ends/);
});

test('xz is read with its checksums, zstd by a decoder that is loaded for it', async () => {
  const compressed = (name: string) =>
    new Uint8Array(readFileSync(new URL(`../sources/compressed/${name}`, import.meta.url)));
  const plain = (await analysed(new Uint8Array(gunzipSync(compressed('sixty.pcap.gz'))))).analysis;
  for (const name of ['sixty.pcap.zst', 'sixty.pcap.xz', 'sixty.pcap.crc32.xz', 'sixty.pcap.sha256.xz']) {
    const { analysis } = await analysed(compressed(name), name);
    assert.equal(analysis.damage, undefined, name);
    assert.deepEqual({ ...analysis.report.ledger }, { ...plain.report.ledger }, name);
  }
  const broken = compressed('sixty.pcap.crc32.xz');
  const padding = broken.length - 60;
  for (let at = padding; at < padding + 20; at++) broken[at] ^= 0x55;
  assert.match((await analysed(broken)).analysis.damage?.reason ?? '', /xz/);
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 255);
  assert.equal(crc32(bytes.subarray(300), crc32(bytes.subarray(0, 300))), zlibCrc32(bytes));
});

test('rows are counted by what they have in common, as the API counts them', async () => {
  const { analysis } = await analysed(new Uint8Array(readFileSync(`${captures}lookups.pcapng`)));
  const all = Array.from(analysis.find(''), (n) => analysis.transaction(n));
  const texts: Record<string, (one: Transaction) => string | null> = {
    domain: (one) => one.registrable_domain ?? null,
    name: (one) => one.name?.toLowerCase() ?? null,
    client: (one) => one.client,
    server: (one) => one.server,
    type: (one) => one.type ?? null,
    rcode: (one) => one.rcode ?? null,
    opcode: (one) => one.opcode,
    transport: (one) => one.transport,
    outcome: (one) => one.outcome,
    answer_kind: (one) => one.answer_kind ?? null,
    role: (one) => one.role,
    leg: (one) => one.leg,
  };
  const values: Record<string, (one: Transaction) => number | undefined> = {
    latency: (one) => one.latency_ms,
    size: (one) => one.response_bytes,
    ttl: (one) => one.ttl_min,
    answers: (one) => (one.response_bytes === undefined ? undefined : one.answers?.length),
  };
  for (const [name, text] of Object.entries(texts)) {
    for (const [of, value] of Object.entries(values)) {
      const rows = analysis.groups('', { group: [name, 'type'], of, limit: 1000 });
      assert.equal(
        rows.reduce((sum, { transactions }) => sum + Number(transactions), 0),
        all.length,
      );
      for (const row of rows) {
        const same = all.filter((one) => text(one) === row[name] && (one.type ?? null) === row.type);
        assert.equal(row.transactions, same.length, `${name} ${JSON.stringify(row[name])}`);
        assert.equal(row.nxdomain, same.filter(({ rcode }) => rcode === 'NXDOMAIN').length);
        const numbers = same.flatMap((one) => value(one) ?? []);
        assert.deepEqual((row[of] as Summary).n, numbers.length, `${of} by ${name}`);
        assert.deepEqual((row[of] as Summary).max, numbers.length === 0 ? null : Math.max(...numbers), of);
      }
    }
  }
  assert.equal(analysis.groups('', { group: ['name'], of: 'latency', limit: 2 }).length, 2);
  const [hours] = analysis.groups('', { group: ['hour_of_week'], of: 'latency', limit: 1 });
  const time = new Date(all[0].time);
  assert.equal(hours.hour_of_week, String(((time.getUTCDay() + 6) % 7) * 24 + time.getUTCHours()));
  assert.throws(() => analysis.groups('nonsense', { group: ['name'], of: 'ttl', limit: 2 }), { name: 'FilterError' });
});

test('the frames of a transaction are read from the file again', async () => {
  const file = `${captures}truncated-then-tcp.pcap`;
  for (const bytes of [new Uint8Array(readFileSync(file)), new Uint8Array(gzipSync(readFileSync(file)))]) {
    const { analysis } = await analysed(bytes);
    const captured: Uint8Array[] = [];
    for await (const frame of readFrames(file)) captured.push(frame.bytes);
    for (const n of analysis.find('')) {
      const { query, response } = analysis.transaction(n).frames;
      const packets = await analysis.packets(n);
      assert.deepEqual(
        packets.map(({ number, direction, bytes: octets }) => ({ number, direction, octets })),
        [
          ...query.map((number) => ({ number, direction: 'query' })),
          ...response.map((number) => ({ number, direction: 'response' })),
        ]
          .sort((a, b) => a.number - b.number)
          .map((one) => ({ ...one, octets: captured[one.number - 1] })),
      );
    }
  }
});

test('what is no capture is told so; rows beyond the memory are counted', async () => {
  await assert.rejects(analysed(new TextEncoder().encode('<script>alert(1)</script>'), 'x.html'), {
    name: 'UserError',
    message: /x\.html is no capture file/,
  });
  const { analysis } = await analysed(new Uint8Array(readFileSync(`${captures}udp.pcap`)), 'a.pcap', 1024);
  assert.equal(analysis.kept, 0);
  assert.ok(analysis.total > 0);
});

test('counting says how far it has come', async () => {
  const { analysis } = await analysed(new Uint8Array(readFileSync(`${captures}lookups.pcapng`)));
  const shares: number[] = [];
  analysis.groups('dns', { group: ['name'], of: 'latency', limit: 2 }, (share) => void shares.push(share));
  assert.ok(shares.length >= 2, `told ${shares.length} times`);
  assert.ok(
    shares.every((share, i) => share >= (shares[i - 1] ?? 0) && share <= 1),
    shares.join(),
  );
});
