import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { traceService } from '../../src/app/trace-service.ts';
import { hashPassword } from '../../src/server/passwords.ts';
import type { Problem } from '../../src/server/schema/common.ts';
import { traceAnswer } from '../../src/server/schema/trace.ts';
import { type Fixture, fixture, TOKEN } from './fixture.ts';

let f: Fixture;

before(async () => {
  f = await fixture({
    // Nobody listens there: a trace ends at once, and is one all the same.
    traces: traceService({
      enabled: true,
      allow: [],
      root: ['127.0.53.99'],
      anchors: [],
      queries_most: 20,
      timeout: 5000,
    }),
    options: {
      address: '127.0.0.1',
      port: 0,
      hosts: [],
      token: { value: TOKEN, chosen: false },
      users: [{ name: 'viewer', role: 'viewer', password: await hashPassword('only to look') }],
      tls: null,
      metrics: 'loopback',
      sessionHours: 12,
    },
  });
});
after(() => f.close());

function ask(of: Fixture, body: object, authorization = `Bearer ${TOKEN}`): Promise<Response> {
  return fetch(`${of.server.url}/api/v1/trace`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

test('traces are off unless a configuration turns them on', async () => {
  const off = await fixture();
  try {
    const response = await ask(off, { name: 'www.example.org' });
    assert.equal(response.status, 404);
    assert.match(((await response.json()) as Problem).suggestion ?? '', /trace\.enabled/);
  } finally {
    await off.close();
  }
});

test('operators trace, at a bounded rate, and it is written down; others may not', async () => {
  const basic = `Basic ${Buffer.from('viewer:only to look').toString('base64')}`;
  assert.equal((await ask(f, { name: 'www.example.org' }, basic)).status, 403);
  assert.equal((await ask(f, { name: 'www.example.org', all: 'yes' })).status, 400);
  const found = traceAnswer.parse(await (await ask(f, { name: 'www.example.org', type: 'mx' })).json());
  assert.deepEqual(found.question, { name: 'www.example.org', type: 'MX' });
  assert.equal(found.end, 'failed');
  assert.deepEqual([...new Set(found.steps.map(({ server }) => server.address))], ['127.0.53.99']);
  assert.equal((await ask(f, { name: 'www.example.org', type: 'nothing' })).status, 422);
  assert.equal((await ask(f, { name: 'a..b' })).status, 422);
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await ask(f, { name: 'www.example.org' })).status);
  assert.deepEqual(statuses, [200, 200, 429, 429]);
  const { rows } = (await f.json('/api/v1/audit')) as { rows: { action: string; subject: string }[] };
  assert.ok(rows.some(({ action, subject }) => action === 'trace' && subject === 'www.example.org mx'));
});
