/** What every benchmark shares: seeded input, a measured command, a table with ratios. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const CACHE = join(ROOT, '.cache', 'bench');
/** nametap under this Node, without the launcher's look for another one. */
export const NAMETAP = [process.execPath, join(ROOT, 'bin', 'nametap')];

export interface Job {
  /** Who does it: `nametap`, `tshark` … */
  tool: string;
  /** What it does, for people. */
  what: string;
  command: readonly string[];
  /** Runs; the median counts. Peers that take minutes run fewer, and the table says so. */
  runs: number;
}

export interface Measured extends Job {
  /** Wall-clock seconds of each run, and their median. */
  seconds: number[];
  medianSeconds: number;
  /** User and system seconds of the median run. */
  cpuSeconds: number;
  /** Highest resident memory of all runs. */
  peakBytes: number;
}

/** True when a program can be started here. */
export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}

/** Runs a job's command as often as it says, output to /dev/null. Throws when it fails. */
export async function measure(job: Job): Promise<Measured> {
  const runs = [];
  for (let run = 0; run < job.runs; run++) runs.push(await measureOnce(job.command));
  runs.sort((a, b) => a.seconds - b.seconds);
  const median = runs[Math.floor(runs.length / 2)];
  return {
    ...job,
    seconds: runs.map(({ seconds }) => seconds),
    medianSeconds: median.seconds,
    cpuSeconds: median.cpuSeconds,
    peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)),
  };
}

async function measureOnce(command: readonly string[]) {
  const report = join(tmpdir(), `nametap-bench-${process.pid}`);
  const nothing = openSync('/dev/null', 'w');
  const started = performance.now();
  const child = spawn('/usr/bin/time', ['-q', '-f', '%U %S %M', '-o', report, ...command], {
    stdio: ['ignore', nothing, 'pipe'],
  });
  closeSync(nothing);
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk).slice(-2000);
  });
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${errors}`);
  const [user, system, kibibytes] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  return { seconds, cpuSeconds: user + system, peakBytes: kibibytes * 1024 };
}

/** The large capture: 2.09 M packets for a million transactions; made once. Returns its path. */
export function traffic(transactions: number): string {
  const file = join(CACHE, `dns-${transactions}.pcap`);
  if (existsSync(file)) return file;
  const generator = join(ROOT, '..', 'shared', 'bench', 'make-traffic.mjs');
  if (!existsSync(generator)) throw new Error(`The traffic generator is not there: ${generator}`);
  mkdirSync(CACHE, { recursive: true });
  // Under another name until it is whole.
  execFileSync(process.execPath, [generator, '--transactions', String(transactions), '--out', `${file}.part`]);
  renameSync(`${file}.part`, file);
  return file;
}

/** Packets in a little-endian pcap file. */
export function packetCount(file: string): number {
  const bytes = readFileSync(file);
  let packets = 0;
  for (let at = 24; at + 16 <= bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) packets++;
  return packets;
}

/** A Markdown table of measured jobs; ratios are to the first `nametap` row of the list. */
export function table(measured: readonly Measured[], packets: number): string {
  const ours = measured.find(({ tool }) => tool === 'nametap')?.medianSeconds;
  const lines = [
    '| tool | job | median s | packets/s | CPU s | peak MB | runs | nametap is |',
    '|---|---|---|---|---|---|---|---|',
  ];
  for (const { tool, what, medianSeconds, cpuSeconds, peakBytes, runs } of measured) {
    const ratio = ours === undefined || tool === 'nametap' ? '' : `${(medianSeconds / ours).toFixed(1)}×`;
    const rate = Math.round(packets / medianSeconds / 1000);
    lines.push(
      `| ${tool} | ${what} | ${medianSeconds.toFixed(2)} | ${rate} k | ${cpuSeconds.toFixed(2)} | ` +
        `${Math.round(peakBytes / 1e6)} | ${runs} | ${ratio} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Writes results as JSON beside the cached captures, with the machine they were measured on. */
export function keep(name: string, results: unknown): void {
  mkdirSync(CACHE, { recursive: true });
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memoryBytes: totalmem(), kernel: release() };
  const value = { at: new Date().toISOString(), node: process.version, machine, results };
  writeFileSync(join(CACHE, `${name}.json`), `${JSON.stringify(value, null, 2)}\n`);
}
