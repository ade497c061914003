/**
 * Up to which rate is live capture lossless, beside tcpdump, dnscap and tshark?
 *
 *   npm run bench -- live [--seconds 60] [--rates 100,200,400] [--only TOOL]      (root; Linux)
 *
 * Two network namespaces joined by a veth pair: tcpreplay loops a capture into one, the tool listens in the other.
 * Every tool goes up the rates (in thousands of packets a second) until it loses a packet.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CACHE, isInstalled, keep, NAMETAP, traffic } from './measure.ts';

const SENDER = 'nametap-bench-a';
const LISTENER = 'nametap-bench-b';
const FROM = 'ntbencha';
const TO = 'ntbenchb';

interface Tool {
  name: string;
  what: string;
  command: string[];
  /** Packets lost, from what the tool said when it was stopped; `arrived` came in at its interface. */
  lost(said: string, arrived: number): number;
  /** Its output is the packets, and they are counted. */
  keepsOutput?: boolean;
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rates: { type: 'string', default: '50,100,200,300,400,500' },
    only: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const capture = join(CACHE, 'live.pcap');
const file = traffic(100_000);

function number(said: string, pattern: RegExp): number {
  const match = pattern.exec(said);
  if (match === null) throw new Error(`no ${pattern} in: ${said}`);
  return Number(match[1].replaceAll(',', ''));
}
function packetsIn(path: string): number {
  const counted = execFileSync('capinfos', ['-M', '-T', '-r', '-c', path], { encoding: 'utf8' });
  return Number(counted.trim().split('\t')[1]);
}
/**
 * dnscap tells of no loss: what it wrote, held against the share of the replayed file that it takes when it reads it.
 * A loop cut short shifts that share a little, so less than one in a thousand is none.
 */
function notWritten(_said: string, arrived: number): number {
  const written = packetsIn(capture);
  execFileSync('sh', ['-c', 'dnscap -r "$1" -w - >"$2" 2>/dev/null', 'sh', file, capture]);
  const missing = Math.round((arrived * packetsIn(capture)) / packetsIn(file) - written);
  return missing < arrived / 1000 ? 0 : missing;
}
const nametapLost = (said: string) => number(said, /([\d,]+) lost/);
const tools: Tool[] = [
  {
    name: 'nametap',
    what: 'matching, statistics, NDJSON',
    command: [...NAMETAP, 'watch', '-i', TO, '--sample', 'off', '--unit', 'transaction', '-T', 'ndjson'],
    lost: nametapLost,
  },
  {
    name: 'nametap',
    what: 'matching, statistics',
    command: [...NAMETAP, 'watch', '-i', TO, '--sample', 'off', '-q'],
    lost: nametapLost,
  },
  {
    name: 'tcpdump',
    what: 'writes the packets',
    command: ['tcpdump', '-n', '-i', TO, '-B', '65536', '-w', '/dev/null', 'port', '53'],
    lost: (said) => number(said, /(\d+) packets dropped by kernel/),
  },
  {
    name: 'dnscap',
    what: 'writes the messages',
    command: ['dnscap', '-i', TO, '-w', '-'],
    lost: notWritten,
    keepsOutput: true,
  },
  {
    name: 'tshark',
    what: 'counts by type and rcode',
    command: ['tshark', '-n', '-q', '-B', '64', '-i', TO, '-f', 'port 53', '-z', 'dns,tree'],
    lost: (said) => Number(/(\d+) packets? dropped/.exec(said)?.[1] ?? 0),
  },
];

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
function raiseNetwork(): void {
  removeNetwork();
  ip('netns', 'add', SENDER);
  ip('netns', 'add', LISTENER);
  ip('link', 'add', FROM, 'netns', SENDER, 'type', 'veth', 'peer', 'name', TO, 'netns', LISTENER);
  for (const [space, link] of [
    [SENDER, FROM],
    [LISTENER, TO],
  ]) {
    // Nothing but the replay on the wire.
    ip('netns', 'exec', space, 'sh', '-c', `echo 1 > /proc/sys/net/ipv6/conf/${link}/disable_ipv6`);
    ip('-n', space, 'link', 'set', link, 'arp', 'off', 'up');
  }
}
function removeNetwork(): void {
  for (const space of [SENDER, LISTENER]) spawnSync('ip', ['netns', 'del', space], { stdio: 'ignore' });
}
function arrivedPackets(): number {
  const path = `/sys/class/net/${TO}/statistics/rx_packets`;
  // `ip netns exec` mounts the namespace's own /sys.
  return Number(execFileSync('ip', ['netns', 'exec', LISTENER, 'cat', path], { encoding: 'utf8' }));
}

/** One tool at one rate. */
async function listen(tool: Tool, packetsPerSecond: number) {
  const before = arrivedPackets();
  const output = openSync(tool.keepsOutput ? capture : '/dev/null', 'w');
  const child = spawn('ip', ['netns', 'exec', LISTENER, ...tool.command], { stdio: ['ignore', output, 'pipe'] });
  closeSync(output);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const ended = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  await sleep(2000);
  const replay = ['tcpreplay', '-q', '-K', `--pps=${packetsPerSecond}`, '--loop=0', `--duration=${seconds}`];
  const sender = spawn('ip', ['netns', 'exec', SENDER, ...replay, '-i', FROM, file], { stdio: 'ignore' });
  await new Promise((resolve, reject) => sender.on('error', reject).on('close', resolve));
  await sleep(2000);
  // `ip netns exec` becomes the tool, so its number is the tool's.
  child.kill('SIGINT');
  await ended;
  const arrived = arrivedPackets() - before;
  const result = { tool: tool.name, what: tool.what, asked: packetsPerSecond, arrived, lost: tool.lost(said, arrived) };
  rmSync(capture, { force: true });
  return { ...result, perSecond: Math.round(arrived / seconds) };
}

const results = [];
raiseNetwork();
try {
  for (const tool of tools) {
    if ((values.only !== undefined && !tool.name.includes(values.only)) || !isInstalled(tool.command[0])) continue;
    for (const thousands of values.rates.split(',').map(Number)) {
      const result = await listen(tool, thousands * 1000);
      results.push(result);
      process.stdout.write(
        `${result.tool} (${result.what}): ${result.perSecond} packets/s arrived of ${result.asked} asked, ` +
          `${result.lost} of ${result.arrived} lost\n`,
      );
      if (result.lost > 0) break;
    }
  }
} finally {
  removeNetwork();
  keep('live', results);
}
