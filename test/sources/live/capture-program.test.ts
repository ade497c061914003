import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/core/errors.ts';
import { FrameBatch } from '../../../src/core/frames.ts';
import { FATE, Ledger } from '../../../src/core/ledger.ts';
import { Dissector } from '../../../src/net/dissect.ts';
import { SHARD_FACTOR } from '../../../src/net/shard.ts';
import { openFiles } from '../../../src/sources/files.ts';
import { Assembler, encodeProgram, OP } from '../../../src/sources/live/bpf/assembler.ts';
import { fanoutProgram } from '../../../src/sources/live/bpf/fanout.ts';
import { showProgram } from '../../../src/sources/live/bpf/show.ts';
import { type CaptureRule, captureProgram, fileProgram } from '../../../src/sources/live/capture-program.ts';
import { corpus, hasCorpus, manifest } from '../corpus.ts';
import { type Aside, run } from './interpreter.ts';

const CAPTURES = new URL('../../captures/', import.meta.url).pathname;
const SMALL = ['udp', 'fragments-ipv4', 'fragments-ipv6', 'tcp-pipelined', 'truncated-then-tcp', 'mdns', 'malformed'];
const DNS: CaptureRule = { snaplen: 262_144, defaultFilter: 'dns' };

/** Frames of captures: of the small ones, and of the ground truth's where they are. */
async function* frames(): AsyncIterable<{ frame: Uint8Array; link: number }> {
  const paths = SMALL.map((name) => `${CAPTURES}${name}.pcap`);
  if (hasCorpus()) paths.push(...manifest().map(({ file }) => `${corpus.pathname}${file}`));
  for (const path of paths) {
    const source = await openFiles([path]).catch(() => undefined);
    for await (const batch of source?.batches(AbortSignal.timeout(60_000)) ?? []) {
      for (let i = 0; i < Math.min(batch.count, 500); i++) {
        const frame = batch.bytes.slice(batch.at[i], batch.at[i] + batch.captured[i]);
        yield { frame, link: batch.link[i] };
      }
      break;
    }
  }
}

const NOTHING = { message: () => undefined, unreachable: () => undefined };

function batchOf(frame: Uint8Array, link: number): FrameBatch {
  const batch = new FrameBatch(1);
  batch.count = 1;
  batch.bytes = frame;
  batch.captured[0] = batch.wire[0] = frame.length;
  batch.link[0] = link;
  batch.number[0] = 1;
  return batch;
}

/** What the dissector makes of one frame. */
function fateOf(frame: Uint8Array, link: number): number {
  const ledger = new Ledger();
  new Dissector(NOTHING, ledger, { heuristic: false }).frames(batchOf(frame, link));
  return ledger.frames.findIndex((count) => count > 0);
}

test('the default program takes every frame that carries DNS by its ports', async (t) => {
  const programs = new Map([1, 101].map((link) => [link, fileProgram(DNS, link)]));
  let taken = 0;
  let left = 0;
  for await (const { frame, link } of frames()) {
    const program = programs.get(link);
    if (program === undefined) continue;
    const isTaken = run(program, frame) > 0;
    if (isTaken) taken++;
    else left++;
    const fate = fateOf(frame, link);
    if (isTaken || (fate !== FATE.carried && fate !== FATE.icmp && fate !== FATE.fragment_unfinished)) continue;
    assert.ok(isBehindTunnel(frame, link), Buffer.from(frame.subarray(0, 80)).toString('hex'));
  }
  assert.ok(taken > 60);
  t.diagnostic(`${taken} taken, ${left} left`);
});

/** The default filter looks at the outermost IP header only: no tunnels, no MPLS, no PPPoE, no LLC. */
function isBehindTunnel(frame: Uint8Array, link: number): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  let at = 0;
  let version = frame[0] >> 4;
  if (link === 1) {
    at = 14;
    while ([0x8100, 0x88a8, 0x9100, 0x9200].includes(view.getUint16(at - 2))) at += 4;
    const type = view.getUint16(at - 2);
    if (type !== 0x0800 && type !== 0x86dd) return true;
    version = type === 0x0800 ? 4 : 6;
  }
  const protocol = version === 4 ? frame[at + 9] : frame[at + 6];
  if (![6, 17, 1, 58, 0, 43, 44, 60].includes(protocol)) return true;
  const udp = at + (version === 4 ? (frame[at] & 15) * 4 : 40);
  return (
    protocol === 17 && [4789, 8472, 4790, 6081, 2152, 3544, 4754, 1701, 6635, 37008].includes(view.getUint16(udp + 2))
  );
}

test('the fan-out program deals frames as the dissector does', async (t) => {
  const program = fanoutProgram(SHARD_FACTOR);
  let dealt = 0;
  const used = new Set<number>();
  const workers = [0, 1, 2, 3, 4].map((shard) => {
    const ledger = new Ledger();
    return { ledger, dissector: new Dissector(NOTHING, ledger, { shard, shards: 5 }) };
  });
  for await (const { frame, link } of frames()) {
    if (link !== 1 || frame.length < 54) continue;
    const protocol = (frame[12] << 8) | frame[13];
    // In a file tags are in the frame: the kernel takes the first one out.
    const untagged = protocol === 0x8100 ? Buffer.concat([frame.subarray(0, 12), frame.subarray(16)]) : frame;
    const aside = { 0: (untagged[12] << 8) | untagged[13] };
    const mine = run(program, untagged, aside) % 5;
    const before = workers.map(({ ledger }) => ledger.received);
    for (const { dissector } of workers) dissector.frames(batchOf(frame, link));
    const theirs = workers.findIndex(({ ledger }, i) => ledger.received > before[i]);
    const version = { 0x0800: 4, 0x86dd: 6, 0x8100: 0, 0x88a8: 0 }[aside[0]];
    // A header that is not what its type says goes anywhere.
    if (version === undefined || (version > 0 && untagged[14] >> 4 !== version)) continue;
    assert.equal(mine, theirs, Buffer.from(frame.subarray(0, 80)).toString('hex'));
    used.add(mine);
    dealt++;
  }
  assert.ok(dealt > 60 && used.size > 2);
  t.diagnostic(`${dealt} frames dealt`);
});

const QUERY = Uint8Array.from(
  Buffer.from('02000000000102000000000208004500001c00000000401100000a0000010a00000230390035000800000000', 'hex'),
);
const kernel = (values: Partial<Record<'type' | 'interface' | 'hardware' | 'tag', number>>): Aside => ({
  4: values.type ?? 0,
  8: values.interface ?? 1,
  28: values.hardware ?? 1,
  44: values.tag ?? 0,
  48: values.tag === undefined ? 0 : 1,
});

test('a socket for several interfaces takes only theirs, of the loopback interface each packet once', () => {
  const program = captureProgram({ ...DNS, filter: 'udp port 53' }, { interfaces: [2, 5] });
  assert.equal(run(program, QUERY, kernel({ interface: 2 })), 262_144);
  assert.equal(run(program, QUERY, kernel({ interface: 3 })), 0);
  assert.equal(run(program, QUERY, kernel({ interface: 5, hardware: 772 })), 262_144);
  assert.equal(run(program, QUERY, kernel({ interface: 5, hardware: 772, type: 4 })), 0);
  assert.equal(run(program, QUERY.subarray(14), kernel({ interface: 5, hardware: 65_534 })), 262_144);
  assert.equal(run(program, QUERY, kernel({ interface: 5, hardware: 32 })), 0);
});

test('a tag beside the frame counts as the first one', () => {
  const tagged = captureProgram({ ...DNS, filter: 'vlan 100 and udp port 53' }, { hardwareType: 1 });
  assert.equal(run(tagged, QUERY, kernel({ tag: 0x6064 })), 262_144);
  assert.equal(run(tagged, QUERY, kernel({ tag: 0x6065 })), 0);
  assert.equal(run(tagged, QUERY, kernel({})), 0);
  assert.equal(run(captureProgram(DNS, { hardwareType: 1 }), QUERY, kernel({ tag: 0x6064 })), 262_144);
});

test('-4 and -6 go with any filter, further ports and encrypted DNS with the default one', () => {
  const takes = (rule: Partial<CaptureRule>) =>
    run(captureProgram({ ...DNS, ...rule }, { hardwareType: 1 }), QUERY) > 0;
  assert.deepEqual([takes({ family: 4 }), takes({ family: 6 })], [true, false]);
  assert.deepEqual([takes({ family: 4, filter: 'udp' }), takes({ family: 6, filter: 'udp' })], [true, false]);
  assert.deepEqual(
    [takes({ family: 4, defaultFilter: 'none' }), takes({ family: 6, defaultFilter: 'none' })],
    [true, false],
  );
  const other = Uint8Array.from(QUERY);
  other.set([20, 180], 36);
  const run5300 = (rule: Partial<CaptureRule>) => run(captureProgram({ ...DNS, ...rule }, { hardwareType: 1 }), other);
  assert.deepEqual(
    [run5300({}), run5300({ extraTcpPorts: [5300] }), run5300({ extraUdpPorts: [5300] })],
    [0, 0, 262_144],
  );
  const to = (encrypted: CaptureRule['encrypted'], from: number, port: number) => {
    other.set([from >> 8, from & 255, port >> 8, port & 255], 34);
    return run5300({ encrypted }) > 0;
  };
  const flows = [
    [4000, 853],
    [853, 4000],
    [4000, 443],
    [443, 4000],
  ];
  const taken = (['off', 'dns', 'web'] as const).map((one) => flows.map(([from, port]) => to(one, from, port)));
  assert.deepEqual(taken, [
    [false, false, false, false],
    [true, true, false, false],
    [true, true, true, false],
  ]);
  assert.equal(run(captureProgram({ ...DNS, snaplen: 96 }, { hardwareType: 1 }), QUERY), 96);
});

test('without libpcap a filter beyond the language is told with its place', () => {
  const refused = (filter: string): string => {
    try {
      fileProgram({ ...DNS, filter }, 1);
    } catch (error) {
      assert.ok(error instanceof UserError);
      assert.equal(error.exit, 4);
      return error.message;
    }
    return assert.fail(`${filter} was taken`);
  };
  for (const [filter, column] of [
    ['udp prt 53', 4],
    ['udp port 53 and', 15],
    ['port 70000', 5],
    ['(ip or ip6', 10],
    ['ip proto 17', 3],
    ['udp[10] & 0x80 = 0', 3],
    ['net 10.0.0.1/8', 4],
    ['host 1.2.3.256', 5],
    ['host 2001::1::2', 5],
    ['vlan 5000', 5],
    ['port 53 )', 8],
    ['icmp port 53', 5],
  ] as const) {
    const lines = refused(filter).split('\n');
    assert.equal(lines[1], `  ${filter}`);
    assert.equal(lines[2], `  ${' '.repeat(column)}^`, lines.join('\n'));
  }
  assert.match(refused('greater 200'), /libpcap/);
  assert.doesNotMatch(refused('port 70000'), /libpcap/);
});

test('far jumps reach, and a program longer than the kernel takes is refused', () => {
  const filter = Array.from({ length: 150 }, (_, i) => `udp port ${1000 + i}`).join(' or ');
  const program = fileProgram({ ...DNS, filter: `${filter} or udp port 53` }, 1);
  assert.ok(program.length > 1000);
  assert.equal(run(program, QUERY), 262_144);
  assert.ok(program.every(({ jt, jf }) => jt < 256 && jf < 256));
  const none = fileProgram({ ...DNS, filter }, 1);
  assert.equal(run(none, QUERY), 0);
  assert.throws(() => fileProgram({ ...DNS, filter: `${filter} or ${filter}` }, 1), /4096/);
});

test('programs are shown as tcpdump shows them, and encoded as the kernel reads them', () => {
  const asm = new Assembler();
  const no = asm.accept(0);
  const yes = asm.accept(96);
  const program = asm.program(asm.equal(OP.loadHalf, 12, 0x0800, yes, no));
  assert.equal(
    showProgram(program),
    '(000) ldh      [12]\n(001) jeq      #0x800            jt 2\tjf 3\n(002) ret      #96\n(003) ret      #0\n',
  );
  const words = new Uint32Array(encodeProgram(program).buffer);
  assert.deepEqual([words[1], words[3], words[5], words[7]], [12, 0x800, 96, 0]);
});
