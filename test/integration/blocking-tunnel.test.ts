import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Network } from './network.ts';
import { PRIMARY_PORT, RESOLVERS, SECRET, startAuthority, TUNNELS, ZONE } from './resolvers.ts';
import { Serving } from './serving.ts';

/** From the first packet of the tunnel until it is blocked (ms). */
const PROMISED = 15_000;

const network = new Network();
const serving = new Serving(network, {
  detect: { detectors: { tun_bytes: { enforce: true } } },
  block: {
    actions: {
      zone: {
        type: 'rpz',
        zone: ZONE,
        listen: `127.0.0.1:${PRIMARY_PORT}`,
        peers: { bind: { address: '127.0.0.1', key: 'nametap', secret: SECRET } },
      },
    },
  },
});

before(async () => {
  chmodSync(network.folder, 0o755);
  startAuthority(network);
  await serving.start();
  const [bind] = RESOLVERS;
  network.start(network.server, bind.command(network.folder, network.folder), 'ignore');
  const [[domain, port]] = Object.entries(TUNNELS);
  const iodined = [
    'iodined',
    '-f',
    '-c',
    '-P',
    'secret',
    '-l',
    '127.0.0.1',
    '-p',
    String(port),
    '10.99.0.1/24',
    domain,
  ];
  network.start(network.server, iodined, 'ignore');
});
after(() => network.remove());

/** What is blocked, once something is; how long that took is said. */
async function blocked(t: TestContext, domain: string): Promise<{ by: string }> {
  const began = performance.now();
  while (performance.now() - began < PROMISED) {
    const blocks = JSON.parse(serving.ask('block', 'list', '--json')) as { value: string; by: string }[];
    const found = blocks.find(({ value }) => value === domain);
    if (found !== undefined) {
      t.diagnostic(`${domain} is blocked after ${Math.round(performance.now() - began)} ms`);
      return found;
    }
    await sleep(50);
  }
  return assert.fail(`${serving.ask('block', 'report')}\n${serving.said}`);
}

function resolvesOthers(): void {
  const words = ['dig', '+time=1', '+tries=1', '@10.77.0.1', 'www.good.example'];
  const { stdout } = spawnSync('ip', ['netns', 'exec', network.client, ...words], { encoding: 'utf8' });
  assert.match(stdout, /status: NOERROR/, 'everybody else resolves as before');
}

test('iodine: packets in names are noticed while they flow, and stopped', async (t) => {
  const ping = (packets: number) => {
    const words = ['ping', '-q', '-c', String(packets), '-i', '0.2', '-W', '1', '-s', '400', '10.99.0.1'];
    return spawnSync('ip', ['netns', 'exec', network.client, ...words], { timeout: 20_000 }).status === 0;
  };
  network.start(network.client, ['iodine', '-f', '-r', '-P', 'secret', '10.77.0.1', 'tunnel.example'], 'ignore');
  // The interface comes up once both ends have found each other.
  const pings = 'until ping -c 1 -W 1 10.99.0.1; do sleep 0.1; done; exec ping -i 0.2 -s 400 10.99.0.1';
  const flowing = network.start(network.client, ['sh', '-c', pings]);
  let said = '';
  flowing.stdout?.on('data', (chunk: Buffer) => {
    said += String(chunk);
  });
  const { by } = await blocked(t, 'tunnel.example');
  assert.match(by, /^TUN-BYTES\//);
  t.diagnostic(`packets that passed the tunnel before: ${said.match(/bytes from/g)?.length ?? 0}`);
  // BIND has heard of it at once.
  await sleep(1000);
  assert.equal(ping(4), false, 'nothing passes the tunnel any more');
  resolvesOthers();
});

test('dns2tcp: a stream in names is noticed while it flows, and stopped', async (t) => {
  const port = TUNNELS['pipe.example'];
  const config = join(network.folder, 'dns2tcpd.conf');
  writeFileSync(
    config,
    `listen = 127.0.0.1\nport = ${port}\nuser = nobody\nkey = secret\nchroot = ${network.folder}\ndomain = pipe.example\nresources = sink:127.0.0.1:7000\n`,
  );
  const counts = `let n = 0; require('net').createServer((s) => s.on('error', () => {}).on('data', (d) => { n += d.length; console.log(n); })).listen(7000, '127.0.0.1')`;
  const sink = network.start(network.server, [process.execPath, '-e', counts]);
  let arrived = 0;
  sink.stdout?.on('data', (chunk: Buffer) => {
    arrived = Number(String(chunk).trim().split('\n').at(-1));
  });
  network.start(network.server, ['dns2tcpd', '-F', '-f', config], 'ignore');
  await sleep(500);
  const client = ['dns2tcpc', '-c', '-z', 'pipe.example', '-k', 'secret', '-r', 'sink', '-l', '7001', '10.77.0.1'];
  network.start(network.client, client, 'ignore');
  await sleep(500);
  const sends = `const s = require('net').connect(7001, '127.0.0.1'); s.on('error', () => {}); setInterval(() => s.write(require('crypto').randomBytes(512)), 100)`;
  network.start(network.client, [process.execPath, '-e', sends], 'ignore');
  const { by } = await blocked(t, 'pipe.example');
  assert.match(by, /^TUN-BYTES\//);
  await sleep(1500);
  const before = arrived;
  t.diagnostic(`bytes that passed the tunnel before: ${before}`);
  assert.ok(before > 0, 'it was a tunnel');
  await sleep(2000);
  assert.equal(arrived, before, 'nothing passes the tunnel any more');
  resolvesOthers();
});

test('names that only carry data out, and are all answered alike, are noticed while they flow, and stopped', async (t) => {
  // Five names a second of 52 letters each: 130 bytes of data a second.
  const sends = `const resolver = new (require('dns').Resolver)({ timeout: 1000, tries: 1 }); resolver.setServers(['10.77.0.1']);
    const letters = 'abcdefghijklmnopqrstuvwxyz234567'; let passed = 0;
    setInterval(() => {
      const name = [...require('crypto').randomBytes(52)].map((octet) => letters[octet & 31]).join('') + '.drop.example';
      resolver.resolve4(name, (error) => { if (!error) console.log(++passed); });
    }, 200)`;
  const sending = network.start(network.client, [process.execPath, '-e', sends]);
  let passed = 0;
  sending.stdout?.on('data', (chunk: Buffer) => {
    passed = Number(String(chunk).trim().split('\n').at(-1));
  });
  const { by } = await blocked(t, 'drop.example');
  assert.match(by, /^TUN-BYTES\//);
  await sleep(1000);
  const before = passed;
  t.diagnostic(`names that passed before: ${before}`);
  assert.ok(before >= 10 && before * 52 < 4096, `${before} names had passed`);
  await sleep(2000);
  assert.equal(passed, before, 'no name passes any more');
  resolvesOthers();
});
