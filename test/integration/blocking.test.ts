import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Network } from './network.ts';
import { answerOf, PRIMARY_PORT, RESOLVERS, SECRET, startAuthority, UNBOUND_RELOAD, until, ZONE } from './resolvers.ts';
import { Serving } from './serving.ts';

/** Whom nametap becomes. */
const NOBODY = 65_534;

/** What is blocked stops resolving within this, and resolves again within this once that is undone (ms). */
const PROMISED = 5000;

const network = new Network();
/** Resolvers give up root's rights, or part of them: they read lists in a folder of their own. */
const lists = join(network.folder, 'lists');

const peer = { address: '127.0.0.1', notify: 53, key: 'nametap', secret: SECRET };
const serving = new Serving(network, {
  block: {
    actions: {
      zone: { type: 'rpz', listen: `0.0.0.0:${PRIMARY_PORT}`, zone: ZONE, peers: { local: peer } },
      unbound: { type: 'file', path: join(lists, 'blocked.rpz'), format: 'rpz', zone: ZONE, reload: UNBOUND_RELOAD },
      dnsdist: { type: 'file', path: join(lists, 'blocked.dnsdist'), format: 'dnsdist' },
      firewall: { type: 'nftables' },
    },
  },
});
const nametap = (...words: string[]) => serving.ask(...words);

before(async () => {
  chmodSync(network.folder, 0o755);
  mkdirSync(lists);
  chownSync(lists, NOBODY, NOBODY);
  startAuthority(network);
  await serving.start();
  for (const one of RESOLVERS) network.start(network.server, one.command(network.folder, lists), 'ignore');
  const times = await until(network, 'www.good.example', 'NOERROR', 20_000);
  assert.ok(Math.max(...Object.values(times)) < 20_000, JSON.stringify(times));
});
after(() => network.remove());

test('a blocked name stops resolving everywhere in time, with what is below it, and nothing else; undo restores it', async (t) => {
  nametap('block', 'add', 'evil.example', '--reason', 'test');
  const blocked = await until(network, 'a.b.evil.example', 'NXDOMAIN', PROMISED);
  t.diagnostic(`blocked after (ms): ${JSON.stringify(blocked)}`);
  for (const one of RESOLVERS) {
    assert.ok(blocked[one.name] < PROMISED, one.name);
    assert.equal(answerOf(network, one, 'evil.example'), 'NXDOMAIN', one.name);
    assert.equal(answerOf(network, one, 'www.good.example'), 'NOERROR', one.name);
  }
  assert.match(nametap('block', 'list'), /evil\.example +domain +\S+ \S+ +.*test/);
  nametap('block', 'undo', 'evil.example');
  const restored = await until(network, 'a.b.evil.example', 'NOERROR', PROMISED);
  t.diagnostic(`undone after (ms): ${JSON.stringify(restored)}`);
  for (const one of RESOLVERS) assert.ok(restored[one.name] < PROMISED, one.name);
});

test('one word ends all blocks', async () => {
  nametap('block', 'add', 'evil.example');
  nametap('block', 'add', 'other.example');
  await until(network, 'other.example', 'NXDOMAIN', PROMISED);
  assert.match(nametap('block', 'flush'), /2 blocks have ended/);
  for (const name of ['evil.example', 'other.example']) {
    const restored = await until(network, name, 'NOERROR', PROMISED);
    assert.ok(Math.max(...Object.values(restored)) < PROMISED, JSON.stringify(restored));
  }
});

test('who has the wrong key, none, or is not listed gets nothing of the zone', () => {
  const transfer = (space: string, address: string, ...key: string[]) => {
    const words = ['dig', '+time=1', '+tries=1', `@${address}`, '-p', String(PRIMARY_PORT), ...key, ZONE, 'AXFR'];
    return spawnSync('ip', ['netns', 'exec', space, ...words], { encoding: 'utf8' }).stdout;
  };
  const right = `hmac-sha256:nametap:${SECRET}`;
  const wrong = `hmac-sha256:nametap:${Buffer.alloc(32).toString('base64')}`;
  assert.match(transfer(network.server, '127.0.0.1', '-y', right), /XFR size: 3 records/);
  assert.match(transfer(network.server, '127.0.0.1', '-y', wrong), /BADSIG[\s\S]*Transfer failed/);
  assert.match(transfer(network.server, '127.0.0.1'), /Transfer failed/);
  assert.doesNotMatch(transfer(network.client, '10.77.0.1', '-y', right), /SOA/);
});

test('a blocked client cannot look anything up, and can again once that is undone', async () => {
  const lookUp = (server: string) =>
    spawnSync('ip', ['netns', 'exec', network.client, 'dig', '+time=1', '+tries=1', `@${server}`, 'www.good.example'], {
      encoding: 'utf8',
    }).status;
  assert.equal(lookUp('10.77.0.1'), 0);
  nametap('block', 'add', '10.77.0.2', '--kind', 'client');
  await sleep(300);
  assert.equal(lookUp('10.77.0.1'), 9);
  const sets = network.in(network.server, 'nft', 'list', 'table', 'inet', 'nametap');
  assert.match(sets, /10\.77\.0\.2 timeout 1h expires/);
  network.in(network.client, 'ping', '-c', '1', '-W', '1', '10.77.0.1');
  nametap('block', 'undo', '10.77.0.2');
  await sleep(300);
  assert.equal(lookUp('10.77.0.1'), 0);
  assert.throws(() => nametap('block', 'add', '10.77.0.1', '--kind', 'client'), /never blocked/);
});

test('a block outlives a restart and ends when it should; meanwhile, and after a crash, nothing is blocked', async (t) => {
  const began = performance.now();
  nametap('block', 'add', 'expires.example', '--for', '20s');
  nametap('block', 'add', '10.77.0.2', '--kind', 'client', '--for', '20s');
  const blocked = await until(network, 'expires.example', 'NXDOMAIN', PROMISED);
  assert.ok(Math.max(...Object.values(blocked)) < PROMISED, JSON.stringify(blocked));
  await serving.end('SIGTERM');
  const open = await until(network, 'expires.example', 'NOERROR', PROMISED);
  assert.ok(Math.max(...Object.values(open)) < PROMISED, `stopped: ${JSON.stringify(open)}`);
  const hasTable = () => network.in(network.server, 'nft', 'list', 'tables').includes('nametap');
  assert.equal(hasTable(), false);

  await serving.start();
  const again = await until(network, 'expires.example', 'NXDOMAIN', PROMISED);
  t.diagnostic(`after a restart (ms): ${JSON.stringify(again)}`);
  assert.match(network.in(network.server, 'nft', 'list', 'table', 'inet', 'nametap'), /10\.77\.0\.2 timeout/);
  assert.ok(performance.now() - began < 20_000, 'it has not ended before this was seen');
  for (const one of RESOLVERS) assert.ok(again[one.name] < PROMISED, `${one.name} again`);
  await sleep(Math.max(0, 20_000 - (performance.now() - began)));
  const ended = await until(network, 'expires.example', 'NOERROR', PROMISED);
  t.diagnostic(`ended after (ms): ${JSON.stringify(ended)}`);
  assert.ok(Math.max(...Object.values(ended)) < PROMISED, JSON.stringify(ended));
  assert.equal(nametap('block', 'list'), '');

  nametap('block', 'add', '10.77.0.2', '--kind', 'client');
  await sleep(300);
  assert.equal(hasTable(), true);
  await serving.end('SIGKILL');
  for (let i = 0; i < 100 && hasTable(); i++) await sleep(20);
  assert.equal(hasTable(), false);
});
