import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { AlertBook } from '../../src/alerts/book.ts';
import { type Blocking, openBlocking } from '../../src/app/blocking.ts';
import { loadConfig } from '../../src/app/config.ts';
import type { OptionValues } from '../../src/core/definition.ts';
import { block, blockReport, blocks } from '../../src/server/schema/blocks.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { finding } from '../actions/facts.ts';
import { type Exchange, rowsOf } from '../server/fixture.ts';
import { DEMO, eventually, serving, type Server, temporaryFolder } from './serving.ts';

const ENFORCED = { 'detect-detectors': '{tun_bytes: {enforce: true}}' };

interface Scene {
  store: Store;
  blocking: Blocking;
  book: AlertBook;
  list(): string[];
  /** Fields of warnings. */
  warned: object[];
  decided(value: string): string | undefined;
}

/** Blocking over a real store that has seen something, and a real book of alerts. */
async function scene(t: TestContext, flags: OptionValues, exchanges: readonly Exchange[]): Promise<Scene> {
  const folder = temporaryFolder();
  const { config } = loadConfig({ flags: { data: folder, ...flags }, environment: {} });
  const store = await openStore({ path: join(folder, 'store'), flushMs: 50 });
  for (const batch of rowsOf(exchanges)) await store.append(batch, { sensor: 'here' }, true);
  await store.flush();
  const warned: object[] = [];
  const log = { info: () => {}, warn: (fields: object) => void warned.push(fields), error: () => {} };
  const blocking = await openBlocking({ config, store, path: join(folder, 'blocks.ndjson'), version: '1', log });
  t.after(async () => {
    await blocking.policy.close();
    await store.close();
  });
  const book = new AlertBook();
  blocking.follow(book);
  return {
    store,
    blocking,
    book,
    warned,
    list: () => blocking.policy.list().map(({ value }) => value),
    decided: (value) => blocking.policy.report().decisions.find((one) => one.value === value)?.outcome,
  };
}

/** A client that asks for names below a domain. */
function lookups(client: string, domain: string, data = '203.1.114.9'): Exchange[] {
  return Array.from({ length: 3 }, (_, i) => {
    const name = `n${i}.${domain}`;
    return { time: Date.now() - 60_000 + i, client, name, answer: { answers: [{ name, type: 'A', ttl: 60, data }] } };
  });
}

async function agree({ book, blocking }: Scene, domain: string, client = '10.0.0.7'): Promise<void> {
  book.raise(finding('TUN-BYTES', domain, { client }));
  book.raise(finding('TUN-SHAPE', domain, { client, proposal: undefined }));
  await blocking.policy.settled();
}

test('alerts are judged by what the history says: rare is blocked, what many use is not, nor what looks alike', async (t) => {
  const crowd = Array.from({ length: 30 }, (_, i) => `10.0.1.${i + 1}`);
  const one = await scene(t, ENFORCED, [
    ...lookups('10.0.0.7', 'evil.example'),
    ...crowd.flatMap((client) => lookups(client, 'common.example')),
    ...crowd.flatMap((client) => lookups(client, 'notevil.example')),
  ]);
  await agree(one, 'evil.example');
  await agree(one, 'common.example');
  assert.deepEqual(one.list(), ['evil.example']);
  assert.equal(one.decided('common.example'), 'common');
  const decision = one.blocking.policy.report().decisions.find(({ value }) => value === 'evil.example');
  assert.equal(decision?.clients, 1);
});

test('without enforce nothing is blocked; a resolver, or an address of many domains, never is', async (t) => {
  const one = await scene(t, {}, [
    ...lookups('10.0.0.7', 'evil.example'),
    ...Array.from({ length: 8 }, (_, i) => lookups('10.0.0.8', `site${i}.example`, '203.1.114.80')).flat(),
  ]);
  await agree(one, 'evil.example');
  assert.deepEqual([one.list(), one.decided('evil.example')], [[], 'would_block']);
  const propose = (kind: 'address' | 'client', value: string) =>
    one.book.raise(
      finding('INTEL', `${value}.example`, { key: value, isProof: true, proposal: { kind, value, text: '' } }),
    );
  propose('address', '203.1.114.80');
  propose('address', '203.1.114.9');
  // Everybody asks it (server of the exchanges).
  propose('client', '192.0.2.53');
  await one.blocking.policy.settled();
  assert.deepEqual(
    ['203.1.114.80', '203.1.114.9', '192.0.2.53'].map((value) => one.decided(value)),
    ['common', 'would_block', 'never'],
  );
});

test('a detector that is about victims blocks nothing, and the start says so', async (t) => {
  const one = await scene(t, { 'detect-detectors': '{amp: {enforce: true}, intel: {enforce: true}}' }, []);
  assert.deepEqual(one.warned, [{ detector: 'AMP' }]);
  assert.deepEqual(one.blocking.policy.report().enforcing, ['INTEL']);
});

test('what people say of an alert holds for its block: a false positive ends it, and is not blocked again', async (t) => {
  const one = await scene(t, ENFORCED, lookups('10.0.0.7', 'evil.example'));
  await agree(one, 'evil.example');
  assert.deepEqual(one.list(), ['evil.example']);
  const incident = one.book.incidents().find(({ detector }) => detector === 'TUN-BYTES');
  const deed = { by: 'anna', time: 2 };
  await one.book.act(incident?.id ?? '', { kind: 'false_positive', reason: 'ours' }, deed);
  assert.deepEqual([one.list(), one.decided('evil.example')], [[], 'false_positive']);
  await agree(one, 'evil.example');
  assert.deepEqual(one.list(), []);
  const target = { kind: 'domain', value: 'evil.example' };
  await one.blocking.policy.add(target, { by: 'anna', from: '10.0.0.1', reason: 'it is none' });
  await one.book.act(incident?.id ?? '', { kind: 'note', text: 'blocked after all' }, deed);
  assert.deepEqual(one.list(), ['evil.example'], 'a note ends no block by hand');
});

async function send(server: Server, method: string, path: string, body?: object): Promise<Response> {
  const token = new URL(server.served.signIn).hash.slice('#token='.length);
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  return fetch(`${server.served.url}/api/v1/blocks${path}`, init);
}

test('served: blocks by the API are written down, carried out, audited, undone; the end leaves nothing', async (t) => {
  const data = temporaryFolder();
  const path = join(data, 'list');
  const flags = {
    'capture-files': [DEMO],
    'block-actions': JSON.stringify({ list: { type: 'file', path, format: 'domains' } }),
  };
  const server = await serving(t, data, flags);
  const has = (name: string) => existsSync(path) && readFileSync(path, 'utf8').includes(name);
  const add = (value: string, more: object = {}) =>
    send(server, 'POST', '', { kind: 'domain', value, reason: 'ticket 4711', ...more });
  const made = block.parse(await (await add('Evil.Example.', { seconds: 3600 })).json());
  assert.deepEqual(
    [made.value, made.by, made.automatic, Date.parse(made.until) - Date.parse(made.since)],
    ['evil.example', 'operator', false, 3_600_000],
  );
  await eventually(() => has('evil.example') || undefined, 'the list has it');
  assert.equal(blocks.parse(await server.json('/api/v1/blocks')).rows.length, 1);
  for (const value of ['com', 'google.com', 'x y.example']) assert.equal((await add(value)).status, 409, value);
  assert.equal((await add('far.example', { seconds: 604_801 })).status, 400);
  assert.equal((await send(server, 'DELETE', '/other.example')).status, 404);
  assert.equal((await send(server, 'DELETE', `/${made.id}`)).status, 200);
  await eventually(() => !has('evil.example') || undefined, 'it is gone');
  await add('a.example');
  await add('b.example');
  const report = blockReport.parse(await server.json('/api/v1/blocks/report'));
  assert.deepEqual(
    report.actions.map(({ name, type, wanted, error }) => [name, type, wanted, error]),
    [['list', 'file', 2, null]],
  );
  const metrics = await (await server.get('/metrics')).text();
  assert.match(metrics, /^nametap_blocks\{kind="domain"\} 2$/m);
  assert.match(metrics, /^nametap_block_action_wanted\{action="list"\} 2$/m);
  assert.match(metrics, /^nametap_block_breaker 0$/m);
  assert.deepEqual(await (await send(server, 'DELETE', '')).json(), { ended: 2 });
  assert.equal((await send(server, 'POST', '/resume')).status, 204);
  const { rows } = await server.json<{ rows: { action: string }[] }>('/api/v1/audit');
  const deeds = rows.map(({ action }) => action).filter((action) => action.startsWith('block.'));
  assert.deepEqual(deeds.sort(), ['block.add', 'block.add', 'block.add', 'block.flush', 'block.resume', 'block.undo']);

  await add('stays.example');
  await server.stop();
  assert.ok(!has('stays.example'), 'nothing is blocked when nobody looks after it');
  const next = await serving(t, data, flags);
  await eventually(() => has('stays.example') || undefined, 'it is blocked again');
  await next.stop();
});
