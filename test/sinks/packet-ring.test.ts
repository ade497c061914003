import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RingReader } from '../../src/app/ring-reader.ts';
import { searchRing } from '../../src/app/ring-search.ts';
import { runRows } from '../../src/app/run.ts';
import { Carrier } from '../../src/core/carrier.ts';
import { FATE } from '../../src/core/ledger.ts';
import { type Transaction, transactionValue } from '../../src/rr/transaction.ts';
import { PacketRing, type PacketRingCounts, type PacketRingPlan, ringFiles } from '../../src/sinks/packet-ring.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-ring-'));
after(() => rmSync(folder, { recursive: true }));
const captures = fileURLToPath(new URL('../captures/', import.meta.url));
const NAMES = readdirSync(captures).filter((name) => /\.pcap(ng)?$/.test(name));
const ROOM = { bytes: 64 << 20, fileBytes: 16 << 20 };

async function rowsOf(
  path: string,
  threads = 0,
  packets?: PacketRingPlan,
): Promise<[Transaction[], PacketRingCounts?]> {
  const rows: Transaction[] = [];
  let counts: (() => PacketRingCounts) | undefined;
  const hooks = {
    signal: new AbortController().signal,
    keeping: (given: () => PacketRingCounts) => {
      counts = given;
    },
  };
  await runRows({ input: { kind: 'files', paths: [path] }, threads, packets }, hooks, (batch, from, to) => {
    for (let i = from; i < to; i++) rows.push(transactionValue(batch, i));
  });
  return [rows, counts?.()];
}

async function exported(reader: RingReader, rows: readonly Transaction[], name: string): Promise<Transaction[]> {
  async function* pages() {
    for (let i = 0; i < rows.length; i += 7) yield Promise.resolve(rows.slice(i, i + 7));
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of reader.export(pages())) chunks.push(chunk);
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(chunks));
  return (await rowsOf(path))[0];
}
/** What a row says, but for frame numbers, how it ended when the file did, and what packets without a message told. */
const told = (rows: readonly Transaction[]) =>
  rows
    .map((row) => ({ ...row, frames: 0, outcome: '', tcp_retry: '', tcp_setup_ms: 0 }))
    .sort((a, b) => (a.transaction < b.transaction ? -1 : 1));

for (const threads of [0, 2]) {
  test(`every capture's transactions come back from the ring (${threads} workers)`, async () => {
    for (const name of threads === 0 ? NAMES : ['truncated-then-tcp.pcap', 'resolution.pcap', 'fragments-ipv6.pcap']) {
      const ring = join(folder, `${name}-${threads}`);
      const [rows, counts] = await rowsOf(captures + name, threads, { folder: ring, ...ROOM });
      assert.ok(counts !== undefined && counts.packets > 0 && counts.failed === 0, name);
      assert.ok(readdirSync(ring).length >= 1);
      const reader = new RingReader(ring);
      assert.deepEqual(told(await exported(reader, rows, 'all.pcapng')), told(rows), name);
      const some = rows.filter((_, i) => i % 3 === 0);
      const keys = new Set(some.map(({ transaction }) => transaction));
      const back = (await exported(reader, some, 'some.pcapng')).filter(({ transaction }) => keys.has(transaction));
      assert.deepEqual(told(back), told(some), name);
      assert.deepEqual(
        readdirSync(ring).filter((file) => file.startsWith('export')),
        [],
      );
    }
  });
}

test('an export holds the packets asked for and no others', async () => {
  const ring = join(folder, 'exact');
  const [rows] = await rowsOf(`${captures}lookups.pcapng`, 0, { folder: ring, ...ROOM });
  const wanted = rows.filter(({ type }) => type === 'AAAA' || type === 'MX').concat(rows.slice(0, 3));
  assert.ok(wanted.length > 0 && wanted.length < rows.length);
  assert.deepEqual(told(await exported(new RingReader(ring), wanted, 'exact.pcapng')), told(wanted));
});

test('the packets of one transaction have their numbers, times and octets', async () => {
  const ring = join(folder, 'one');
  const [rows] = await rowsOf(`${captures}udp.pcap`, 0, { folder: ring, ...ROOM });
  const reader = new RingReader(ring);
  const row = rows.find(({ outcome }) => outcome === 'answered');
  assert.ok(row !== undefined);
  const packets = await reader.of(row);
  assert.deepEqual(
    packets?.map(({ number }) => number),
    [...row.frames.query, ...row.frames.response],
  );
  assert.equal(packets?.[0].time, row.time);
  assert.ok(packets?.every(({ hex, length }) => hex.length === 2 * length));
  assert.equal(await reader.of({ ...row, time: '2001-01-01T00:00:00.000000000Z' }), null);
  // All segments of a TCP answer, and all fragments of one over UDP.
  for (const name of ['truncated-then-tcp.pcap', 'fragments-ipv4.pcap']) {
    const other = join(folder, `one-${name}`);
    const [big] = await rowsOf(captures + name, 0, { folder: other, ...ROOM });
    const longest = big.toSorted((a, b) => (b.response_bytes ?? 0) - (a.response_bytes ?? 0))[0];
    const found = await new RingReader(other).of(longest);
    const octets = found?.reduce((sum, { length }) => sum + length, 0) ?? 0;
    assert.ok(octets > (longest.query_bytes ?? 0) + (longest.response_bytes ?? 0), name);
  }
});

test('filters on fields of the frame are answered by the ring, newest first, page by page', async () => {
  const ring = join(folder, 'search');
  const path = `${captures}lookups.pcapng`;
  const [all] = await rowsOf(path, 0, { folder: ring, ...ROOM });
  const times = all.map(({ time }) => Date.parse(time)).sort((a, b) => a - b);
  const [from, to] = [times[0], times[times.length - 1] + 1];
  const reader = new RingReader(ring);
  const ask = async (filter: string, more: { limit?: number; after?: string; to?: number } = {}) => {
    const rows: Transaction[] = [];
    let next: string | null = null;
    for await (const page of searchRing(reader, {}, { from, to, filter, ...more })) {
      rows.push(...page.rows);
      if (page.done) next = page.next;
    }
    return { rows, next };
  };
  const wanted = (await filtered(path, 'frame.len > 90')).map(({ transaction }) => transaction);
  assert.ok(wanted.length > 5 && wanted.length < all.length);
  const { rows, next } = await ask('frame.len > 90', { limit: 1000 });
  assert.deepEqual(rows.map(({ transaction }) => transaction).sort(), wanted.toSorted());
  assert.equal(next, null);
  assert.ok(rows.every(({ time }, i) => i === 0 || time <= rows[i - 1].time));
  const pages: Transaction[] = [];
  for (let after: string | undefined; ; ) {
    const page: Awaited<ReturnType<typeof ask>> = await ask('frame.len > 90', {
      limit: 4,
      ...(after !== undefined && { after }),
    });
    pages.push(...page.rows);
    if (page.next === null) break;
    after = page.next;
  }
  assert.deepEqual(pages, rows);
  assert.deepEqual((await ask('frame.len > 9000')).rows, []);
  assert.deepEqual((await ask('', { to: from })).rows, []);
  await assert.rejects(ask('frame.len >'), /filter ends/);
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(async () => {
    for await (const page of searchRing(reader, {}, { from, to }, stop.signal)) assert.fail(String(page.found));
  });
});

async function filtered(path: string, filter: string): Promise<Transaction[]> {
  const rows: Transaction[] = [];
  const plan = { input: { kind: 'files' as const, paths: [path] }, threads: 0, filter };
  await runRows(plan, { signal: new AbortController().signal }, (batch, first, end) => {
    for (let i = first; i < end; i++) rows.push(transactionValue(batch, i));
  });
  return rows;
}

test('a ring that does not cover a transaction says so', async () => {
  const [rows] = await rowsOf(`${captures}udp.pcap`);
  const empty = new RingReader(join(folder, 'nothing'));
  assert.equal(empty.coverage(), null);
  assert.equal(await empty.of(rows[0]), null);
  await assert.rejects(exported(empty, rows, 'x'), /ring is empty/);
  await assert.rejects(exported(empty, [], 'x'), /No transaction matches/);
  const ring = join(folder, 'later');
  const later = new PacketRing({ folder: ring, ...ROOM }, INTERFACES);
  later.write(frame(2_000_000_000, 100), FATE.carried);
  later.close();
  await assert.rejects(exported(new RingReader(ring), rows, 'x'), /begins at 2033-05-18T03:33:20.000Z/);
});

const INTERFACES = [{ name: 'eth0', link: 1, snaplen: 0 }];
function frame(seconds: number, size: number): Carrier {
  const carrier = new Carrier();
  carrier.seconds = seconds;
  carrier.frame = new Uint8Array(size).fill(seconds & 255);
  carrier.capturedLength = carrier.wireLength = size;
  return carrier;
}

test('a ring stays within its size and age, over restarts and with fewer workers', () => {
  const plan = { folder: join(folder, 'bounded'), bytes: 1 << 20, fileBytes: 64 << 10 };
  let now = 1_700_000_000;
  const run = (workers: number, packets: number, ageSeconds?: number) => {
    const rings = Array.from(
      { length: workers },
      (_, worker) => new PacketRing({ ...plan, ageSeconds }, INTERFACES, worker, workers),
    );
    for (let i = 0; i < packets; i++) {
      for (const ring of rings) ring.write(frame(now, 1000), FATE.carried);
      now++;
    }
    for (const ring of rings) ring.close();
    const files = ringFiles(plan.folder);
    for (const { path, bytes } of files) assert.equal(statSync(path).size, bytes);
    return { files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  };
  for (const workers of [2, 2, 1]) {
    const { files, bytes } = run(workers, 3000);
    assert.ok(bytes <= plan.bytes && bytes > plan.bytes / 2, `${bytes} bytes`);
    assert.ok(files.every(({ worker }) => worker < workers));
  }
  const { files } = run(1, 500, 100);
  assert.ok(files[0].from >= BigInt(now - 100 - 2 * 64) * 1_000_000_000n, 'nothing much older than 100 s');
});

test('what cannot belong to a message is not kept; what cannot be written is counted', () => {
  const plan = { folder: join(folder, 'failing'), ...ROOM };
  const ring = new PacketRing(plan, INTERFACES);
  ring.write(frame(1, 60), FATE.not_dns);
  assert.equal(ring.counts.packets, 0);
  rmSync(plan.folder, { recursive: true });
  ring.write(frame(1, 60), FATE.carried);
  ring.write(frame(2, 60), FATE.carried);
  assert.deepEqual([ring.counts.packets, ring.counts.failed], [0, 2]);
  assert.match(ring.counts.problem ?? '', /Cannot create .*packets-0-/);
  ring.close();
  writeFileSync(plan.folder, '');
  assert.throws(() => new PacketRing(plan, INTERFACES), /Cannot make the packet ring/);
});

test('a ring that was cut by a crash is read as far as it goes', async () => {
  const ring = join(folder, 'cut');
  const [rows] = await rowsOf(`${captures}lookups.pcapng`, 0, { folder: ring, ...ROOM });
  const [{ path }] = ringFiles(ring);
  writeFileSync(path, readFileSync(path).subarray(0, -50));
  const back = await exported(new RingReader(ring), rows, 'cut.pcapng');
  assert.ok(back.length >= rows.length - 1);
});
