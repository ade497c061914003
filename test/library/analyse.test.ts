import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync, crc32 as zlibCrc32 } from 'node:zlib';
import { analyseCapture } from '../../src/library/browser.ts';
import { crc32 } from '../../src/sources/crc32.ts';
import { readCapture, reportCapture, type Transaction } from '../../src/library/index.ts';

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

test('what is no capture is told so; rows beyond the memory are counted', async () => {
  await assert.rejects(analysed(new TextEncoder().encode('<script>alert(1)</script>'), 'x.html'), {
    name: 'UserError',
    message: /x\.html is no capture file/,
  });
  const { analysis } = await analysed(new Uint8Array(readFileSync(`${captures}udp.pcap`)), 'a.pcap', 1024);
  assert.equal(analysis.kept, 0);
  assert.ok(analysis.total > 0);
});
