import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openFiles } from '../../src/sources/files.ts';
import { fileProgram } from '../../src/sources/live/capture-program.ts';
import { foreignCompiler } from '../../src/sources/live/pcap-compile.ts';
import { generator } from '../sources/live/expressions.ts';
import { run } from '../sources/live/interpreter.ts';
import { begin } from './live-capture.ts';
import { Network } from './network.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nametap-bpf-'));
after(() => rmSync(folder, { recursive: true }));

/** Frames of one link type, in memory and in a file that tcpdump reads. */
interface Frames {
  link: number;
  file: string;
  frames: Uint8Array[];
}
const sets: Frames[] = [
  { link: 1, file: join(folder, 'ethernet.pcap'), frames: [] },
  { link: 101, file: join(folder, 'raw.pcap'), frames: [] },
];

/** The first frames of every capture at hand. */
before(async () => {
  const folders = [join(root, 'test/captures'), join(root, '../shared/corpus')].filter((path) => existsSync(path));
  const files = folders.flatMap((path) => globSync(`${path}/**/*.{pcap,pcapng,cap}`));
  for (const file of files) {
    const source = await openFiles([file]);
    for await (const batch of source.batches(AbortSignal.timeout(60_000))) {
      for (let i = 0; i < Math.min(batch.count, 400); i++) {
        const frame = batch.bytes.slice(batch.at[i], batch.at[i] + batch.captured[i]);
        sets.find(({ link }) => link === batch.link[i])?.frames.push(frame);
        // What is behind an Ethernet header makes a raw frame; and with tags before it, a tagged one.
        if (batch.link[i] === 1 && frame.length > 34) {
          if (i % 7 === 0) sets[1].frames.push(frame.subarray(14));
          if (i % 5 === 0) sets[0].frames.push(tagged(frame, 0x8100, 100 + (i % 3)));
          if (i % 11 === 0) sets[0].frames.push(tagged(tagged(frame, 0x8100, 7), 0x88a8, 100));
        }
      }
      break;
    }
  }
  for (const { file, link, frames } of sets) {
    assert.ok(frames.length > 100, `${frames.length} frames of link type ${link}`);
    writeFileSync(file, pcap(link, frames));
  }
});

function tagged(frame: Uint8Array, etherType: number, id: number): Uint8Array {
  const longer = new Uint8Array(frame.length + 4);
  longer.set(frame.subarray(0, 12));
  longer.set([etherType >> 8, etherType & 255, id >> 8, id & 255], 12);
  longer.set(frame.subarray(12), 16);
  return longer;
}

/** A capture file; the number of each frame is its time. */
function pcap(link: number, frames: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(262_144, 16);
  head.writeUInt32LE(link, 20);
  const parts: Uint8Array[] = [head];
  frames.forEach((frame, i) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(i, 0);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    parts.push(record, frame);
  });
  return Buffer.concat(parts);
}

/** Numbers of the frames that tcpdump takes, undefined where it refuses the expression. */
function judge(file: string, expression: string): number[] | undefined {
  let written: Buffer;
  try {
    // Its optimizer refuses what takes nothing.
    written = execFileSync('tcpdump', ['-O', '-r', file, '-w', '-', expression], {
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 30,
    });
  } catch {
    return undefined;
  }
  const taken: number[] = [];
  for (let at = 24; at < written.length; at += 16 + written.readUInt32LE(at + 8)) taken.push(written.readUInt32LE(at));
  return taken;
}

function ours({ link, frames }: Frames, expression: string, foreign = false): number[] {
  const rule = { snaplen: 262_144, defaultFilter: 'dns', filter: expression } as const;
  const program = fileProgram(rule, link, foreign ? foreignCompiler() : undefined);
  return frames.flatMap((frame, i) => (run(program, frame) > 0 ? [i] : []));
}

const WRITTEN = [
  '',
  'udp port 53',
  'tcp port 53',
  'port 53',
  'port 53 or 5353',
  'src port 53',
  'dst port 53 and udp',
  'src or dst port 53',
  'src and dst port 53',
  'udp src port 53 or tcp dst port 53',
  'portrange 50-60',
  'udp dst portrange 5300-5399',
  'ip',
  'ip6',
  'arp',
  'rarp',
  'udp',
  'tcp',
  'sctp',
  'icmp',
  'icmp6',
  'ip or ip6',
  'not ip',
  'not udp port 53',
  '!(udp or tcp)',
  'host 192.168.1.1',
  'host 127.0.0.1 and port 53',
  'src host 10.0.0.1 or dst host 10.0.0.2',
  'src 127.0.0.1',
  'src and dst 127.0.0.1',
  'ip host 10.0.0.1',
  'arp host 10.0.0.1',
  'net 10.0.0.0/8',
  'net 192.168',
  'net 192.168.0.0/16 && port 53',
  'dst net 10',
  'net 0.0.0.0/0',
  'host ::1',
  'net 2001:db8::/32',
  'ip6 net fe80::/10',
  'dst host ff02::fb',
  'src net 2001::/16 or net 10.0.0.0/8',
  'vlan',
  'vlan 100',
  'vlan 100 and udp port 53',
  'vlan and port 53',
  'port 53 or (vlan and port 53)',
  'vlan and vlan',
  'vlan 100 and vlan 7 and ip',
  'not vlan',
  'vlan or port 53',
  'udp or tcp and port 80',
  'udp and port 53 or tcp and port 53',
  'port (53 or 80)',
  'host (10.0.0.1 or 127.0.0.1) and not port 80',
  'port 53 and not src 127.0.0.1',
  'udp port 0x35',
];

test('capture filters take the frames that tcpdump takes', (t) => {
  let taken = 0;
  for (const set of sets) {
    for (const expression of WRITTEN) {
      const expected = judge(set.file, expression);
      // Tags only exist on Ethernet: there tcpdump refuses what here takes nothing.
      if (expected === undefined && set.link !== 1) continue;
      assert.deepEqual(ours(set, expression), expected, `${expression} on link type ${set.link}`);
      taken += expected?.length ?? 0;
    }
  }
  assert.ok(taken > 1000);
  t.diagnostic(
    `${sets.map(({ frames }) => frames.length).join(' + ')} frames, ${WRITTEN.length} filters, ${taken} taken`,
  );
});

test('so do three hundred filters made by chance', () => {
  const next = generator(20_261_124);
  for (let i = 0; i < 300; i++) {
    const expression = next();
    const expected = judge(sets[0].file, expression);
    assert.notEqual(expected, undefined, `tcpdump understands ${expression}`);
    assert.deepEqual(ours(sets[0], expression), expected, expression);
  }
});

test('the kernel takes live what tcpdump takes live, tags beside the frame included', async () => {
  const network = new Network();
  try {
    network.mtu(9000);
    const file = join(folder, 'replay.pcap');
    const frames = sets[0].frames.filter(({ length }) => length > 60 && length < 9000).slice(0, 6000);
    writeFileSync(file, pcap(1, frames));
    const tcpdumps = LIVE.map((filter, i) => {
      const words = ['-i', network.link, '-B', '16384', '-Z', 'root', '-w', join(network.folder, `${i}.pcap`), filter];
      return network.start(network.server, ['tcpdump', ...words]);
    });
    for (const { stderr } of tcpdumps) if (stderr !== null) await once(stderr, 'data');
    const all = LIVE.map((filter) => ({ interfaces: [network.link], filter, ringBytes: 16 << 20 }));
    const command = [process.execPath, fileURLToPath(new URL('live-frames.ts', import.meta.url)), JSON.stringify(all)];
    const { end } = await begin<{ sources: { frames: string[] }[] }>(network, command);
    await sleep(300);
    network.in(network.client, 'tcpreplay', '-q', '--pps=5000', '-i', network.link, file);
    await sleep(1500);
    const { sources } = await end();
    let taken = 0;
    for (const [i, child] of tcpdumps.entries()) {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
      const judged = digests(readFileSync(join(network.folder, `${i}.pcap`)));
      taken += judged.length;
      assert.deepEqual(
        sources[i].frames.map((frame) => frame.split(' ')[4]),
        judged,
        LIVE[i],
      );
    }
    assert.ok(taken > 5000, `${taken} frames`);
  } finally {
    await network.remove();
  }
});

/** Both ways a tag can be tested: beside the frame and in it. */
const LIVE = [
  'udp port 53',
  'vlan',
  'vlan 100 and udp port 53',
  'port 53 or (vlan and port 53)',
  'vlan and vlan',
  'vlan and vlan 7 and ip',
  'not vlan and tcp',
  'net 192.168.0.0/16 and vlan',
];

/** Digests of the frames in a file, as `live-frames.ts` prints them. */
function digests(file: Buffer): string[] {
  const found: string[] = [];
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) {
    const frame = file.subarray(at + 16, at + 16 + file.readUInt32LE(at + 8));
    found.push(createHash('sha1').update(frame).digest('hex').slice(0, 16));
  }
  return found;
}

test('what the own compiler does not know, libpcap compiles', () => {
  for (const expression of [
    'udp[10] & 0x80 = 0 and port 53',
    'ip proto 17',
    'greater 200',
    'ether broadcast',
    'ip6 proto 44',
  ]) {
    assert.deepEqual(ours(sets[0], expression, true), judge(sets[0].file, expression), expression);
    assert.throws(() => ours(sets[0], expression), /libpcap/, expression);
  }
});
