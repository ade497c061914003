/**
 * npm run soak [MINUTES] [QUERIES/S]: a nametap that serves, under load through a real resolver, with one live tail open.
 * Prints its memory and what it lost; fails when a query is missing in the store, or memory does not stay flat. Root only.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Network } from '../integration/network.ts';

const MINUTES = Number(process.argv[2] ?? 30);
const RATE = Number(process.argv[3] ?? 5000);
/** Memory of the last quarter may exceed that of the second one by so much. */
const FLAT = 1.1;
const BUDGET_MIB = 800;
const SAMPLE_MS = 10_000;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NAMETAP = [process.execPath, join(ROOT, 'bin/nametap')];

const network = new Network();
try {
  await network.startResolver();
  process.exitCode = await soak();
} finally {
  await network.remove();
}

async function soak(): Promise<number> {
  const data = join(network.folder, 'data');
  const words = ['serve', '--data', data, '-i', network.link, '--listen', '127.0.0.1:0', '--user', 'root'];
  const serve = network.start(network.server, [...NAMETAP, ...words]);
  let said = '';
  for (const stream of [serve.stdout, serve.stderr]) stream?.on('data', (chunk: Buffer) => (said += String(chunk)));
  while (!said.includes('#token=')) await sleep(50);
  const { pid } = JSON.parse(readFileSync(join(data, 'serve.json'), 'utf8')) as { pid: number };
  network.start(network.server, [process.execPath, join(ROOT, 'test/integration/serve-tail.ts'), data], 'ignore');

  const names = join(network.folder, 'many-names');
  writeFileSync(names, Array.from({ length: 20_000 }, (_, i) => `n${i}.d${i % 997}.example A\n`).join(''));
  const perf = ['dnsperf', '-d', names, '-s', '10.77.0.1', '-c', '20', '-S', '0', '-Q', String(RATE)];
  const seconds = String(Math.round(MINUTES * 60));
  const load = spawn('ip', ['netns', 'exec', network.client, ...perf, '-l', seconds]);
  let report = '';
  load.stdout.on('data', (chunk: Buffer) => (report += String(chunk)));
  const ended = once(load, 'close');

  const samples: number[] = [];
  const sample = setInterval(() => {
    samples.push(memoryMib(pid));
    process.stdout.write(`${String((samples.length * SAMPLE_MS) / 1000).padStart(6)} s  ${samples.at(-1)} MiB\n`);
  }, SAMPLE_MS);
  await ended;
  clearInterval(sample);
  const closed = once(serve, 'close');
  // What came last is unanswered only after its time-out.
  await sleep(6000);
  serve.kill('SIGTERM');
  await closed;

  const sent = Number(/Queries sent:\s+(\d+)/.exec(report)?.[1]);
  const search = ['search', '--data', data, '--from', '-7d', '--measure', 'transactions,queries', '-T', 'ndjson'];
  const kept = JSON.parse(network.in(network.server, ...NAMETAP, ...search)) as { queries: number };
  process.stdout.write(`${said.trim().split('\n').at(-1)}\n${sent} queries sent, ${kept.queries} kept\n`);
  const [before, after] = [mean(quarter(samples, 1)), mean(quarter(samples, 3))];
  process.stdout.write(
    `memory: ${Math.round(before)} MiB in the second quarter, ${Math.round(after)} MiB in the last\n`,
  );
  const isFlat = samples.length < 8 || after <= before * FLAT;
  return kept.queries === sent && isFlat && Math.max(...samples) <= BUDGET_MIB ? 0 : 1;
}

function memoryMib(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
}

function quarter(samples: readonly number[], index: number): readonly number[] {
  const size = samples.length / 4;
  return samples.slice(Math.floor(index * size), Math.floor((index + 1) * size));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
