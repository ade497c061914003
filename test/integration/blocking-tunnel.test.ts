import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Network } from './network.ts';
import { PRIMARY_PORT, RESOLVERS, SECRET, startAuthority, TUNNEL_PORT, ZONE } from './resolvers.ts';
import { Serving } from './serving.ts';

const DOMAIN = 'tunnel.example';
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
  network.start(
    network.server,
    ['iodined', '-f', '-c', '-P', 'secret', '-l', '127.0.0.1', '-p', String(TUNNEL_PORT), '10.99.0.1/24', DOMAIN],
    'ignore',
  );
});
after(() => network.remove());

function passes(packets: number): boolean {
  const words = ['ping', '-q', '-c', String(packets), '-i', '0.2', '-W', '1', '-s', '400', '10.99.0.1'];
  return spawnSync('ip', ['netns', 'exec', network.client, ...words], { timeout: 20_000 }).status === 0;
}

test('a tunnel through the resolver is noticed while it runs, and stopped', async (t) => {
  const iodine = network.start(network.client, ['iodine', '-f', '-r', '-P', 'secret', '10.77.0.1', DOMAIN]);
  let said = '';
  iodine.stderr?.on('data', (chunk: Buffer) => {
    said += String(chunk);
  });
  const began = performance.now();
  let isThrough = false;
  let blocks: { value: string; by: string; reason: string }[] = [];
  while (blocks.length === 0 && performance.now() - began < PROMISED) {
    isThrough ||= passes(2);
    blocks = JSON.parse(serving.ask('block', 'list', '--json')) as typeof blocks;
  }
  t.diagnostic(`blocked after ${Math.round(performance.now() - began)} ms; the tunnel carried packets: ${isThrough}`);
  assert.equal(blocks.length, 1, `${said}\n${serving.ask('block', 'report')}\n${serving.said}`);
  assert.equal(blocks[0].value, DOMAIN);
  assert.match(blocks[0].by, /^TUN-BYTES\//);
  // BIND has heard of it at once.
  await sleep(1000);
  assert.equal(passes(5), false, 'nothing passes the tunnel any more');
  const { stdout } = spawnSync(
    'ip',
    ['netns', 'exec', network.client, 'dig', '+time=1', '+tries=1', '@10.77.0.1', 'www.good.example'],
    { encoding: 'utf8' },
  );
  assert.match(stdout, /status: NOERROR/, 'everybody else resolves as before');
});
