import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Action } from '../../src/actions/action.ts';
import { fileAction } from '../../src/actions/file.ts';
import { LIST_FORMATS } from '../../src/actions/formats.ts';
import { NFT_SETS, setupScript, wishScript } from '../../src/actions/nft-rules.ts';
import { nftWish } from '../../src/actions/nftables.ts';
import { rpzAction } from '../../src/actions/rpz.ts';
import { webhookAction } from '../../src/actions/webhook.ts';
import { schemaOf } from '../../src/app/config-schema.ts';
import { UserError } from '../../src/core/errors.ts';
import { temporary } from './facts.ts';
import { blockOf } from './secondary.ts';

const CONTEXT = { name: 'test', now: () => 1_800_000_000_000, notice: () => {} };

async function open(
  definition: { settings: object; open(options: never, context: typeof CONTEXT): Action | Promise<Action> },
  settings: Record<string, unknown>,
): Promise<Action> {
  return definition.open(schemaOf(definition.settings as never).parse(settings) as never, CONTEXT);
}

test('each format of a list is what its reader takes', () => {
  const blocks = [blockOf('evil.example'), blockOf('bad-1.example')];
  const texts = Object.fromEntries(
    LIST_FORMATS.map(({ name, text }) => [
      name,
      text(blocks, { zone: 'rpz.nametap', serial: 7 })
        .split('\n')
        .filter((line) => line !== '' && !/^[#!;]/.test(line)),
    ]),
  );
  const both = (line: (name: string) => string) => ['evil.example', 'bad-1.example'].map(line);
  assert.deepEqual(texts.domains, both(String));
  assert.deepEqual(
    texts.hosts,
    both((name) => `0.0.0.0 ${name}`),
  );
  assert.deepEqual(
    texts.adguard,
    both((name) => `||${name}^`),
  );
  assert.deepEqual(
    texts.unbound,
    both((name) => `local-zone: "${name}." always_nxdomain`),
  );
  assert.deepEqual(
    texts.dnsmasq,
    both((name) => `address=/${name}/`),
  );
  assert.deepEqual(
    texts.dnsdist,
    both((name) => `2000000000 ${name}`),
  );
  assert.equal(texts.rpz[2], 'evil.example.rpz.nametap. 30 IN CNAME .');
  assert.equal(texts.rpz.length, 6);
});

test('a file is replaced as a whole, its reader told; when that fails it is done again', async (t) => {
  const folder = temporary(t);
  const path = join(folder, 'list');
  const told = join(folder, 'told');
  const script = join(folder, 'reload');
  writeFileSync(script, `#!/bin/sh\ncat ${path} >>${told}\ntest -e ${folder}/ok\n`);
  chmodSync(script, 0o755);
  const action = await open(fileAction, { path, format: 'domains', reload: [script, 'a word'] });
  await assert.rejects(action.apply([blockOf('evil.example')]));
  writeFileSync(join(folder, 'ok'), '');
  await action.apply([blockOf('evil.example')]);
  await action.apply([blockOf('evil.example')]);
  const seen = readFileSync(told, 'utf8').match(/evil/g);
  assert.equal(seen?.length, 2, 'told twice: once it failed, and not again for the same');
  await action.apply([]);
  assert.doesNotMatch(readFileSync(path, 'utf8'), /evil/);
  assert.deepEqual(readdirSync(folder).sort(), ['list', 'ok', 'reload', 'told'], 'nothing else is left');
});

test('a file that cannot be written leaves the old one as it is', async (t) => {
  const folder = temporary(t);
  const path = join(folder, 'list');
  // Its place is taken by a folder, which no rename replaces.
  mkdirSync(path);
  writeFileSync(join(path, 'old'), 'old');
  const action = await open(fileAction, { path, format: 'hosts' });
  await assert.rejects(action.apply([blockOf('evil.example')]));
  assert.deepEqual([readdirSync(folder), readFileSync(join(path, 'old'), 'utf8')], [['list'], 'old']);
});

test('a webhook is told what begins and ends, signed, and again what it did not take', async (t) => {
  const bodies: { signature: string; time: string; body: string }[] = [];
  let status = 500;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push({
        signature: String(request.headers['x-nametap-signature']),
        time: String(request.headers['x-nametap-timestamp']),
        body: Buffer.concat(chunks).toString(),
      });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const action = await open(webhookAction, { url: `http://127.0.0.1:${port}/hook`, secret: 'shared' });
  const block = blockOf('evil.example');
  await assert.rejects(action.apply([block]), /answers 500/);
  status = 204;
  await action.apply([block]);
  await action.apply([block]);
  await action.apply([]);
  assert.equal(bodies.length, 3);
  for (const { signature, time, body } of bodies) {
    assert.equal(time, '1800000000');
    assert.equal(signature, `sha256=${createHmac('sha256', 'shared').update(`${time}.${body}`).digest('hex')}`);
  }
  const told = bodies.map(
    ({ body }) => JSON.parse(body) as { blocked: { value: string }[]; ended: { value: string }[] },
  );
  assert.deepEqual(
    told.map(({ blocked, ended }) => [blocked.map(({ value }) => value), ended.map(({ value }) => value)]),
    [
      [['evil.example'], []],
      [['evil.example'], []],
      [[], ['evil.example']],
    ],
  );
  server.close();
  server.closeAllConnections();
  await assert.rejects(action.apply([block]), /cannot be reached/);
});

test('the sets of nftables: each address in its own, with the time that is left', () => {
  const now = 1_000_000;
  const wish = nftWish(
    [
      blockOf('10.0.0.7', 'client', now + 1500),
      blockOf('2001:db8::7', 'client', now + 60_000),
      blockOf('203.1.114.9', 'address', now + 60_000),
      blockOf('evil.example', 'domain', now + 60_000),
      blockOf('203.1.114.10', 'address', now),
    ],
    now,
  );
  assert.deepEqual(wish, {
    clients4: [['10.0.0.7', 2]],
    clients6: [['2001:db8::7', 60]],
    addresses4: [['203.1.114.9', 60]],
    addresses6: [],
  });
  assert.equal(
    wishScript(wish),
    `flush set inet nametap clients4
add element inet nametap clients4 { 10.0.0.7 timeout 2s }
flush set inet nametap clients6
add element inet nametap clients6 { 2001:db8::7 timeout 60s }
flush set inet nametap addresses4
add element inet nametap addresses4 { 203.1.114.9 timeout 60s }
flush set inet nametap addresses6
`,
  );
  assert.match(setupScript(), /^add table inet nametap\ndelete table inet nametap\ntable inet nametap \{/);
});

test('whoever asks the helper of nftables, it takes nothing but addresses with a time', () => {
  const empty = Object.fromEntries(NFT_SETS.map((name) => [name, []]));
  const bad: unknown[] = [
    null,
    [],
    {},
    { ...empty, clients4: 'x' },
    { ...empty, clients4: [['10.0.0.1']] },
    { ...empty, clients4: [['10.0.0.1', 0]] },
    { ...empty, clients4: [['10.0.0.1', 1.5]] },
    { ...empty, clients4: [['10.0.0.1', 7 * 86_400 + 1]] },
    { ...empty, clients4: [['10.0.0.1; flush ruleset', 5]] },
    { ...empty, clients4: [['10.0.0.0/8', 5]] },
    { ...empty, clients4: [['::1', 5]] },
    { ...empty, addresses6: [['fe80::1%eth0', 5]] },
    { ...empty, addresses4: Array.from({ length: 20_001 }, () => ['10.0.0.1', 5]) },
  ];
  for (const wish of bad) assert.throws(() => wishScript(wish), JSON.stringify(wish)?.slice(0, 80));
  assert.equal(wishScript({ ...empty, other: [['x', 1]] }).includes('x'), false);
});

test('a short key, a place that is taken: the start says which and what to do', async (t) => {
  const peers = { office: { address: '192.0.2.53', key: 'nametap', secret: Buffer.alloc(15).toString('base64') } };
  await assert.rejects(open(rpzAction, { peers }), (error: unknown) => {
    return error instanceof UserError && /key of the resolver office has 15 bytes.*tsig-keygen/.test(error.message);
  });
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await assert.rejects(open(rpzAction, { listen: `127.0.0.1:${port}` }), /cannot be served on 127\.0\.0\.1 port/);
});
