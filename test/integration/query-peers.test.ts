import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { exchange, type ExchangeOptions } from '../../src/client/exchange.ts';
import { Connections } from '../../src/client/connections.ts';
import { CookieJar } from '../../src/client/cookies.ts';
import { transfer, type TransferError, type TransferOptions } from '../../src/client/transfer.ts';
import { parseTsigKey } from '../../src/client/tsig.ts';
import { update } from '../../src/client/update.ts';
import { Network } from './network.ts';

const secret = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
const certificates = fileURLToPath(new URL('../client/certificates', import.meta.url));
const nametap = fileURLToPath(new URL('../../bin/nametap', import.meta.url));
const PORTS = { plain: 5311, tls: 5312, https: 5313 };
const ca = readFileSync(`${certificates}/ca.pem`, 'utf8');
const ALGORITHMS = ['hmac-md5', 'hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'];

const folder = mkdtempSync(join(tmpdir(), 'nametap-peers-'));
writeFileSync(
  join(folder, 'zone'),
  `$TTL 300
@ IN SOA ns h 1 7200 3600 1209600 60
@ NS ns
ns A 127.0.0.1
www A 192.0.2.80
${Array.from({ length: 3000 }, (_, i) => `h${i} A 192.0.2.${i % 250}`).join('\n')}
`,
);
writeFileSync(
  join(folder, 'named.conf'),
  `${ALGORITHMS.map((name) => `key "${name}" { algorithm ${name}; secret "${secret}"; };`).join('\n')}
tls own { cert-file "${certificates}/server.pem"; key-file "${certificates}/server.key"; };
http own { endpoints { "/dns-query"; }; };
options { directory "${folder}"; pid-file none; session-keyfile none; managed-keys-directory "${folder}";
  listen-on port ${PORTS.plain} { 127.0.0.1; }; listen-on-v6 port ${PORTS.plain} { ::1; };
  listen-on port ${PORTS.tls} tls own { 127.0.0.1; }; listen-on port ${PORTS.https} tls own http own { 127.0.0.1; };
  recursion no; dnssec-validation no; allow-transfer { ${ALGORITHMS.map((name) => `key "${name}";`).join(' ')} };
  notify no; require-server-cookie yes; };
controls { };
zone "peers.test" { type primary; file "${folder}/zone"; allow-update { key "hmac-sha256"; }; };
`,
);
const named = spawn('named', ['-f', '-c', join(folder, 'named.conf')], { stdio: 'ignore' });
const stop = () => named.kill('SIGKILL');
process.once('exit', stop);
after(() => {
  stop();
  rmSync(folder, { recursive: true, force: true });
});

const www = { name: 'www.peers.test', type: 'A' };
const at = (transport: keyof typeof PORTS | 'udp' | 'tcp', address = '127.0.0.1'): ExchangeOptions => ({
  server: {
    address,
    port: transport === 'tls' || transport === 'https' ? PORTS[transport] : PORTS.plain,
    name: 'dns.test',
  },
  transport: transport === 'plain' ? 'udp' : transport,
  timeoutMs: 2000,
  tries: 1,
  tls: { ca },
});

before(async () => {
  for (const until = performance.now() + 20_000; performance.now() < until; await sleep(50)) {
    const { response } = await exchange(www, { ...at('udp'), timeoutMs: 300 });
    if (response?.answers.length === 1) return;
  }
  assert.fail('BIND answers');
});

test('BIND over UDP, TCP, TLS and HTTPS, on IPv4 and IPv6', async () => {
  for (const options of [
    at('udp'),
    at('tcp'),
    at('tls'),
    at('https'),
    { ...at('https'), httpGet: true },
    at('udp', '::1'),
    at('tcp', '::1'),
  ]) {
    const { outcome, sentence, response } = await exchange(www, { ...options, edns: { padding: true } });
    assert.equal(outcome, 'answered', sentence);
    assert.equal(response?.answers[0].data, '192.0.2.80');
  }
});

test('hundreds of questions at once on one connection', async () => {
  for (const transport of ['tcp', 'tls', 'https'] as const) {
    const connections = new Connections();
    const results = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        exchange({ name: `h${i}.peers.test`, type: 'A' }, { ...at(transport), connections }),
      ),
    );
    assert.deepEqual(
      results.map(({ response, sentence }) => response?.answers[0]?.data ?? sentence),
      results.map((_, i) => `192.0.2.${i % 250}`),
      transport,
    );
    connections.close();
  }
});

test('a server that requires its cookie gets it', async () => {
  const cookies = new CookieJar();
  const first = await exchange(www, { ...at('udp'), edns: { cookie: true }, cookies });
  assert.deepEqual(
    first.attempts.map(({ outcome }) => outcome),
    ['badcookie_retry', 'answered'],
  );
  const second = await exchange(www, { ...at('udp'), edns: { cookie: true }, cookies });
  assert.equal(second.attempts.length, 1);
});

test('transfers signed with every algorithm; without a key, or with a wrong one, refused', async () => {
  const count = async (options: Partial<TransferOptions>) => {
    let records = 0;
    for await (const _ of transfer('peers.test', { server: at('tcp').server, ...options })) records++;
    return records;
  };
  for (const name of ALGORITHMS)
    assert.equal(await count({ tsig: parseTsigKey(`${name}:${name}:${secret}`) }), 3005, name);
  const refused = (error: TransferError) => error.rcode === 'REFUSED';
  await assert.rejects(count({}), refused);
  const wrong = parseTsigKey('hmac-sha256:hmac-sha256:AAAA');
  await assert.rejects(count({ tsig: wrong }), (error: TransferError) => error.rcode === 'NOTAUTH');
});

test('UPDATE, signed: what was added is there, IXFR tells the change', async () => {
  const tsig = parseTsigKey(`hmac-sha256:hmac-sha256:${secret}`);
  const options = { ...at('tcp'), tsig };
  const added = await update(
    'peers.test',
    {
      require: [{ name: 'new.peers.test', exists: false }],
      add: [{ name: 'new.peers.test', type: 'A', ttl: 60, data: '192.0.2.99' }],
    },
    options,
  );
  assert.deepEqual([added.outcome, added.response?.rcode], ['answered', 'NOERROR'], added.sentence);
  const found = await exchange({ name: 'new.peers.test', type: 'A' }, at('tcp'));
  assert.equal(found.response?.answers[0].data, '192.0.2.99');
  const again = await update(
    'peers.test',
    { require: [{ name: 'new.peers.test', exists: false }], remove: [{ name: 'www.peers.test' }] },
    options,
  );
  assert.equal(again.response?.rcode, 'YXDOMAIN');
  const unsigned = await update('peers.test', { remove: [{ name: 'www.peers.test' }] }, at('tcp'));
  assert.equal(unsigned.response?.rcode, 'REFUSED');
  const changes: string[] = [];
  for await (const { name, type } of transfer('peers.test', { server: at('tcp').server, serial: 1, tsig }))
    changes.push(`${name} ${type}`);
  assert.deepEqual(changes, [
    'peers.test SOA',
    'peers.test SOA',
    'peers.test SOA',
    'new.peers.test A',
    'peers.test SOA',
  ]);
});

test('nametap query @8.8.8.8 www.example.com A +recurse, a local server in its place', async (t) => {
  const network = new Network();
  t.after(() => network.remove());
  network.in(network.server, 'ip', 'address', 'add', '8.8.8.8/32', 'dev', 'lo');
  network.in(network.client, 'ip', 'route', 'add', '8.8.8.8/32', 'via', '10.77.0.1');
  await network.startResolver();
  const out = network.in(network.client, process.execPath, nametap, 'query', '@8.8.8.8', 'a.example', 'A', '+recurse');
  assert.match(
    out,
    /^A a\.example\. 1h00m00s {3}192\.0\.2\.7\nNOERROR · 1 answer · [\d.]+ ms · 8\.8\.8\.8#53 UDP .* RD sent, RA received/,
  );
  const named = network.in(
    network.client,
    process.execPath,
    nametap,
    'query',
    '+recurse',
    'A',
    'www.example.com',
    '@8.8.8.8',
  );
  assert.match(named, /8\.8\.8\.8#53 UDP · \d+ bytes · RD sent, RA (?:not )?received/);

  // No route to there: told apart from silence, at once.
  const words = [
    'netns',
    'exec',
    network.client,
    process.execPath,
    nametap,
    'query',
    '@198.51.100.1',
    'www.example.com',
  ];
  const nowhere = spawnSync('ip', words, { encoding: 'utf8' });
  assert.equal(nowhere.status, 9);
  assert.match(nowhere.stdout, /198\.51\.100\.1#53 over UDP cannot be reached: the network is unreachable\./);
});
