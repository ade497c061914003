/** Filters and printed values held against tshark 4.0, over the examples, the captures of the tests and the corpus. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TCP } from '../../src/core/carrier.ts';
import { compileFilter } from '../../src/filter/compile.ts';
import { CONSTRUCTS, MESSAGE } from '../filter/constructs.ts';
import { EXAMPLE_MESSAGES } from '../filter/examples.ts';
import type { Sample } from '../filter/messages.ts';
import { pcap } from '../sources/containers.ts';
import { corpus, hasCorpus } from '../sources/corpus.ts';
import { differences, eachMessage, UTC } from './printed-values.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'nametap-filter-'));
after(() => rmSync(folder, { recursive: true }));
/** The examples of one link type as a capture. */
function exampleFile(link: number, samples: readonly Sample[]): string {
  const file = join(folder, `examples-${link}.pcap`);
  const records = samples.map(({ carrier }, i) => ({
    seconds: 1_700_000_000 + 60 * i,
    fraction: 0,
    data: carrier.frame,
  }));
  writeFileSync(file, pcap(records, { link }));
  return file;
}

/** tshark 4.0 does not know TA, whose fields are those of DS, and takes a Chaos address for an IPv4 one. */
const NOT_IN_40 = ['TA', 'chaos'];
const whole = [
  MESSAGE,
  ...EXAMPLE_MESSAGES.filter(({ isWhole, title }) => isWhole && !NOT_IN_40.includes(title)).map(({ sample }) => sample),
];
const exampleFiles = [1, 113, 276].map((link) =>
  exampleFile(
    link,
    whole.filter(({ carrier }) => carrier.link === link),
  ),
);
const captures = globSync('*.pcap*', { cwd: fileURLToPath(new URL('../captures/', import.meta.url)) })
  .sort()
  .map((name) => fileURLToPath(new URL(`../captures/${name}`, import.meta.url)));
const shared = hasCorpus()
  ? globSync('{basic,edns-dnssec,mdns-llmnr,tcp,tunnels,real-sites}/*.pcap*', { cwd: corpus.pathname })
      .sort()
      .map((name) => join(corpus.pathname, name))
  : [];

const merged = join(folder, 'merged.pcapng');
execFileSync('mergecap', ['-a', '-w', merged, ...exampleFiles, ...captures, ...shared], { stdio: 'ignore' });

describe('values are printed as tshark prints them', () => {
  for (const file of [...exampleFiles, merged]) {
    test(file.slice(file.lastIndexOf('/') + 1), async () => {
      const { cells, wrong } = await differences(file);
      assert.ok(cells > 300, `${cells} values`);
      assert.deepEqual(wrong, []);
    });
  }

  // What only a frame of its own has: other links, fragments, tunnels in tunnels.
  for (const kind of ['linktypes', 'fragments'].filter(hasCorpus)) {
    test(`every capture of ${kind}`, async () => {
      let total = 0;
      for (const name of globSync(`${kind}/*.pcap*`, { cwd: corpus.pathname }).sort()) {
        const { cells, wrong } = await differences(join(corpus.pathname, name));
        total += cells;
        assert.deepEqual(wrong, [], name);
      }
      assert.ok(total > 10_000, `${total} values`);
    });
  }
});

/** Constructs that tshark 4.0 judges otherwise over these captures, with the reason. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'dns.qry.name == dns.resp.name': 'tshark leaves the owner of SRV out for names of its own',
  'dns.response_to': 'tshark pairs by ports and id, nametap by the question too',
  'dns.retransmission': 'as dns.response_to',
  'dns.time > 0.001': 'as dns.response_to',
  'dns.time in {0.001 .. 0.002}': 'as dns.response_to',
  'dns.qry.name[99]': 'octets that are no text count otherwise',
  '_ws.malformed': 'what counts as malformed is held in test/net and test/wire',
};

/** Filters on the captures beyond the constructs; each is valid in 4.0. */
const FILTERS = [
  'dns.flags.response == 0',
  'dns.flags.rcode != 0',
  'dns.flags.rcode == 3 and dns.qry.type == 1',
  'dns.qry.name contains "www"',
  'dns.qry.name contains "WWW"',
  'dns.qry.name matches "www|mail"',
  'dns.qry.name == "www.example.com"',
  'dns.qry.name == "<Root>"',
  'dns.qry.name.len > 25',
  'dns.qry.name[0:3] == "www"',
  'dns.qry.name[-3:3] == "com"',
  'dns.qry.name >= "n"',
  'dns.qry.type in {28, 33, 257}',
  'dns.qry.class != 1',
  'dns.count.answers > 3',
  'dns.count.answers >= dns.count.auth_rr',
  'dns.count.add_rr == 1 && dns.opt',
  'dns.a',
  'dns.a == 192.168.0.0/16',
  'dns.a > 100.0.0.0',
  'dns.a[3] == 01',
  'dns.aaaa == 2001:db8::/32',
  'dns.aaaa[0:2] == 20:01',
  'dns.cname contains "net"',
  'dns.ns matches r"^ns[12]\\."',
  'dns.mx.preference < 20',
  'dns.txt contains "spf"',
  'dns.txt.length > 100',
  'dns.soa.serial_number > 1',
  'dns.srv.port == 5060',
  'dns.resp.ttl > 86400',
  'dns.resp.ttl == 0',
  'dns.resp.ttl % 60 == 0',
  'dns.resp.len > 40',
  'dns.resp.cache_flush == 1',
  'dns.qry.qu == 1',
  'dns.rr.udp_payload_size > 1232',
  'dns.resp.z.do == 1',
  'dns.opt.code == 8',
  'dns.opt.client.addr4 == 192.0.0.0/8',
  'dns.opt.cookie.client',
  'dns.rrsig.algorithm in {8, 13}',
  'dns.rrsig.signature_expiration > "2018-10-10 00:00:00"',
  'dns.ds.digest[0:1] == 2b',
  'dns.nsec3.salt_length > 0',
  'dns.id & 1',
  'dns.flags & 0x0100 && dns.flags & 0x8000',
  'dns.flags == 0x8183',
  'dns.flags.authenticated == 1',
  'dns.length > 100',
  'ip.ttl < 64',
  'ip.src == ip.dst',
  'ip.addr == 10.0.0.0/8',
  'ip.addr != 10.0.0.0/8',
  'ip.len > 200',
  'udp.port == 5353',
  'udp.srcport == udp.dstport',
  'ip.len - 28 > 100',
  'udp.port > 60000 && udp.port < 60100',
  'tcp',
  'tcp.flags.push == 1',
  'eth.dst[0] & 1',
  'eth.addr[0:3] == 00:00:00',
  'frame.len > 200 xor 1 == 1',
  'frame.number in {2 .. 9, 20}',
  'frame.time < "2015-01-01 00:00:00"',
  'frame.time_epoch > 1600000000.5',
  'frame.time_relative < 0',
  'frame.time_delta > 0.001',
  'frame.protocols contains "vlan"',
  'frame.protocols == "eth:ethertype:ip:udp:dns"',
  'ip.host == "192.168.170.8"',
  'ip.src_host matches "^10"',
  'ipv6.dst_host contains "ff02"',
  'ipv6.tclass.dscp > 0',
  'eth.dst.ig == 1 and eth.src.lg == 0',
  'udp.checksum.status == 3',
  'tcp.flags.ece == 0',
  'dns.caa.unknown',
  'len(dns.qry.name) > 20',
  'count(dns.resp.ttl) > 4',
  'max(dns.resp.ttl) < 100',
  'lower(dns.qry.name) contains "www" || upper(dns.resp.name) contains "MAIL"',
  'not dns.a and not dns.aaaa',
  'mdns or llmnr',
  'dns contains 00:01:00:01',
  'dns[2] & 80',
  'frame contains "com"',
  'udp contains 03:63:6f:6d',
].filter((filter) => !filter.includes('xor') && !filter.includes('[2] &') && !filter.includes('[0] &'));

/** Frames that both take for one DNS message that is not within another packet. */
const COMPARABLE = '(dns || mdns || llmnr) && !icmp && !icmpv6 && !gre';

/** Over TCP tshark's dns begins with the length: its slices are compared over UDP only. */
const isOverUdp = (filter: string): boolean => filter.includes('dns[');

describe('filters find the frames that tshark finds', () => {
  const judged = Object.values(CONSTRUCTS)
    .flat()
    .filter(([filter, , judge]) => judge === '4.0' && filter.trim() !== '')
    .map(([filter]) => filter)
    .filter((filter) => OTHERWISE[filter] === undefined);
  const filters = [...judged, ...FILTERS];
  const both = (async () => ({
    theirs: await tsharkFrames(merged, [COMPARABLE, ...filters]),
    ours: await ownFrames(merged, filters),
  }))();

  for (const [i, filter] of filters.entries()) {
    test(filter, async () => {
      const { theirs, ours } = await both;
      const frames = new Set(theirs[0].filter((number) => ours.messages.get(number) === 1));
      assert.ok(frames.size > 100, `${frames.size} frames can be compared`);
      const of = (list: readonly number[]): number[] => list.filter((number) => frames.has(number));
      assert.deepEqual(of(ours.found[i]), of(theirs[i + 1]));
    });
  }

  test('each exception is a construct of 4.0', () => {
    const rows = Object.values(CONSTRUCTS).flat();
    for (const filter of Object.keys(OTHERWISE))
      assert.ok(
        rows.some(([text]) => text === filter),
        filter,
      );
  });
});

/** Frames that pass each filter, in one run: a tap for each. */
async function tsharkFrames(file: string, filters: readonly string[]): Promise<number[][]> {
  const script = join(folder, 'taps.lua');
  const taps = filters.map((filter, i) => {
    const text = isOverUdp(filter) ? `(${filter}) && udp` : filter;
    const octets = Array.from(new TextEncoder().encode(text), (octet) => `\\${String(octet).padStart(3, '0')}`).join(
      '',
    );
    return `local tap${i} = Listener.new('frame', '${octets}')\nfunction tap${i}.packet(p) print(${i} .. ' ' .. p.number) end\n`;
  });
  // A function of Lua holds 200 local names.
  writeFileSync(script, taps.map((tap) => `do\n${tap}end\n`).join(''));
  const { stdout } = await run('tshark', ['-n', '-q', '-r', file, '-X', `lua_script:${script}`], {
    maxBuffer: 1 << 28,
    env: UTC,
  });
  const found: number[][] = filters.map(() => []);
  for (const line of stdout.split('\n').slice(0, -1)) {
    const [i, number] = line.split(' ').map(Number);
    found[i].push(number);
  }
  return found;
}

/** Frames that pass each filter, and how many messages each frame holds (a malformed one counts twice). */
async function ownFrames(
  file: string,
  filters: readonly string[],
): Promise<{ found: number[][]; messages: Map<number, number> }> {
  const compiled = filters.map((filter) => compileFilter(filter, { compat: 'wireshark' }));
  const found: number[][] = filters.map(() => []);
  const messages = new Map<number, number>();
  await eachMessage(file, ({ carrier, view, join: relations }) => {
    messages.set(carrier.number, (messages.get(carrier.number) ?? 0) + (view.fault === 0 ? 1 : 2));
    compiled.forEach((filter, i) => {
      if (isOverUdp(filter.text) && carrier.transport === TCP) return;
      if (filter.matches(carrier, view, relations)) found[i].push(carrier.number);
    });
  });
  return { found, messages };
}
