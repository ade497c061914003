import assert from 'node:assert/strict';
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Network } from './network.ts';

const NAMETAP = [process.execPath, fileURLToPath(new URL('../../bin/nametap', import.meta.url))];

const network = new Network();
before(() => network.startResolver());
after(() => network.remove());

/** A running command: what it said so far. */
class Running {
  readonly child: ChildProcess;
  readonly exit: Promise<number>;
  output = '';
  remarks = '';

  constructor(...words: string[]) {
    this.child = network.start(network.server, [...NAMETAP, ...words]);
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.output += String(chunk);
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.remarks += String(chunk);
    });
    this.exit = once(this.child, 'close').then(([code]) => code as number);
  }

  async opened(): Promise<this> {
    for (let i = 0; i < 1200 && !this.remarks.includes('Capturing on'); i++) await sleep(25);
    assert.match(this.remarks, /Capturing on/);
    return this;
  }

  async interrupt(): Promise<number> {
    this.child.kill('SIGINT');
    return this.exit;
  }

  get lines(): string[] {
    return this.output.split('\n').slice(0, -1);
  }
}

test('ten queries and no more', async () => {
  const filter = ['-f', 'udp port 53', '-Y', 'dns.flags.response == 0'];
  const watch = await new Running('watch', '-i', network.link, ...filter, '--unit', 'message', '-c', '10').opened();
  network.dnsperf('10.77.0.1');
  assert.equal(await watch.exit, 0);
  assert.equal(watch.lines.length, 10);
});

test('SIGINT ends a run in order: every row is written, then the counts', async () => {
  for (const threads of ['0', '2']) {
    const words = ['watch', '-i', network.link, '-T', 'ndjson', '--unit', 'transaction', '--threads', threads];
    const watch = await new Running(...words).opened();
    const sent = network.dnsperf('10.77.0.1', { times: 4 }) + network.dnsperf('fd77::1', { mode: 'tcp' });
    assert.equal(await watch.interrupt(), 0);
    const rows = watch.lines.map((line) => JSON.parse(line) as { queries: number; outcome: string; interface: string });
    assert.equal(
      rows.reduce((sum, { queries }) => sum + queries, 0),
      sent,
    );
    assert.ok(rows.every(({ outcome, interface: on }) => outcome === 'answered' && on === 'eth0'));
    assert.match(watch.remarks, /5,000 messages decoded, 0 malformed, 0 lost/);
  }
});

test('rows come while it runs, also when one worker has no traffic at all', async () => {
  const words = ['watch', '-i', network.link, '-T', 'ndjson', '--unit', 'transaction', '--threads', '3'];
  const watch = await new Running(...words).opened();
  network.dig('@10.77.0.1', 'a.example');
  for (let i = 0; i < 200 && watch.lines.length === 0; i++) await sleep(25);
  assert.equal(watch.lines.length, 1);
  assert.equal(await watch.interrupt(), 0);
});

test('the report of a quiet run counts every query', async () => {
  const watch = await new Running('watch', '-q', '-i', 'any').opened();
  const sent = network.dnsperf('10.77.0.1', { times: 2 });
  assert.equal(await watch.interrupt(), 0);
  assert.match(watch.output, new RegExp(sent.toLocaleString('en-US')));
});

test('frames are written as they came', async () => {
  const file = join(network.folder, 'written.pcapng');
  const watch = await new Running('watch', '-i', network.link, '-w', file, '-q', '--user', 'root').opened();
  const sent = network.dnsperf('10.77.0.1');
  assert.equal(await watch.interrupt(), 0);
  const read = spawnSync(
    'tshark',
    ['-r', file, '-Y', 'dns.flags.response == 0', '-T', 'fields', '-e', 'frame.interface_name'],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(read.stdout.split('\n').filter((line) => line === 'eth0').length, sent);
});

test('what cannot be captured is told with exit code 2, a wrong filter with 4', async () => {
  const missing = new Running('watch', '-i', 'nope0');
  assert.equal(await missing.exit, 2);
  assert.match(missing.remarks, /There is no interface nope0 here\. There are: lo, eth0, and any\./);
  const wrong = new Running('watch', '-i', network.link, '-f', 'udp port 53 and');
  assert.equal(await wrong.exit, 4);
  assert.match(wrong.remarks, /\n {2}udp port 53 and\n {17}\^/);
});

test('doctor and interfaces tell what is there', async () => {
  const doctor = new Running('doctor', '--json');
  assert.equal(await doctor.exit, 0, doctor.output);
  const { healthy, checks } = JSON.parse(doctor.output) as {
    healthy: boolean;
    checks: { name: string; state: string }[];
  };
  assert.ok(healthy);
  for (const name of [
    'native calls',
    'right to capture',
    'ring',
    'kernel filter',
    'promiscuous mode',
    'fan-out to workers',
  ]) {
    assert.equal(checks.find((check) => check.name === name)?.state, 'ok', name);
  }
  const list = new Running('interfaces', '--json');
  assert.equal(await list.exit, 0);
  const eth0 = (
    JSON.parse(list.output) as { name: string; addresses: string[]; link_type: string; mac: string }[]
  ).find(({ name }) => name === 'eth0');
  assert.equal(eth0?.link_type, 'Ethernet');
  assert.ok(eth0.addresses.includes('10.77.0.1/24'));
  assert.equal(eth0.mac, network.in(network.server, 'cat', '/sys/class/net/eth0/address').trim());
  const text = new Running('interfaces');
  assert.equal(await text.exit, 0);
  assert.match(text.output, /eth0 +up +Ethernet +[\d,]+ +[\d,]+ +0 +10\.77\.0\.1\/24/);
});

test('doctor says what is missing, and how to get it', () => {
  const become = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all'];
  const { status, stdout } = spawnSync(become[0], [...become.slice(1), ...NAMETAP, 'doctor'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stdout, /PROBLEM right to capture +missing: CAP_NET_RAW/);
  assert.match(stdout, /Run: sudo setpriv --reuid=65534 --regid=65534 --init-groups --inh-caps=\+net_raw/);
});

test('the program of a filter is shown as tcpdump shows one', async () => {
  const shown = new Running('watch', '-i', network.link, '-f', 'udp port 53', '--dump-bpf');
  assert.equal(await shown.exit, 0);
  assert.match(shown.output, /^\(000\) ldh {6}\[12\]\n\(001\) jeq {6}#0x800/);
});
