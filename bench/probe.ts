/**
 * Do 10,000 checks at a time complete, at what memory each; are times those of fping and blackbox_exporter?
 *
 *   npm run bench -- probe [--targets 10000] [--checks 200] [--delays 5,20,50] [--loss 2]      (root for the second part)
 *
 * First part: a local server holds its answers back until all targets are connected. Second part: two network namespaces,
 * netem (or bench/relay.ts) between them; each program checks the same host in the same run, one after the other at each delay.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { summarize } from '../src/sketch/summary.ts';
import { NAMETAP } from './measure.ts';

const HERE = 'nametap-bench-p';
const THERE = 'nametap-bench-q';

/** Rounds in which the programs take turns: what else the machine does is the same for all. */
const ROUNDS = 5;

const { values } = parseArgs({
  options: {
    targets: { type: 'string', default: '10000' },
    checks: { type: 'string', default: '200' },
    delays: { type: 'string', default: '5,20,50' },
    loss: { type: 'string', default: '2' },
    serve: { type: 'string' },
    scrape: { type: 'string' },
  },
});

if (values.serve !== undefined) serveHolding(Number(values.serve));
else if (values.scrape !== undefined) await scrape(values.scrape, Number(values.checks));
else {
  if (values.targets !== '0') await manyTargets(Number(values.targets));
  if (process.getuid?.() === 0) await sameTimes();
  else process.stdout.write('Times beside fping and blackbox_exporter want root.\n');
}

/** Answers everybody once so many are connected; 0: at once. */
function serveHolding(most: number): void {
  const waiting: Socket[] = [];
  let open = 0;
  let widest = 0;
  const server = createServer((socket) => {
    widest = Math.max(widest, ++open);
    socket.on('error', () => undefined).once('close', () => open--);
    waiting.push(socket);
    if (waiting.length < most) return;
    for (const one of waiting.splice(0)) one.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  server.listen({ port: 0, host: '0.0.0.0', backlog: 65_535 }, () => {
    process.stdout.write(`${JSON.stringify(server.address())}\n`);
  });
  process.stdin.resume().once('end', () => {
    process.stdout.write(`${widest}\n`, () => process.exit(0));
  });
}

interface Held {
  port: number;
  child: ChildProcess;
  /** Ends it; most connections at a time. */
  end(): Promise<number>;
}

async function startServer(most: number, prefix: readonly string[] = []): Promise<Held> {
  const command = [...prefix, process.execPath, new URL(import.meta.url).pathname, '--serve', String(most)];
  const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    port: (JSON.parse(String(first)) as { port: number }).port,
    child,
    async end() {
      const said = once(child.stdout, 'data');
      child.stdin.end();
      return Number(String(((await said) as [Buffer])[0]));
    },
  };
}

interface RunSummary {
  checks: number;
  passed: number;
  ms: { p50: number | null; p99: number | null; max: number | null };
  event_loop_delay_ms: { p99: number; max: number };
}

/** Runs checks of all targets once; its summary, its highest memory in bytes, its seconds. */
async function runChecks(type: string, targets: readonly string[], words: readonly string[], folder: string) {
  const file = join(folder, 'targets');
  writeFileSync(file, targets.join('\n'));
  const command = [
    ...NAMETAP,
    'probe',
    type,
    '-f',
    file,
    '--concurrency',
    String(targets.length),
    '--spread',
    '3s',
    '-t',
    '60s',
    '-T',
    'json',
    '-q',
    ...words,
  ];
  const began = performance.now();
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  let peak = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    out += String(chunk);
  });
  const ended = once(child, 'close');
  const watch = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid ?? 0));
  }, 100);
  await ended;
  clearInterval(watch);
  const { summary } = JSON.parse(out.trim().split('\n').at(-1) ?? '') as { summary: RunSummary };
  return { summary, peak, seconds: (performance.now() - began) / 1000 };
}

/** Highest resident memory of a process, bytes; bin/nametap may be a parent of the one that works. */
function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const own = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    const theirs = children === '' ? [] : children.split(' ').map((child) => peakOf(Number(child)));
    return Math.max(own, ...theirs);
  } catch {
    return 0;
  }
}

async function manyTargets(n: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-bench-'));
  // Targets are addresses of the loopback network: each is one of its own.
  const address = (i: number) => `127.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
  for (const [type, target, words] of [
    ['http', (host: string, port: number) => `http://${host}:${port}/`, []],
    ['tcp', (host: string, port: number) => `${host}:${port}`, ['-o', 'dialogue=[{expect: "^HTTP"}]']],
  ] as const) {
    const row: { peak: number }[] = [];
    for (const count of [1, n]) {
      const server = await startServer(count);
      const targets = Array.from({ length: count }, (_, i) => target(address(i), server.port));
      const done = await runChecks(type, targets, words, folder);
      const widest = await server.end();
      row.push(done);
      if (count === 1) continue;
      const { summary, seconds, peak } = done;
      const each = (peak - row[0].peak) / count / 1024;
      process.stdout.write(
        `${type}: ${summary.passed} of ${summary.checks} passed, ${widest} connections at a time, ${seconds.toFixed(1)} s, ` +
          `${(peak / 1e6).toFixed(0)} MB (${each.toFixed(1)} KiB a target), event loop late by ` +
          `p99 ${summary.event_loop_delay_ms.p99.toFixed(1)} ms\n`,
      );
    }
  }
  rmSync(folder, { recursive: true });
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function inside(space: string, ...command: string[]): string {
  return execFileSync('ip', ['netns', 'exec', space, ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });
}

/** The same of a program that says with its exit code that packets were lost. */
function insideAnyway(space: string, ...command: string[]): string {
  try {
    return inside(space, 'sh', '-c', `${command.join(' ')} 2>&1 || true`);
  } catch (error) {
    return String((error as { stdout?: string }).stdout);
  }
}

/** Whether the kernel can hold packets back by itself. */
function hasNetem(): boolean {
  try {
    inside(THERE, 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms');
    inside(THERE, 'tc', 'qdisc', 'del', 'dev', 'lo', 'root');
    return true;
  } catch {
    return false;
  }
}

function layCable(): void {
  ip('-n', HERE, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', THERE);
  for (const [space, last] of [
    [HERE, 1],
    [THERE, 2],
  ] as const) {
    ip('-n', space, 'address', 'add', `10.78.0.${last}/24`, 'dev', 'eth0');
    ip('-n', space, 'link', 'set', 'eth0', 'up');
  }
}

/** Delay and loss from now on; what ends them. */
async function slowDown(delay: string, isNetem: boolean): Promise<() => Promise<void>> {
  const { loss } = values;
  if (isNetem) {
    inside(THERE, ...`tc qdisc replace dev eth0 root netem delay ${delay}ms loss ${loss}%`.split(' '));
    return () => Promise.resolve();
  }
  const relay = spawn(process.execPath, [join(import.meta.dirname, 'relay.ts'), HERE, THERE, delay, loss], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(relay.stdout, 'data');
  return async () => {
    const ended = once(relay, 'close');
    relay.kill('SIGKILL');
    await ended;
  };
}

async function sameTimes(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-bench-'));
  const children: ChildProcess[] = [];
  try {
    for (const space of [HERE, THERE]) {
      ip('netns', 'add', space);
      ip('-n', space, 'link', 'set', 'lo', 'up');
    }
    const isNetem = hasNetem();
    if (isNetem) layCable();
    else process.stdout.write('This kernel has no netem: a relay in user space delays and loses packets.\n');
    const server = await startServer(0, ['ip', 'netns', 'exec', THERE]);
    children.push(server.child);
    const config = join(folder, 'blackbox.yml');
    writeFileSync(config, JSON.stringify({ modules: { icmp: { prober: 'icmp' }, tcp: { prober: 'tcp' } } }));
    const words = [`--config.file=${config}`, '--web.listen-address=127.0.0.1:9115', '--log.level=error'];
    children.push(spawn('ip', ['netns', 'exec', HERE, 'prometheus-blackbox-exporter', ...words], { stdio: 'ignore' }));
    await sleep(1500);
    for (const delay of values.delays.split(',')) {
      const end = await slowDown(delay, isNetem);
      compare(delay, server.port);
      await end();
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
    for (const space of [HERE, THERE]) execFileSync('sh', ['-c', `ip netns del ${space} 2>/dev/null || true`]);
    rmSync(folder, { recursive: true });
  }
}

/** Medians at one delay, held against each other: within 10 % + 0.2 ms. */
function compare(delay: string, port: number): void {
  const n = String(Math.ceil(Number(values.checks) / ROUNDS));
  const host = '10.78.0.2';
  const scraped = (module: string, target: string) => {
    const url = `http://127.0.0.1:9115/probe?module=${module}&target=${target}`;
    const own = new URL(import.meta.url).pathname;
    return JSON.parse(inside(HERE, process.execPath, own, '--scrape', url, '--checks', n)) as number[];
  };
  const ours = (words: string): number[] => {
    const out = insideAnyway(HERE, ...NAMETAP, 'probe', ...words.split(' '), '-T', 'json');
    const lines = out.trim().split('\n').slice(0, -1);
    return lines.flatMap((line) => {
      const { ms, trips } = JSON.parse(line) as { ms: number | null; trips?: (number | null)[] };
      return (trips ?? [ms]).filter((time) => time !== null);
    });
  };
  const pinged = () => {
    const out = insideAnyway(HERE, 'fping', '-q', '-C', n, '-p', '20', '-t', '1000', host);
    return [...out.matchAll(/ ([\d.]+)(?= |$)/gm)].map(([, ms]) => Number(ms));
  };
  pinged();
  const times: Record<'fping' | 'icmp' | 'icmpOthers' | 'tcp' | 'tcpOthers', number[]> = {
    fping: [],
    icmp: [],
    icmpOthers: [],
    tcp: [],
    tcpOthers: [],
  };
  for (let round = 0; round < ROUNDS; round++) {
    times.fping.push(...pinged());
    times.icmp.push(...ours(`icmp ${host} -t 3s -o packets=${n} -o pause=20ms`));
    times.icmpOthers.push(...scraped('icmp', host));
    times.tcp.push(...ours(`tcp ${host}:${port} -c ${n} -i 20ms --per-target 10 -t 5s`));
    times.tcpOthers.push(...scraped('tcp', `${host}:${port}`));
  }
  const row = (what: string, own: readonly number[], name: string, other: readonly number[]) => {
    const [ownMs, otherMs] = [own, other].map((list) => summarize(list).p50 ?? Number.NaN);
    const isClose = Math.abs(ownMs - otherMs) <= otherMs * 0.1 + 0.2;
    process.stdout.write(
      `delay ${delay} ms, loss ${values.loss} %: ${what} nametap ${ownMs.toFixed(3)} ms (${own.length}), ` +
        `${name} ${otherMs.toFixed(3)} ms (${other.length}): ${isClose ? 'within' : 'NOT within'} 10 % + 0.2 ms\n`,
    );
    if (!isClose) process.exitCode = 1;
  };
  row('icmp', times.icmp, 'fping', times.fping);
  row('icmp', times.icmp, 'blackbox_exporter', times.icmpOthers);
  row('tcp', times.tcp, 'blackbox_exporter', times.tcpOthers);
}

/** Times of blackbox_exporter, milliseconds, as JSON: of the echo alone for ICMP, else of the whole check. */
async function scrape(url: string, checks: number): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < checks; i++) {
    const text = await (await fetch(url, { headers: { 'x-prometheus-scrape-timeout-seconds': '2' } })).text();
    if (!/^probe_success 1$/m.test(text)) continue;
    const echo = /^probe_icmp_duration_seconds\{phase="rtt"\} (\S+)$/m.exec(text)?.[1];
    times.push(Number(echo ?? /^probe_duration_seconds (\S+)$/m.exec(text)?.[1]) * 1000);
  }
  process.stdout.write(JSON.stringify(times));
}
