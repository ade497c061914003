/** Checks against other programs: pings by every way there is, and each metric of blackbox_exporter. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/app/config.ts';
import { ProbeService } from '../../src/app/probe-service.ts';
import { probeOf, probeSettings } from '../../src/app/probe-settings.ts';
import { Runner } from '../../src/probes/runner.ts';
import type { ProbesConfig } from '../../src/probes/settings.ts';
import { decodeMessage, encodeMessage } from '../../src/rr/encode.ts';
import { type Fixture, fixture } from '../server/fixture.ts';

const NAMETAP = [process.execPath, fileURLToPath(new URL('../../bin/nametap', import.meta.url))];
const folder = mkdtempSync(join(tmpdir(), 'nametap-probes-'));
const servers: Server[] = [];
let blackbox: ChildProcess;
let blackboxUrl = '';
let f: Fixture;
let service: ProbeService;

const certificate = join(folder, 'cert.pem');
const key = join(folder, 'key.pem');

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const ports = { http: 0, https: 0, tcp: 0, closing: 0, dns: 0, blackbox: 0 };

before(async () => {
  execFileSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '30',
    '-subj',
    '/C=DE/O=Example, Inc. \\+ "Sons"/OU=One/OU=Two/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-keyout',
    key,
    '-out',
    certificate,
  ]);
  const answer = (url: string | undefined) =>
    url === '/moved'
      ? { status: 302, headers: { location: '/' } }
      : { status: url === '/bad' ? 500 : 200, headers: {} };
  const handler: Parameters<typeof createHttp>[1] = (request, response) => {
    const { status, headers } = answer(request.url);
    const body = 'hello';
    response.writeHead(status, {
      'content-length': body.length,
      'last-modified': 'Tue, 24 Nov 2026 08:00:00 GMT',
      ...headers,
    });
    response.end(body);
  };
  ports.http = await listening(createHttp(handler));
  ports.https = await listening(
    createHttps({ cert: readFileSync(certificate), key: readFileSync(key), ALPNProtocols: ['http/1.1'] }, handler),
  );
  ports.tcp = await listening(createServer((socket) => socket.on('error', () => undefined).write('220 ready\r\n')));
  ports.closing = await listening(createServer((socket) => socket.on('error', () => undefined).end('220 ready\r\n')));
  await startZone();
  const probe = createServer();
  ports.blackbox = await listening(probe);
  await new Promise((resolve) => probe.close(resolve));
  await startBlackbox();
  await startService();
});

after(async () => {
  blackbox.kill('SIGKILL');
  await service.close();
  await f.close();
  for (const server of servers) server.close();
  zone.close();
  rmSync(folder, { recursive: true });
});

const zone = createSocket('udp4');

/** A server that answers with the SOA record of its zone, and without EDNS. */
async function startZone(): Promise<void> {
  zone.on('message', (bytes, from) => {
    const { id, questions } = decodeMessage(bytes);
    const data = 'ns.example.test. root.example.test. 2026112501 2 3 4 5';
    const answers = [{ name: 'example.test', type: 'SOA', class: 'IN', ttl: 60, data }];
    const flags = ['qr', 'aa', 'rd', 'ra'];
    zone.send(encodeMessage({ id, flags, questions, answers }), from.port, from.address);
  });
  await new Promise<void>((resolve) => zone.bind(0, '127.0.0.1', resolve));
  ports.dns = zone.address().port;
}

async function startBlackbox(): Promise<void> {
  const config = join(folder, 'blackbox.yml');
  const tls = { insecure_skip_verify: true };
  const modules = {
    web: { prober: 'http', http: { preferred_ip_protocol: 'ip4', tls_config: tls } },
    trusted: { prober: 'http', http: { preferred_ip_protocol: 'ip4', tls_config: { ca_file: certificate } } },
    port: { prober: 'tcp', tcp: { preferred_ip_protocol: 'ip4' } },
    greets: { prober: 'tcp', tcp: { preferred_ip_protocol: 'ip4', query_response: [{ expect: '^220 ' }] } },
    wrong: {
      prober: 'tcp',
      timeout: '1s',
      tcp: { preferred_ip_protocol: 'ip4', query_response: [{ expect: '^550 ' }] },
    },
    zone: {
      prober: 'dns',
      dns: { preferred_ip_protocol: 'ip4', query_name: 'example.test', query_type: 'SOA' },
    },
    host: { prober: 'icmp', icmp: { preferred_ip_protocol: 'ip4' } },
  };
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ modules }));
  blackboxUrl = `http://127.0.0.1:${ports.blackbox}`;
  const words = [`--config.file=${config}`, `--web.listen-address=127.0.0.1:${ports.blackbox}`, '--log.level=error'];
  blackbox = spawn('prometheus-blackbox-exporter', words, { stdio: ['ignore', 'ignore', 'inherit'] });
  for (let tries = 0; ; tries++) {
    const isUp = await fetch(`${blackboxUrl}/-/healthy`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return;
    assert.ok(tries < 200, 'blackbox_exporter starts');
    await sleep(50);
  }
}

async function startService(): Promise<void> {
  f = await fixture();
  const checks = {
    web: { type: 'http', targets: [], verify: false },
    trusted: { type: 'http', targets: [], authority: certificate },
    port: { type: 'tcp', targets: [] },
    greets: { type: 'tcp', targets: [], dialogue: [{ expect: '^220 ' }] },
    wrong: { type: 'tcp', targets: [], dialogue: [{ expect: '^550 ' }] },
    zone: { type: 'dns', targets: [], query_name: 'example.test', query_type: 'SOA' },
    host: { type: 'icmp', targets: [], packets: 1 },
    // Reached though no network is allowed that it is in.
    named: { type: 'tcp', targets: ['127.0.0.2:9'], every: '1h' },
  };
  const environment = { NAMETAP_PROBES_CHECKS: JSON.stringify(checks), NAMETAP_PROBES_ALLOW: '127.0.0.1' };
  const { config } = loadConfig({ flags: {}, environment });
  const { alerts, log } = f.services;
  service = new ProbeService({
    config: config.probes as ProbesConfig,
    store: f.store,
    version: '0.0.0',
    book: alerts,
    own: () => 0,
    log,
  });
  Object.assign(f.services, { probes: service });
  await service.open();
}

type Metrics = Map<string, number>;

function parsed(text: string): Metrics {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const at = line.lastIndexOf(' ');
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
  );
}

async function scrapes(module: string, target: string): Promise<{ ours: Metrics; theirs: Metrics }> {
  const query = new URLSearchParams({ module, target });
  const headers = { 'x-prometheus-scrape-timeout-seconds': '2' };
  const own = await f.get(`/probe?${query}`, headers);
  assert.equal(own.status, 200, await own.clone().text());
  assert.match(own.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const other = await fetch(`${blackboxUrl}/probe?${query}`, { headers });
  return { ours: parsed(await own.text()), theirs: parsed(await other.text()) };
}

/** Times differ from run to run: that both have them is what is compared, and that ours are sound. */
const isTime = (name: string) => /_seconds(?:\{|$)/.test(name) && !/timestamp/.test(name);
const CASES: readonly [module: string, target: () => string, success: number][] = [
  ['web', () => `http://127.0.0.1:${ports.http}/`, 1],
  ['web', () => `http://127.0.0.1:${ports.http}/moved`, 1],
  ['web', () => `http://127.0.0.1:${ports.http}/bad`, 0],
  ['web', () => `https://127.0.0.1:${ports.https}/`, 1],
  ['trusted', () => `https://127.0.0.1:${ports.https}/`, 1],
  ['port', () => `127.0.0.1:${ports.tcp}`, 1],
  ['greets', () => `127.0.0.1:${ports.tcp}`, 1],
  ['wrong', () => `127.0.0.1:${ports.tcp}`, 0],
  ['wrong', () => `127.0.0.1:${ports.closing}`, 0],
  ['zone', () => `127.0.0.1:${ports.dns}`, 1],
  ['host', () => '127.0.0.1', 1],
];
for (const [module, target, success] of CASES) {
  test(`/probe?module=${module} shows what blackbox_exporter shows: ${String(target).slice(6)}`, async () => {
    const { ours, theirs } = await scrapes(module, target());
    const names = [...theirs.keys()];
    assert.deepEqual(
      names.filter((name) => !ours.has(name)),
      [],
      'each of theirs is there',
    );
    for (const name of names) {
      const value = ours.get(name) ?? Number.NaN;
      if (isTime(name)) assert.ok(value >= 0 && value < 2, `${name} ${value}`);
      else assert.equal(value, theirs.get(name), name);
    }
    assert.equal(ours.get('probe_success'), success);
  });
}

test('/probe asks nobody whom the configuration does not name or allow', async () => {
  const status = async (module: string, target: string) =>
    (await f.get(`/probe?${new URLSearchParams({ module, target })}`)).status;
  const refused = [
    'http://127.0.0.3/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::1]/',
    `http://[::ffff:127.0.0.3]:${ports.http}/`,
    'http://0x7f000003/',
    'http://2130706435/',
  ];
  for (const target of refused) assert.equal(await status('web', target), 403, target);
  assert.equal(await status('named', '127.0.0.2:9'), 200, 'a target of the configuration');
  assert.equal(await status('port', '127.0.0.2:10'), 403, 'another port of it');
  assert.equal(await status('web', 'file:///etc/passwd'), 400);
  assert.equal(await status('nothing', 'http://127.0.0.1/'), 400);
  // What is allowed may not lead to what is not.
  const trap = await listening(
    createHttp((_, response) => response.writeHead(302, { location: 'http://127.0.0.3/' }).end()),
  );
  assert.equal(await status('web', `http://127.0.0.1:${trap}/`), 403);
});

test('certificates: trusted, unknown, soon over', async () => {
  const runner = new Runner('0.0.0');
  const check = async (words: readonly string[], host = 'localhost') => {
    const definition = probeOf('http');
    const settings = await probeSettings(definition, ['family=ipv4', ...words]);
    const options = { settings, timeoutMs: 2000, signal: new AbortController().signal };
    const { outcome, text } = await runner.check(definition, `https://${host}:${ports.https}/`, options);
    return `${outcome}: ${text}`;
  };
  const trusted = `authority=${certificate}`;
  assert.equal(await check([trusted]), 'ok: 200');
  assert.equal(await check([]), 'certificate: the certificate: it is signed by itself');
  assert.equal(await check([trusted, 'certificate_left=60d']), 'certificate: the certificate expires in 29 days');
  assert.equal(await check(['verify=false']), 'ok: 200');
  await runner.close();
});

interface Ping {
  outcome: string;
  ms: number | null;
  text: string;
  facts: { way?: string; lost?: number };
  trips: (number | null)[];
}

/** Pings from a namespace of its own, as somebody. */
function ping(target: string, words: readonly string[], as: readonly string[], setup: string): Ping {
  const command = [...as, ...NAMETAP, 'probe', 'icmp', target, '-T', 'json', '-c', '1', ...words]
    .map((word) => `'${word}'`)
    .join(' ');
  const script = `ip link set lo up; ${setup}; ${command} | head -1`;
  const out = execFileSync('unshare', ['-n', 'sh', '-c', script], { encoding: 'utf8', timeout: 60_000 });
  return JSON.parse(out.split('\n')[0]) as Ping;
}

const NOBODY = [
  'setpriv',
  '--reuid=65534',
  '--regid=65534',
  '--clear-groups',
  '--bounding-set=-all',
  '--inh-caps=-all',
];
const ALLOWED = 'sysctl -qw net.ipv4.ping_group_range="0 2147483647"';
const REFUSED = 'sysctl -qw net.ipv4.ping_group_range="1 0"';

test('a ping socket is used where the system allows it, without any right', () => {
  for (const target of ['127.0.0.1', '::1']) {
    const found = ping(target, ['-o', 'packets=3', '-o', 'pause=5ms'], NOBODY, ALLOWED);
    assert.equal(found.facts.way, 'ping socket (no right needed)');
    assert.equal(found.outcome, 'ok');
    assert.equal(found.trips.length, 3);
    assert.ok(found.trips.every((ms) => ms !== null && ms > 0 && ms < 50));
  }
});

test('a raw socket is used else, and fping where that is refused too', () => {
  const raw = ping('127.0.0.1', ['-o', 'packets=2', '-o', 'pause=5ms'], [], REFUSED);
  assert.equal(raw.facts.way, 'raw socket');
  assert.equal(raw.outcome, 'ok');
  // It has a capability of its own in its file.
  const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const program = ping('127.0.0.1', ['-o', 'packets=2', '-o', 'pause=5ms'], user, REFUSED);
  assert.match(program.facts.way ?? '', /^fping \d/);
  assert.equal(program.outcome, 'ok');
});

test('fping is run a few times at once, however many hosts there are', () => {
  const hosts = Array.from({ length: 200 }, (_, i) => `127.0.0.${i + 1}`).join(' ');
  const command = `${NAMETAP.join(' ')} probe icmp ${hosts} -c 1 -o packets=1 --spread 0ms -t 30s -q`;
  const user = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
  const count =
    'most=0; while kill -0 $pid 2>/dev/null; do n=$(pgrep -c -x fping); [ $n -gt $most ] && most=$n; sleep 0.02; done';
  const script = `ip link set lo up; ${REFUSED}; ${user} ${command} & pid=$!; ${count}; wait $pid; echo "exit $? most $most"`;
  const out = execFileSync('unshare', ['-n', '--pid', '--fork', '--mount-proc', 'bash', '-c', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  const [, exit, most] = /exit (\d+) most (\d+)/.exec(out) ?? [];
  assert.equal(exit, '0', out.slice(-500));
  assert.ok(Number(most) <= 33, `${most} at once`);
  assert.match(out, /200 checks, 200 passed/);
});

test('what no host answers is told from what does not answer', () => {
  const cable =
    'ip link add v0 type veth peer name v1; ip addr add 10.9.9.1/24 dev v0; ip link set v0 up; ip link set v1 up';
  for (const way of [ALLOWED, REFUSED]) {
    const found = ping('10.9.9.2', ['-t', '4s', '-o', 'packets=1'], [], `${cable}; ${way}`);
    assert.equal(found.outcome, 'unreachable');
    assert.equal(found.text, 'no route to the host');
    const none = ping('10.8.8.8', ['-t', '1s', '-o', 'packets=1'], [], `${cable}; ${way}`);
    assert.equal(`${none.outcome}: ${none.text}`, 'unreachable: the network is unreachable');
  }
});

test('as a build step: 0 passed, 1 a check failed, 2 could not run', async () => {
  const exit = (...words: string[]): Promise<number> =>
    new Promise((resolve) => {
      execFile(NAMETAP[0], [NAMETAP[1], 'probe', ...words], (error) => {
        resolve(error === null ? 0 : Number(error.code));
      });
    });
  const url = `http://127.0.0.1:${ports.http}/`;
  assert.equal(await exit('http', url), 0);
  assert.equal(await exit('http', `${url}bad`), 1);
  assert.equal(await exit('http', url, `${url}bad`, '--fail-on', 'loss>1%'), 0, 'it was answered');
  assert.equal(await exit('http', url, '--fail-on', 'p95>1us'), 2, 'no such unit');
  assert.equal(await exit('http', url, '-c', '3', '-i', '10ms', '--fail-on', 'min>0ms'), 1);
  assert.equal(await exit('http', '-f', '/nowhere'), 2);
  assert.equal(await exit('gopher', url), 2);
  assert.equal(await exit('http', 'ftp://x/'), 2);
});
