import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transaction } from '../../src/rr/transaction.ts';

const SPACE = `ntp${process.pid}`;
const CLIENT = '127.0.0.2';
const RESOLVER = '127.0.0.53';
const ROOT = '127.0.0.10';
const TLD = '127.0.0.20';
const AUTHORITY = '127.0.0.30';
const NAMETAP = new URL('../../bin/nametap', import.meta.url).pathname;

/** A private tree of three name servers: where each listens, its zone, and what it knows. */
const SERVERS = [
  {
    address: ROOT,
    zone: '.',
    records: `. 60 IN SOA a.root. h.root. 1 60 60 60 60
. 60 IN NS a.root.
a.root. 60 IN A ${ROOT}
test. 60 IN NS ns.test.
ns.test. 60 IN A ${TLD}
`,
  },
  {
    address: TLD,
    zone: 'test.',
    records: `test. 60 IN SOA ns.test. h.test. 1 60 60 60 60
test. 60 IN NS ns.test.
ns.test. 60 IN A ${TLD}
example.test. 60 IN NS ns.example.test.
ns.example.test. 60 IN A ${AUTHORITY}
`,
  },
  {
    address: AUTHORITY,
    zone: 'example.test.',
    records: `example.test. 60 IN SOA ns.example.test. h.test. 1 60 60 60 60
example.test. 60 IN NS ns.example.test.
ns.example.test. 60 IN A ${AUTHORITY}
www.example.test. 60 IN A 192.0.2.80
`,
  },
];

const folder = mkdtempSync(join(tmpdir(), 'nametap-path-'));
const capture = join(folder, 'lo.pcap');
const children: ChildProcess[] = [];

/** Starts a program in the namespace; it ends with the test. */
function start(...command: string[]): ChildProcess {
  const child = spawn('ip', ['netns', 'exec', SPACE, ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr?.resume();
  children.push(child);
  return child;
}

function dig(server: string, ...words: string[]): string {
  const command = ['netns', 'exec', SPACE, 'dig', '+time=2', '+tries=1', '+short', `@${server}`, ...words];
  return spawnSync('ip', command, { encoding: 'utf8' }).stdout.trim();
}

/** Asks until a server answers with this. */
async function until(server: string, words: string[], text: string): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (dig(server, ...words).includes(text)) return;
    await sleep(50);
  }
  assert.fail(`${server} does not answer ${words.join(' ')}`);
}

function startServer({ address, zone, records }: (typeof SERVERS)[number]): void {
  const file = join(folder, `${address}.zone`);
  const configuration = join(folder, `${address}.conf`);
  writeFileSync(file, records);
  writeFileSync(
    configuration,
    `options { directory "${folder}"; listen-on { ${address}; }; listen-on-v6 { none; }; recursion no;
  pid-file none; session-keyfile none; minimal-responses no; notify no; dnssec-validation no; };
controls { };
zone "${zone}" { type primary; file "${file}"; };
`,
  );
  start('named', '-f', '-n', '1', '-c', configuration);
}

function startResolver(): void {
  const hints = join(folder, 'hints');
  const configuration = join(folder, 'unbound.conf');
  writeFileSync(hints, `. 3600 IN NS a.root.\na.root. 3600 IN A ${ROOT}\n`);
  writeFileSync(
    configuration,
    `server:
  interface: ${RESOLVER}
  outgoing-interface: ${RESOLVER}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  do-ip6: no
  use-syslog: no
  username: ""
  chroot: ""
  pidfile: ""
  directory: "${folder}"
  root-hints: "${hints}"
  module-config: "iterator"
  qname-minimisation: yes
  local-zone: "test." nodefault
remote-control:
  control-enable: no
`,
  );
  start('unbound', '-d', '-c', configuration);
}

before(async () => {
  spawnSync('ip', ['netns', 'add', SPACE]);
  spawnSync('ip', ['-n', SPACE, 'link', 'set', 'lo', 'up']);
  // named listens on addresses that an interface has.
  for (const { address } of SERVERS) spawnSync('ip', ['-n', SPACE, 'address', 'add', `${address}/8`, 'dev', 'lo']);
  for (const server of SERVERS) startServer(server);
  for (const { address, zone } of SERVERS) await until(address, ['SOA', zone], ' 1 60 60 60 60');
  const tcpdump = start('tcpdump', '-i', 'lo', '-U', '-n', '-Z', 'root', '--immediate-mode', '-w', capture, 'port 53');
  await once(tcpdump.stderr as NodeJS.ReadableStream, 'data');
  startResolver();
  await until(RESOLVER, ['-b', CLIENT, 'www.example.test'], '192.0.2.80');
  await sleep(200);
  tcpdump.kill('SIGINT');
  await once(tcpdump, 'exit');
});

after(() => {
  for (const child of children) child.kill('SIGTERM');
  spawnSync('ip', ['netns', 'del', SPACE]);
  rmSync(folder, { recursive: true, force: true });
});

function read(...words: string[]): string {
  const { stdout, stderr, status } = spawnSync(NAMETAP, ['read', '--paths', ...words, capture], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** What the resolver asked for the client's query for www.example.test, in order of time. */
function path(rows: Transaction[]): Transaction[] {
  const client = rows.find((row) => row.client === CLIENT && row.outcome === 'answered');
  assert.ok(client !== undefined, 'the client was answered');
  assert.deepEqual([client.leg, client.name, client.addresses], ['client', 'www.example.test', ['192.0.2.80']]);
  return rows.filter((row) => row.parent === client.transaction).sort((a, b) => (a.time < b.time ? -1 : 1));
}

for (const threads of ['0', '2']) {
  test(`a resolution from the root on is a path, with ${threads} workers`, () => {
    const lines = read('-T', 'ndjson', '--threads', threads).trimEnd().split('\n');
    const hops = path(lines.map((line) => JSON.parse(line) as Transaction));
    assert.ok(hops.every((hop) => hop.client === RESOLVER && hop.leg === 'upstream'));
    assert.ok(hops.every((hop) => (hop.latency_ms ?? -1) >= 0));
    // Each server's first hop of the path in order, and what it said of the way on.
    const way = hops.filter((hop) => hop.answer_kind === 'referral' || hop.type === 'A');
    const servers = way.map(({ server }) => server).filter((server, i, all) => server !== all[i - 1]);
    assert.deepEqual(servers, [ROOT, TLD, AUTHORITY]);
    const referrals = way.filter((hop) => hop.answer_kind === 'referral');
    assert.deepEqual(
      referrals.map((hop) => [hop.server, hop.authority?.[0].name, hop.authority?.[0].data]),
      [
        [ROOT, 'test', 'ns.test'],
        [TLD, 'example.test', 'ns.example.test'],
      ],
    );
    const last = way.at(-1);
    assert.deepEqual([last?.server, last?.role, last?.addresses], [AUTHORITY, 'authoritative', ['192.0.2.80']]);
  });
}

test('as text, the path stands below the client’s line, the same with and without workers', () => {
  const text = read('--threads', '0');
  assert.equal(read('--threads', '2'), text);
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.includes(`${CLIENT} `) && line.includes('192.0.2.80'));
  assert.ok(at >= 0, text);
  const below = lines.slice(
    at + 1,
    lines.findIndex((line, i) => i > at && !line.startsWith('  ')),
  );
  const order = ['referral to test (ns.test)', 'referral to example.test (ns.example.test)', 'NOERROR 192.0.2.80'];
  assert.deepEqual(
    below.filter((line) => order.some((part) => line.includes(part))).map((line) => line.split(' → ')[1].split(' ')[0]),
    [ROOT, TLD, AUTHORITY],
    text,
  );
});
