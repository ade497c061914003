import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FrameInput } from '../../src/app/input.ts';
import { runRows } from '../../src/app/run.ts';
import type { Ledger, LedgerValue } from '../../src/core/ledger.ts';
import { queriesIn, rowText, sameRows } from './live-rows.ts';
import { Network } from './network.ts';

const RUN = fileURLToPath(new URL('live-run.ts', import.meta.url));

interface Outcome {
  rows: string[];
  ledger: LedgerValue;
  imbalance: string[];
  interfaces: { name: string }[];
}
interface Opened {
  became?: string;
  uid: number;
}

const network = new Network();
const names = join(network.folder, 'names');
before(async () => {
  const lines = Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? `n${i}.example A` : 'a.example AAAA'));
  writeFileSync(names, `${lines.join('\n')}\n`);
  await network.startResolver();
});
after(() => network.remove());

/** Captures in the server's namespace while `traffic` runs. */
async function capture(
  input: Partial<Extract<FrameInput, { kind: 'live' }>>,
  traffic: () => Promise<void> | void,
  { threads = 0, user, env = {} }: { threads?: number; user?: string; env?: Record<string, string> } = {},
): Promise<Outcome & { opened: Opened }> {
  const plan = { input: { kind: 'live', interfaces: [network.link], ...input }, threads };
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const child = network.start(network.server, ['env', ...words, process.execPath, RUN, JSON.stringify([plan, user])]);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += String(chunk);
  });
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  assert.ok(!first.done, said);
  const opened = JSON.parse(first.value) as Opened;
  await traffic();
  child.kill('SIGINT');
  const last = await lines.next();
  assert.ok(!last.done, said);
  const outcome = JSON.parse(last.value) as Outcome;
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0, said);
  assert.deepEqual(outcome.imbalance, []);
  return { ...outcome, opened };
}

/** The rows that files give. */
async function readFiles(paths: string[]): Promise<{ rows: string[]; ledger: Ledger }> {
  const rows: string[] = [];
  const plan = { input: { kind: 'files', paths } as const, threads: 0 };
  const { ledger } = await runRows(plan, { signal: AbortSignal.timeout(30_000) }, (batch, from, to) => {
    for (let i = from; i < to; i++) rows.push(rowText(batch, i));
  });
  return { rows, ledger };
}

function dig(...words: string[]): void {
  network.in(network.client, 'dig', '+time=2', '+tries=1', '+noall', '+comments', ...words);
}

/** Sends queries as fast as the resolver answers; how many. */
function dnsperf(...words: string[]): number {
  const said = network.in(network.client, 'dnsperf', '-d', names, '-c', '8', '-S', '0', ...words);
  const sent = Number(/Queries sent:\s+(\d+)/.exec(said)?.[1]);
  assert.equal(Number(/Queries completed:\s+(\d+)/.exec(said)?.[1]), sent, said);
  return sent;
}

/** All kinds of traffic; the number of queries sent. */
function mixed(): number {
  let sent = 0;
  sent += dnsperf('-s', '10.77.0.1', '-n', '4');
  sent += dnsperf('-s', 'fd77::1', '-n', '1');
  sent += dnsperf('-s', '10.77.0.1', '-m', 'tcp', '-n', '1');
  sent += dnsperf('-s', 'fd77::1', '-m', 'tcp', '-n', '1');
  // Answers in fragments, and queries cut by the server that come again by TCP.
  for (const server of ['10.77.0.1', 'fd77::1']) {
    dig(`@${server}`, '+bufsize=4096', 'big.example', 'TXT');
    dig(`@${server}`, '+bufsize=1200', 'big.example', 'TXT');
    sent += 3;
  }
  return sent;
}

for (const threads of [0, 1, 2]) {
  test(`every query is in a row, with ${threads} workers`, async (t) => {
    let sent = 0;
    const { rows, ledger } = await capture({}, () => void (sent = mixed()), { threads });
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
  const live = await capture({}, () => {
    mixed();
    // Nobody listens there: an ICMP error quotes the query.
    try {
      dig('@10.77.0.1', '-p', '5355', 'a.example');
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
      const { rows, ledger } = await capture({}, replay, { threads });
      const { rows: read } = await readFiles([file]);
      assert.ok(rows.length > 3000);
      assert.ok(rows.every((row) => row.includes(` vlan=${vlan} `)));
      sameRows(timeless(rows), timeless(read));
      assert.equal(ledger.frames.kernel, undefined);
    }
  });
}
