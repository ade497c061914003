import assert from 'node:assert/strict';
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Sensors } from '../../src/server/schema/sensors.ts';
import { Network } from './network.ts';

const NAMETAP = [process.execPath, fileURLToPath(new URL('../../bin/nametap', import.meta.url))];
const TAIL = [process.execPath, fileURLToPath(new URL('serve-tail.ts', import.meta.url))];

const network = new Network();
before(async () => {
  // Who captures becomes nobody, and has to reach its data.
  chmodSync(network.folder, 0o755);
  await network.startResolver();
});
after(() => network.remove());

/** What a command has said so far. */
class Running {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  said = '';

  constructor(command: readonly string[]) {
    this.child = network.start(network.server, command);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.said += String(chunk);
      });
    }
    this.exit = once(this.child, 'close').then(([code]) => code as number | null);
  }

  async says(pattern: RegExp): Promise<this> {
    for (let i = 0; i < 1200 && !pattern.test(this.said); i++) await sleep(25);
    assert.match(this.said, pattern);
    return this;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.exit;
  }
}

function served(data: string, ...words: string[]): Promise<Running> {
  const command = [...NAMETAP, 'serve', '--data', data, '-i', network.link, '--listen', '127.0.0.1:0', ...words];
  return new Running(command).says(/#token=/);
}

interface Counts {
  transactions: number;
  queries: number;
  unanswered: number;
}

/** What the history of a folder holds, asked in the namespace of whoever serves it. */
function search(data: string): Counts {
  const measures = 'transactions,queries,unanswered';
  const words = ['search', '--data', data, '--from', '-1h', '--measure', measures, '-T', 'ndjson'];
  return JSON.parse(network.in(network.server, ...NAMETAP, ...words)) as Counts;
}

/** How the sensor is, asked in the namespace of whoever serves; `said` has the address with its token. */
function sensorOf(said: string): Sensors['sensors'][number] {
  const [, url = '', token = ''] = /(http\S+)\/#token=(\S+)/.exec(said) ?? [];
  const script = `fetch('${url}/api/v1/sensors', { headers: { authorization: 'Bearer ${token}' } })
    .then((answer) => answer.text()).then(console.log)`;
  return (JSON.parse(network.in(network.server, process.execPath, '-e', script)) as Sensors).sensors[0];
}

/** All kinds of traffic; the number of queries sent. */
function mixed(times: number): number {
  let sent = network.dnsperf('10.77.0.1', { times }) + network.dnsperf('fd77::1');
  sent += network.dnsperf('10.77.0.1', { mode: 'tcp' });
  network.dig('@10.77.0.1', '+bufsize=1200', 'big.example', 'TXT');
  return sent + 2;
}

for (const threads of ['1', '2', '0']) {
  test(`live, ${threads} workers: Σ query copies in the store = queries sent, the ledger sums, nothing is lost`, async () => {
    const data = join(network.folder, `data-${threads}`);
    const serve = await served(data, '--pipeline-threads', threads);
    const sent = mixed(10);
    let counts = search(data);
    for (let i = 0; i < 40 && counts.queries < sent; i++) {
      await sleep(100);
      counts = search(data);
    }
    assert.deepEqual(counts, { transactions: sent, queries: sent, unanswered: 0 });
    let sensor = sensorOf(serve.said);
    for (let i = 0; i < 40 && (sensor.ring === null || sensor.open_transactions !== 0); i++) {
      await sleep(100);
      sensor = sensorOf(serve.said);
    }
    const { ring, open_transactions, one_in } = sensor;
    assert.ok(ring !== null && ring >= 0 && ring < 1, `ring ${ring}`);
    assert.deepEqual([open_transactions, one_in], [0, 1]);
    assert.equal(await serve.end('SIGTERM'), 0, serve.said);
    assert.match(serve.said, new RegExp(`${sent.toLocaleString('en')} transactions kept; .*, 0 lost`));
    assert.equal(existsSync(join(data, 'serve.json')), false);
    // Who captured was nobody, and owns what it left.
    assert.notEqual(statSync(join(data, 'token')).uid, 0);
    assert.deepEqual(search(data), counts, 'and it is there when nobody serves it');
  });
}

test('a data folder that the user it becomes cannot reach is refused before anything is captured', async () => {
  const closed = join(network.folder, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  const words = ['serve', '--data', join(closed, 'data'), '-i', network.link, '--listen', '127.0.0.1:0'];
  const serve = new Running([...NAMETAP, ...words]);
  assert.equal(await serve.exit, 3);
  assert.match(serve.said, /The user nobody, which nametap becomes.*may not enter .*closed\. Name another data folder/);
});

test('without the right to capture it says which command gives it; with --demo auto it replays, and says the same', () => {
  const NOBODY = 65_534;
  const data = join(network.folder, 'data-nobody');
  mkdirSync(data);
  chownSync(data, NOBODY, NOBODY);
  const run = (...words: string[]) =>
    spawnSync(NAMETAP[0], [NAMETAP[1], 'serve', '--data', data, '--listen', '127.0.0.1:0', ...words], {
      uid: NOBODY,
      gid: NOBODY,
      encoding: 'utf8',
      timeout: 8000,
      killSignal: 'SIGINT',
    });
  for (const threads of ['0', '1']) {
    const { status, stderr } = run('--pipeline-threads', threads);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /CAP_NET_RAW.*\n\n +sudo setpriv .*net_raw.*bin\/nametap serve --data/);
  }
  const { stderr } = run('--demo', 'auto');
  assert.match(stderr, /This is a demo.*[\s\S]*sudo setpriv .*net_raw.*bin\/nametap serve/);
});

test('the live tail shows a transaction within a second', async () => {
  const data = join(network.folder, 'data-tail');
  const serve = await served(data);
  const tail = await new Running([...TAIL, data]).says(/"status":200/);
  await sleep(300);
  for (let i = 0; i < 5; i++) {
    network.dig('@10.77.0.1', 'a.example');
    await sleep(150);
  }
  await tail.says(/(?:"a\.example"[\s\S]*){5}/);
  const delays = tail.said
    .split('\n')
    .filter((line) => line.includes('"arrived"'))
    .flatMap((line) => {
      const { arrived, times } = JSON.parse(line) as { arrived: number; times: string[] };
      return times.map((time) => arrived - Date.parse(time));
    });
  assert.equal(delays.length, 5);
  for (const delay of delays) assert.ok(delay >= -1 && delay < 1000, `${delay} ms`);
  await tail.end('SIGKILL');
  assert.equal(await serve.end('SIGINT'), 0);
});

test('SIGHUP reads the configuration again, and no packet is lost meanwhile', async () => {
  const data = join(network.folder, 'data-hup');
  const serve = await served(data);
  const hangUps = setInterval(() => serve.child.kill('SIGHUP'), 100);
  let sent = 0;
  for (let i = 0; i < 6; i++) {
    sent += network.dnsperf('10.77.0.1', { times: 4 });
    await sleep(50);
  }
  clearInterval(hangUps);
  await serve.says(/configuration was read again/);
  assert.equal(await serve.end('SIGTERM'), 0, serve.said);
  const { queries, unanswered } = search(data);
  assert.deepEqual([queries, unanswered], [sent, 0]);
});
