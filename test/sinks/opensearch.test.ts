import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { indexTemplate, lifecyclePolicy, statePolicy } from '../../src/sinks/opensearch-setup.ts';
import { openSinks } from './contract-sinks.ts';
import { expected, rows } from './numbered.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-search-'));
after(() => rmSync(folder, { recursive: true }));
const deployed = (name: string): string =>
  readFileSync(new URL(`../../deploy/elastic/${name}`, import.meta.url), 'utf8');

interface Asked {
  method: string;
  path: string;
  authorization: string | undefined;
  body: string;
}

/** A service that answers as it is told; `set up` requests are all fine. */
async function service(bulk: (names: string[], turn: number) => [status: number, value: object]) {
  const asked: Asked[] = [];
  const taken: string[] = [];
  let turn = 0;
  const answer = async (request: IncomingMessage): Promise<[number, object]> => {
    const body = await text(request);
    const { method = '', url: path = '' } = request;
    asked.push({ method, path, authorization: request.headers.authorization, body });
    if (!path.includes('/_bulk')) return [200, { version: { number: '9.0.0' } }];
    const names = Array.from(body.matchAll(/"question":\{"name":"([^"]+)"/g), ([, name]) => name);
    const [status, value] = bulk(names, turn++);
    const { items = [] } = value as { items?: { create: { status: number } }[] };
    items.forEach(({ create }, i) => create.status < 300 && taken.push(names[i]));
    return [status, value];
  };
  const server = createServer((request, response) => {
    void answer(request).then(([status, value]) => response.writeHead(status).end(JSON.stringify(value)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, asked, taken, close: () => server.close() };
}

const items = (statuses: readonly number[]): object => ({
  errors: true,
  items: statuses.map((status) => ({
    create: { status, ...(status >= 300 && { error: { type: 'some_exception', reason: `because of ${status}` } }) },
  })),
});

async function sent(name: string, address: string, count: number, more: object = {}) {
  const sinks = openSinks({ [name]: { type: 'opensearch', nodes: [address], ...more } }, folder);
  const batch = rows(0, count);
  sinks.rows(batch, 0, batch.count);
  for (const end = Date.now() + 10_000; sinks.states()[0].queue > 0 && Date.now() < end; await sleep(10));
  const [state] = sinks.states();
  await sinks.close();
  return state;
}

test('what is there is known, what cannot come now comes later, what never will is a dead letter', async () => {
  const fates = [201, 409, 429, 400, 503, 201];
  const peer = await service((names, turn) => [200, items(names.map((_, i) => (turn === 0 ? fates[i] : 201)))]);
  const state = await sent('mixed', peer.address, 6, { user: 'me', password: 'secret' });
  peer.close();
  const { written, repeated, refused, failed, queue } = state;
  assert.deepEqual([written, repeated, refused, failed, queue], [5, 1, 1, 1, 0]);
  const all = expected(0, 6);
  assert.deepEqual(peer.taken, [all[0], all[5], all[2], all[4]]);
  const dead = readFileSync(join(folder, 'mixed.opensearch', 'dead.ndjson'), 'utf8')
    .trimEnd()
    .split('\n');
  const [letter] = dead.map((line) => JSON.parse(line) as { why: string; sink: string; rows: number; record: string });
  assert.deepEqual([dead.length, letter.why, letter.rows], [1, '400, some_exception: because of 400', 1]);
  assert.ok(letter.record.includes(all[3]));
  assert.ok(
    peer.asked.every(({ authorization }) => authorization === `Basic ${Buffer.from('me:secret').toString('base64')}`),
  );
  assert.deepEqual(
    peer.asked.slice(0, 4).map(({ method, path }) => `${method} ${path}`),
    ['GET /', 'PUT /_ilm/policy/nametap-dns', 'PUT /_index_template/nametap-dns', 'PUT /_data_stream/nametap-dns'],
  );
});

test('of a batch that is refused whole only the guilty document is left over', async () => {
  const [, , guilty] = expected(0, 7);
  const peer = await service((names) =>
    names.includes(guilty) ? [413, { error: 'too large' }] : [200, items(names.map(() => 201))],
  );
  const state = await sent('large', peer.address, 7, { set_up: false, api_key: 'abc' });
  peer.close();
  assert.deepEqual([state.written, state.refused, state.dropped], [6, 1, 0]);
  assert.deepEqual(
    peer.taken,
    expected(0, 7).filter((name) => name !== guilty),
  );
  assert.equal(peer.asked[0].authorization, 'ApiKey abc');
});

test('a service that says no to us, or something else than documents, is asked again', async () => {
  const answers: [number, object][] = [
    [401, { error: { type: 'security_exception', reason: 'who are you' } }],
    [200, { items: [] }],
    [200, items([201, 201])],
  ];
  const peer = await service((_, turn) => answers[turn]);
  const state = await sent('no', peer.address, 2, { layout: 'daily', set_up: false, index: 'dns' });
  peer.close();
  assert.deepEqual([state.written, state.failed, state.refused], [2, 2, 0]);
  assert.match(peer.asked[0].path, /^\/_bulk\?/);
  assert.match(peer.asked[0].body, /^\{"create":\{"_index":"dns-2023\.11\.14","_id":"[0-9a-f]+"\}\}\n\{"@timestamp"/);
});

test('what is deployed by hand is what the sink puts in place', () => {
  const plan = { name: 'nametap-dns', layout: 'data_stream', keepMs: 30 * 86_400_000, shards: 1, replicas: 1 } as const;
  for (const [name, value] of [
    ['index-template.elasticsearch.json', indexTemplate(plan, 'elasticsearch')],
    ['index-template.opensearch.json', indexTemplate(plan, 'opensearch')],
    ['ilm-policy.json', lifecyclePolicy(plan)],
    ['ism-policy.json', statePolicy(plan)],
  ] as const) {
    assert.equal(deployed(name), `${JSON.stringify(value, null, 2)}\n`, name);
  }
});

test('saved objects of Kibana lead to each other, and to fields that documents have', () => {
  const lines = deployed('kibana/nametap.ndjson').trimEnd().split('\n');
  const objects = lines.map(
    (line) =>
      JSON.parse(line) as { type: string; id: string; references: { type: string; id: string }[]; attributes: object },
  );
  const known = new Set(objects.map(({ type, id }) => `${type} ${id}`));
  for (const { references } of objects)
    for (const { type, id } of references) assert.ok(known.has(`${type} ${id}`), id);
  const fields = Array.from(lines.join('\n').matchAll(/\\"field\\":\\"([^\\]+)\\"/g), ([, field]) => field);
  assert.deepEqual(fields, ['@timestamp', 'dns.response_code', 'dns.question.registered_domain', 'client.ip']);
});
