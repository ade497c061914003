/**
 * How fast do transactions go from sensor to broker to worker to store, and what does each of them cost?
 *
 *   npm run bench -- kafka [FILE] [OPTIONS OF nametap work …]
 *
 * A real broker, all on this machine: rates are of all of it together, CPU is of each process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from '../scripts/services/kafka.ts';
import { NAMETAP, traffic } from './measure.ts';

const [file = traffic(1_000_000), ...workerOptions] = process.argv.slice(2);
const TICKS = 100;
const folder = mkdtempSync(join(tmpdir(), 'nametap-bench-kafka-'));
const kafka = await start();
const common = ['--kafka-brokers', kafka.address, '--kafka-partitions', '4', '--listen', '127.0.0.1:0'];

/** Seconds of processor time of a process until now. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

class Part {
  readonly child: ChildProcess;
  text = '';
  cpu = 0;
  readonly ended: Promise<unknown>;
  readonly #timer: NodeJS.Timeout;

  constructor(...words: string[]) {
    const [command, ...first] = NAMETAP;
    this.child = spawn(command, ['--disable-warning=ExperimentalWarning', ...first, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (bytes) => (this.text += String(bytes)));
    this.#timer = setInterval(() => this.#measure(), 100);
    this.ended = once(this.child, 'exit').finally(() => clearInterval(this.#timer));
  }

  #measure(): void {
    try {
      this.cpu = cpuOf(this.child.pid ?? 0);
    } catch {
      // It has ended since: what was measured last holds.
    }
  }

  /** Transactions that a worker has read. */
  async read(): Promise<number> {
    const [, url] = /page: (http:\/\/[^/]+)/.exec(this.text) ?? [];
    if (url === undefined) return 0;
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^nametap_bus_transactions_total (\d+)/m.exec(text)?.[1] ?? 0);
  }
}

function line(what: string, rows: number, seconds: number, cpu: number): void {
  const rate = `${Math.round(rows / seconds / 1000)} k/s`;
  process.stdout.write(
    `${what.padEnd(44)}${rate.padStart(9)}${`${((cpu / rows) * 1e6).toFixed(2)} µs CPU`.padStart(14)}\n`,
  );
}

const ship = (topic: string) =>
  new Part('ship', file, ...common, '--kafka-topic', topic, '--data', join(folder, 'sensor'), '--user', 'root');
const work = (topic: string, name: string, ...more: string[]) =>
  new Part('work', ...common, '--kafka-topic', topic, '--data', join(folder, name), ...workerOptions, ...more);

/** Waits until a worker has read so many. */
async function until(worker: Part, rows: number): Promise<void> {
  while ((await worker.read()) < rows) {
    if (worker.child.exitCode !== null) throw new Error(worker.text);
    await sleep(100);
  }
}

try {
  // The sensor alone.
  let began = performance.now();
  const broker = kafka.pid;
  let before = cpuOf(broker);
  const sensor = ship('alone');
  await sensor.ended;
  const rows = Number(/took ([\d,]+)/.exec(sensor.text)?.[1]?.replaceAll(',', ''));
  process.stdout.write(`${rows.toLocaleString('en')} transactions of ${file}\n\n`);
  line('sensor alone: file → broker', rows, (performance.now() - began) / 1000, sensor.cpu);
  line('  the broker meanwhile', rows, (performance.now() - began) / 1000, cpuOf(broker) - before);
  for (const [what, ...more] of [['with all detectors'], ['without detectors', '--detect-enabled', 'no']]) {
    began = performance.now();
    const worker = work('alone', `alone-${more.length}`, '--kafka-group', `alone-${more.length}`, ...more);
    await until(worker, rows);
    line(`worker alone, ${what}: broker → store`, rows, (performance.now() - began) / 1000, worker.cpu);
    worker.child.kill('SIGTERM');
    await worker.ended;
  }
  // All at once.
  const worker = work('all', 'all', '--detect-enabled', 'no');
  await sleep(5000);
  began = performance.now();
  before = cpuOf(broker);
  const sending = ship('all');
  await until(worker, rows);
  line(
    'sensor → broker → worker → store',
    rows,
    (performance.now() - began) / 1000,
    sending.cpu + worker.cpu + cpuOf(broker) - before,
  );
  worker.child.kill('SIGTERM');
  await worker.ended;
} finally {
  await kafka.stop();
  rmSync(folder, { recursive: true, force: true });
}
