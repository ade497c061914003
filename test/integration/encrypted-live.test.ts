import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Network } from './network.ts';
import { Serving } from './serving.ts';

/** From a connection until its alert (ms): it waits for rows that were before it. */
const PROMISED = 20_000;

const network = new Network();
const serving = new Serving(network, { capture: { interfaces: [network.link], encrypted: 'web' } });

before(async () => {
  chmodSync(network.folder, 0o755);
  const [key, certificate] = [join(network.folder, 'key.pem'), join(network.folder, 'cert.pem')];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test -keyout ${key} -out ${certificate}`;
  execFileSync('openssl', words.split(' '), { stdio: 'ignore' });
  const serves = `const { readFileSync } = require('fs'); const options = { key: readFileSync('${key}'), cert: readFileSync('${certificate}'), ALPNProtocols: ['dot', 'h2'] };
    for (const port of [853, 443]) require('tls').createServer(options, (s) => s.on('error', () => {}).end('x')).listen(port);`;
  network.start(network.server, [process.execPath, '-e', serves]);
  await serving.start();
});
after(() => network.remove());

/** Opens a connection as a client does, and says what was offered. */
function connect(port: number, servername: string, alpn: string): void {
  const opens = `const s = require('tls').connect({ host: '10.77.0.1', port: ${port}, servername: '${servername}', ALPNProtocols: ['${alpn}'], rejectUnauthorized: false }); s.on('data', () => process.exit()); s.on('error', () => process.exit());`;
  network.in(network.client, process.execPath, '-e', opens);
}

test('live: who speaks DoT and DoH is told of, by the name that is said and by the port; the web is nobody’s business', async () => {
  connect(443, 'www.shop.example', 'h2');
  connect(443, 'dns.google', 'h2');
  connect(853, 'dns.quad9.net', 'dot');
  const titles = () => {
    const alerts = JSON.parse(serving.ask('alerts', 'list', '--json')) as { title: string }[];
    return alerts.map(({ title }) => title).sort();
  };
  const began = performance.now();
  while (titles().length < 2 && performance.now() - began < PROMISED) await sleep(500);
  assert.deepEqual(
    titles(),
    ['10.77.0.2 asks dns.google by DNS over HTTPS', '10.77.0.2 asks dns.quad9.net by DNS over TLS'],
    serving.said,
  );
});
