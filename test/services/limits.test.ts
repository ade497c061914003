/** Server and worker within the limits of the Helm chart: 1 GiB of memory, half a processor. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type ClickHouseService, start as startClickHouse } from '../../scripts/services/clickhouse.ts';
import { type Kafka, start as startKafka } from '../../scripts/services/kafka.ts';
import { isThrough, metric, nametap, ship, type Running } from '../integration/kafka-run.ts';
import { until } from '../until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NAMETAP = join(root, 'bin/nametap');
const folder = mkdtempSync(join(tmpdir(), 'nametap-limits-'));

/** What the chart gives to server and worker. */
const { server, worker } = parse(readFileSync(join(root, 'deploy/helm/nametap/values.yaml'), 'utf8')) as Record<
  string,
  { resources: { limits: { cpu: string; memory: string } } }
>;
const LIMITS = { bytes: 1 << 30, cpu: 0.5 };

/** Control groups of version 1 or 2 with these limits, for one process and what it starts. */
class Limits {
  readonly #folders: string[];
  readonly #memory: string;
  readonly #isTwo = existsSync('/sys/fs/cgroup/cgroup.controllers');

  constructor(name: string) {
    const base = '/sys/fs/cgroup';
    const kinds = this.#isTwo ? [''] : ['memory', 'cpu'];
    this.#folders = kinds.map((kind) => join(base, kind, `nametap-${name}-${process.pid}`));
    for (const path of this.#folders) mkdirSync(path);
    const [memory, cpu = memory] = this.#folders;
    this.#memory = memory;
    const set = (path: string, file: string, value: string) => writeFileSync(join(path, file), value);
    if (this.#isTwo) {
      set(memory, 'memory.max', String(LIMITS.bytes));
      set(cpu, 'cpu.max', `${LIMITS.cpu * 100_000} 100000`);
    } else {
      set(memory, 'memory.limit_in_bytes', String(LIMITS.bytes));
      set(cpu, 'cpu.cfs_period_us', '100000');
      set(cpu, 'cpu.cfs_quota_us', String(LIMITS.cpu * 100_000));
    }
  }

  run(...words: string[]): Running {
    const enter = this.#folders.map((path) => `echo $$ > ${path}/cgroup.procs`).join(' && ');
    const child = spawn('sh', ['-c', `${enter} && exec "$@"`, 'sh', process.execPath, NAMETAP, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text += String(bytes)));
    const exited = once(child, 'exit').then(([code]) => code as number | null);
    return {
      child,
      said: () => text,
      ended: () => exited,
      end: (signal = 'SIGTERM') => {
        child.kill(signal);
        return exited;
      },
    };
  }

  /** Processes that the kernel killed for want of memory; the most memory that was used, page cache included. */
  get kills(): number {
    const text = readFileSync(join(this.#memory, this.#isTwo ? 'memory.events' : 'memory.oom_control'), 'utf8');
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  }
  get peak(): number {
    return Number(readFileSync(join(this.#memory, this.#isTwo ? 'memory.peak' : 'memory.max_usage_in_bytes'), 'utf8'));
  }

  remove(): void {
    for (const path of this.#folders) rmdirSync(path);
  }
}

let kafka: Kafka;
let clickhouse: ClickHouseService;
before(async () => {
  [kafka, clickhouse] = await Promise.all([startKafka(), startClickHouse()]);
});
after(async () => {
  await Promise.all([kafka.stop(), clickhouse.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

test('the limits are those of the chart', () => {
  for (const { resources } of [server, worker]) assert.deepEqual(resources.limits, { cpu: '500m', memory: '1Gi' });
});

test('worker and server stay within them: 200,000 transactions as fast as they come, and 20 panels a second', async () => {
  const capture = join(folder, 'load.pcap');
  const generating = nametap('generate', '--clients', '200', '-w', capture);
  assert.equal(await generating.ended(), 0, generating.said());
  const store = ['--store-engine', 'clickhouse', '--store-clickhouse-url', clickhouse.address];
  const ends = { broker: kafka.address, topic: 'limits', data: join(folder, 'sensor') };
  const limits = { worker: new Limits('worker'), server: new Limits('server') };
  const from = ['--kafka-brokers', kafka.address, '--kafka-topic', 'limits', '--kafka-partitions', '4'];
  const working = limits.worker.run(
    'work',
    ...from,
    ...store,
    '--data',
    join(folder, 'worker'),
    '--listen',
    '127.0.0.1:0',
  );
  const serving = limits.server.run(
    'serve',
    ...store,
    '--capture-user',
    'root',
    '--capture-interfaces',
    'none',
    '--data',
    join(folder, 'server'),
    '--listen',
    '127.0.0.1:0',
  );
  try {
    await until(() => /page +(http:\S+)/.test(serving.said()), 'the server', 60_000);
    const { origin, hash } = new URL(/page +(http:\S+)/.exec(serving.said())?.[1] ?? '');
    const headers = { authorization: `Bearer ${hash.slice('#token='.length)}` };
    const sensor = ship(ends, [capture]);
    let answers = 0;
    const failures: string[] = [];
    const asking = setInterval(() => {
      const path =
        answers % 2 === 0
          ? 'overview?from=-7d&to=now'
          : 'statistics?from=0&to=now&group=domain&measures=transactions,latency';
      answers++;
      fetch(`${origin}/api/v1/${path}`, { headers })
        .then((answer) => answer.ok || failures.push(String(answer.status)))
        .catch((error: unknown) => failures.push(String(error)));
    }, 50);
    assert.equal(await sensor.ended(), 0, sensor.said());
    await until(() => isThrough(working), 'the worker', 300_000);
    clearInterval(asking);
    const rows = await metric(working, 'nametap_bus_transactions_total');
    assert.ok(rows > 100_000, String(rows));
    assert.ok(answers > 20 && failures.filter((one) => one !== '503').length === 0, failures.join(' '));
  } finally {
    assert.equal(await working.end(), 0, working.said());
    assert.equal(await serving.end(), 0, serving.said());
  }
  for (const [role, one] of Object.entries(limits)) {
    assert.equal(one.kills, 0, role);
    process.stdout.write(`# ${role}: at most ${(one.peak / 2 ** 20).toFixed(0)} MiB of ${LIMITS.bytes / 2 ** 20}\n`);
    one.remove();
  }
});
