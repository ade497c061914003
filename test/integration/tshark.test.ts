/** Held against tshark itself, over captures made here: re-encapsulated, cut, mutated and merged traffic. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openFiles } from '../../src/sources/files.ts';
import * as B from '../net/build.ts';
import { pcap, type Record as PcapRecord } from '../sources/containers.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-tshark-'));
after(() => rmSync(folder, { recursive: true }));
const bin = fileURLToPath(new URL('../../bin/nametap', import.meta.url));
const capture = (name: string) => fileURLToPath(new URL(`../captures/${name}`, import.meta.url));

const FIELDS = (
  'frame.number frame.time_epoch frame.len frame.cap_len ip.src ip.dst ipv6.src ipv6.dst udp.srcport udp.dstport ' +
  'tcp.srcport tcp.dstport dns.id dns.flags dns.flags.response dns.flags.opcode dns.flags.rcode dns.count.queries ' +
  'dns.count.answers dns.count.auth_rr dns.count.add_rr dns.qry.name dns.qry.type dns.qry.class dns.resp.type ' +
  'dns.a dns.aaaa dns.cname dns.ns dns.ptr.domain_name dns.mx.mail_exchange dns.soa.serial_number dns.srv.target ' +
  'dns.resp.ttl'
).split(' ');
const RELATIONS = 'dns.time dns.response_to dns.retransmission dns.unsolicited'.split(' ');
const STREAMS = ['udp.stream', 'tcp.stream'];

type Line = Record<string, string>;

/** Lines of one program by frame; the values of several messages in one frame follow each other. */
function run(program: string, args: readonly string[], fields: readonly string[]): Map<number, Line> {
  const text = execFileSync(program, [...args, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])], {
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString();
  const frames = new Map<number, Line>();
  for (const row of text.split('\n').slice(0, -1)) {
    const cells = row.split('\t');
    const line: Line = Object.fromEntries(fields.map((field, i) => [field, cells[i]]));
    const number = Number(line['frame.number']);
    const before = frames.get(number);
    if (before === undefined) frames.set(number, line);
    else {
      for (const field of fields.filter((name) => name.startsWith('dns.'))) {
        before[field] = [before[field], line[field]].filter((cell) => cell !== '').join('|');
      }
    }
  }
  return frames;
}

const DNS = 'dns || mdns || llmnr';
const ALL = ['-E', 'occurrence=a', '-E', 'aggregator=|'];

function tshark(file: string, fields: readonly string[], options: readonly string[] = []): Map<number, Line> {
  const filter = `(${DNS}) && !icmp && !icmpv6`;
  return run('tshark', ['-n', '-r', file, '-Y', filter, ...options, ...ALL], fields);
}

function nametap(file: string, fields: readonly string[], options: readonly string[] = []): Map<number, Line> {
  return run(process.execPath, [bin, 'read', '-r', file, '-Y', DNS, ...options, ...ALL], fields);
}

/** Differences of the two programs over a file, up to a few; the number of cells compared. */
function differences(file: string, fields: readonly string[]): { cells: number; frames: number; wrong: string[] } {
  const theirs = tshark(file, fields);
  const ours = nametap(file, fields);
  const wrong: string[] = [];
  let cells = 0;
  for (const [number, line] of theirs) {
    const other = ours.get(number);
    if (other === undefined) wrong.push(`frame ${number}: not found: ${Object.values(line).join(' ')}`);
    else {
      for (const field of fields) {
        cells++;
        if (other[field] !== line[field]) wrong.push(`frame ${number} ${field}: ${other[field]} <> ${line[field]}`);
      }
    }
  }
  for (const number of ours.keys()) if (!theirs.has(number)) wrong.push(`frame ${number}: tshark has no message`);
  return { cells, frames: theirs.size, wrong: wrong.slice(0, 20) };
}

function same(file: string, fields: readonly string[] = [...FIELDS, ...STREAMS, ...RELATIONS]): number {
  const { cells, frames, wrong } = differences(file, fields);
  assert.deepEqual(wrong, [], file);
  assert.ok(frames > 0, file);
  return cells;
}

/** The IP packets of an Ethernet capture, with their EtherType. */
async function packets(name: string): Promise<{ record: PcapRecord; type: number; packet: number[] }[]> {
  const found = [];
  const source = await openFiles([capture(name)]);
  for await (const batch of source.batches(new AbortController().signal)) {
    for (let i = 0; i < batch.count; i++) {
      const data = batch.bytes.slice(batch.at[i], batch.at[i] + batch.captured[i]);
      const type = (data[12] << 8) | data[13];
      if (type !== 0x0800 && type !== 0x86dd) continue;
      const record = { seconds: batch.seconds[i], fraction: Math.floor(batch.nanos[i] / 1000), data };
      found.push({ record, type, packet: Array.from(data.subarray(14)) });
    }
  }
  assert.ok(found.length > 0, name);
  return found;
}

type Wrap = (type: number, packet: number[], ethernet: number[]) => number[];
const through = (protocol: number, payload: number[]) =>
  B.ethernet(0x0800, B.ipv4(protocol, payload, { from: [10, 0, 0, 1], to: [10, 0, 0, 2] }));
const ppp = (type: number, packet: number[]) => [0, type === 0x0800 ? 0x21 : 0x57, ...packet];

/** Ways to wrap an IP packet, and the link type of what comes out. */
const WRAPS: Record<string, [number, Wrap]> = {
  vlan: [1, (type, packet) => B.ethernet(0x8100, B.vlan(42, type, packet))],
  qinq: [1, (type, packet) => B.ethernet(0x88a8, B.vlan(7, 0x8100, B.vlan(42, type, packet)))],
  mpls: [1, (_, packet) => B.ethernet(0x8847, B.mpls(packet))],
  pppoe: [1, (type, packet) => B.ethernet(0x8864, B.pppoe(ppp(type, packet)))],
  // A length beyond 1500 would be an EtherType.
  snap: [
    1,
    (type, packet, ethernet) =>
      packet.length > 1492 ? ethernet : B.ethernet(8 + packet.length, B.llcSnap(type, packet)),
  ],
  gre: [1, (type, packet) => through(47, B.gre(0, type, [], packet))],
  nvgre: [1, (_, __, ethernet) => through(47, B.gre(0x2000, 0x6558, B.zeros(4), ethernet))],
  erspan: [1, (_, __, ethernet) => through(47, B.gre(0x1000, 0x88be, B.zeros(4), [0x10, ...B.zeros(7), ...ethernet]))],
  vxlan: [1, (_, __, ethernet) => through(17, B.udp(B.vxlan(ethernet), 50000, 4789))],
  geneve: [1, (type, packet) => through(17, B.udp([0, 0, ...B.u16(type), 0, 0, 1, 0, ...packet], 50000, 6081))],
  gtp: [1, (_, packet) => through(17, B.udp([0x30, 0xff, ...B.u16(packet.length), 0, 0, 0, 1, ...packet], 2152, 2152))],
  ipip: [1, (type, packet) => through(type === 0x0800 ? 4 : 41, packet)],
  l2tp: [1, (type, packet) => through(17, B.udp([0, 2, 0, 1, 0, 1, 0xff, 3, ...ppp(type, packet)], 1701, 1701))],
  raw: [101, (_, packet) => packet],
  null: [0, (type, packet) => [type === 0x0800 ? 2 : 30, 0, 0, 0, ...packet]],
  loop: [108, (type, packet) => [0, 0, 0, type === 0x0800 ? 2 : 24, ...packet]],
  sll: [113, (type, packet) => [0, 0, 0, 1, 0, 6, ...B.zeros(8), ...B.u16(type), ...packet]],
  sll2: [276, (type, packet) => [...B.u16(type), 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, ...B.zeros(8), ...packet]],
  ppp: [9, (type, packet) => [0xff, 3, ...ppp(type, packet)]],
  hdlc: [104, (type, packet) => [0x0f, 0, ...B.u16(type), ...packet]],
  wlan: [105, (type, packet) => B.wlan(B.llcSnap(type, packet))],
  radiotap: [127, (type, packet) => [0, 0, 8, 0, 0, 0, 0, 0, ...B.wlanQos(B.llcSnap(type, packet))]],
  fddi: [10, (type, packet) => [0x50, ...B.MACS, ...B.llcSnap(type, packet)]],
  ring: [6, (type, packet) => [0x10, 0x40, ...B.MACS, ...B.llcSnap(type, packet)]],
  nflog: [239, (type, packet) => nflog(type, packet)],
};

function nflog(type: number, packet: number[]): number[] {
  const length = packet.length + 4;
  const padding = B.zeros((4 - (length & 3)) & 3);
  return [type === 0x0800 ? 2 : 10, 0, 0, 0, length & 255, length >> 8, 9, 0, ...packet, ...padding];
}

/** Makes the flows of each encapsulation its own: other addresses of both ends, sums left as they were. */
function moved(type: number, packet: number[], by: number): number[] {
  const copy = [...packet];
  for (const at of type === 0x0800 ? [14, 18] : [20, 36]) copy[at] ^= by;
  return copy;
}

for (const name of [
  'udp.pcap',
  'lookups.pcapng',
  'tcp-pipelined.pcap',
  'truncated-then-tcp.pcap',
  'fragments-ipv6.pcap',
]) {
  test(`${name} in every encapsulation reads as tshark reads it`, async (t) => {
    const files: string[] = [];
    for (const [i, [how, [link, wrap]]] of Object.entries(WRAPS).entries()) {
      const frames = (await packets(name)).map(({ record, type, packet }) => {
        const other = moved(type, packet, i + 1);
        const data = Uint8Array.from(wrap(type, other, B.ethernet(type, other)));
        return { ...record, seconds: record.seconds + i * 60, data };
      });
      const file = join(folder, `${how}.pcap`);
      writeFileSync(file, pcap(frames, { link }));
      files.push(file);
    }
    const merged = join(folder, 'merged.pcapng');
    execFileSync('mergecap', ['-a', '-w', merged, ...files], { stdio: 'ignore' });
    t.diagnostic(`${files.length} encapsulations, ${same(merged)} cells`);
  });
}

const generator = fileURLToPath(new URL('../../../shared/bench/make-traffic.mjs', import.meta.url));

test('generated traffic, whole, cut and mutated, reads as tshark reads it', (t) => {
  if (!existsSync(generator)) {
    assert.notEqual(process.env.CI, 'true', `${generator} is missing: it must be there under CI`);
    return t.skip('the traffic generator is not beside this checkout');
  }
  const file = join(folder, 'generated.pcap');
  const generate = (tcp: string) => {
    const options = ['--transactions', '3000', '--tcp', tcp, '--seed', '5', '--out', file];
    execFileSync(process.execPath, [generator, ...options], { stdio: 'ignore' });
  };
  const edited = (name: string, ...options: string[]) => {
    const copy = join(folder, name);
    execFileSync('editcap', [...options, file, copy], { stdio: 'ignore' });
    return copy;
  };
  generate('0.1');
  let cells = same(file);
  cells += same(edited('nano.pcapng', '-F', 'pcapng', '-t', '-0.000000123'));
  // Without TCP: where segments are cut, tshark loses the framing and takes what follows for messages.
  generate('0');
  const layers = FIELDS.filter((field) => !field.startsWith('dns.'));
  const header = [...layers, 'dns.id', 'dns.flags', 'dns.flags.opcode'];
  cells += same(edited('cut-100.pcap', '-s', '100'), header);
  cells += same(edited('cut-60.pcap', '-s', '60'), header);
  cells += same(edited('mutated.pcap', '-E', '0.01', '--seed', '3', '-o', '62'), header);
  t.diagnostic(`${cells} cells`);
});
