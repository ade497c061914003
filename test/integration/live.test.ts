import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { capture, readFiles } from './live-capture.ts';
import { queriesIn, sameRows } from './live-rows.ts';
import { Network } from './network.ts';

const network = new Network();
before(() => network.startResolver());
after(() => network.remove());

/** All kinds of traffic; the number of queries sent. */
function mixed(): number {
  let sent = 0;
  sent += network.dnsperf('10.77.0.1', { times: 4 });
  sent += network.dnsperf('fd77::1');
  sent += network.dnsperf('10.77.0.1', { mode: 'tcp' });
  sent += network.dnsperf('fd77::1', { mode: 'tcp' });
  // Answers in fragments, and queries cut by the server that come again by TCP.
  for (const server of ['10.77.0.1', 'fd77::1']) {
    network.dig(`@${server}`, '+bufsize=4096', 'big.example', 'TXT');
    network.dig(`@${server}`, '+bufsize=1200', 'big.example', 'TXT');
    sent += 3;
  }
  return sent;
}

for (const threads of [0, 1, 2]) {
  test(`every query is in a row, with ${threads} workers`, async (t) => {
    let sent = 0;
    const { rows, ledger } = await capture(network, {}, () => void (sent = mixed()), { threads });
    assert.equal(queriesIn(rows), sent);
    assert.ok(rows.every((row) => row.includes(' answered queries=1 responses=1 ')));
    assert.equal(ledger.frames.kernel, undefined);
    t.diagnostic(`${sent} queries, ${ledger.received} frames`);
  });
}

test('gives the rows that the file gives which tcpdump wrote meanwhile', async () => {
  const file = join(network.folder, 'meanwhile.pcap');
  const words = ['-i', network.link, '-B', '32768', '--time-stamp-precision=nano', '-Z', 'root', '-w', file];
  const tcpdump = network.start(network.server, ['tcpdump', ...words]);
  assert.ok(tcpdump.stderr);
  await once(tcpdump.stderr, 'data');
  await sleep(300);
  const live = await capture(network, {}, () => {
    mixed();
    // Nobody listens there: an ICMP error quotes the query.
    try {
      network.dig('@10.77.0.1', '-p', '5355', 'a.example');
    } catch {
      // Dig says that nobody answered.
    }
  });
  await sleep(1200);
  tcpdump.kill('SIGINT');
  await once(tcpdump, 'exit');
  const { rows: read, ledger } = await readFiles([file]);
  assert.ok(read.length > 3000, `${read.length} rows`);
  assert.ok(read.some((row) => row.includes(' unreachable ')));
  const isTcp = (row: string) => row.includes(' protocol=6 ');
  sameRows(
    live.rows.filter((row) => !isTcp(row)),
    read.filter((row) => !isTcp(row)),
  );
  // What one machine sends itself by TCP has the kernel's sending time, so every listener stamps it anew.
  sameRows(timeless(live.rows.filter(isTcp)), timeless(read.filter(isTcp)));
  assert.equal(live.ledger.decoded, ledger.decoded);
});

/** Frames of a capture file with a VLAN tag each, in a file of its own. */
function tagFrames(from: string, to: string, tags: readonly (readonly [number, number])[]): void {
  const bytes = readFileSync(from);
  const parts = [bytes.subarray(0, 24)];
  for (let at = 24; at < bytes.length; ) {
    const captured = bytes.readUInt32LE(at + 8);
    const head = Buffer.from(bytes.subarray(at, at + 16));
    const added = Buffer.from(tags.flatMap(([type, id]) => [type >> 8, type & 255, id >> 8, id & 255]));
    head.writeUInt32LE(captured + added.length, 8);
    head.writeUInt32LE(head.readUInt32LE(12) + added.length, 12);
    const frame = bytes.subarray(at + 16, at + 16 + captured);
    parts.push(head, frame.subarray(0, 12), added, frame.subarray(12));
    at += 16 + captured;
  }
  writeFileSync(to, Buffer.concat(parts));
}

const timeless = (rows: readonly string[]) => rows.map((row) => row.split(' ').slice(2).join(' ')).sort();

for (const [what, tags, vlan] of [
  ['a VLAN tag', [[0x8100, 77]], 77],
  [
    'two VLAN tags',
    [
      [0x88a8, 200],
      [0x8100, 77],
    ],
    200,
  ],
] as const) {
  test(`frames with ${what}, which the kernel takes out, are read whole`, async () => {
    const file = join(network.folder, 'tagged.pcap');
    tagFrames(join(network.folder, 'meanwhile.pcap'), file, tags);
    // Tags make the longest fragments longer, and the kernel handed over segments that it cut only later.
    network.mtu(9000);
    const replay = () => void network.in(network.client, 'tcpreplay', '-q', '-i', network.link, '--pps=20000', file);
    for (const threads of [0, 2]) {
      const { rows, ledger } = await capture(network, {}, replay, { threads });
      const { rows: read } = await readFiles([file]);
      assert.ok(rows.length > 3000);
      assert.ok(rows.every((row) => row.includes(` vlan=${vlan} `)));
      sameRows(timeless(rows), timeless(read));
      assert.equal(ledger.frames.kernel, undefined);
    }
  });
}
