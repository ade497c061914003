import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Problem } from '../../src/server/schema/common.ts';
import { sensors } from '../../src/server/schema/sensors.ts';
import { blockPreview } from '../../src/server/schema/blocks.ts';
import { hashPassword } from '../../src/server/passwords.ts';
import { type Fixture, fixture, TOKEN } from './fixture.ts';

const ROOT = '/api/v1/blocks';
let f: Fixture;

before(async () => {
  f = await fixture({
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

const preview = async (query: string) => blockPreview.parse(await f.json(`${ROOT}/preview?${query}`));

test('a preview says for how long, and what refuses it, and leaves nothing behind', async () => {
  const fine = await preview('kind=domain&value=*.Evil.example&seconds=600');
  assert.deepEqual([fine.value, fine.seconds, fine.refused, fine.actions], ['evil.example', 600, null, []]);
  assert.equal(fine.doubts[0]?.rule, 'one_signal');
  assert.match((await preview('kind=domain&value=com')).refused ?? '', /top-level domain/);
  // Whoever asks does not lock himself out.
  assert.match((await preview('kind=client&value=127.0.0.1')).refused ?? '', /manages nametap/);
  assert.deepEqual(f.services.blocks?.list(), []);
});

test('a preview refuses what is nothing to block', async () => {
  for (const [query, status] of [
    ['kind=domain&value=a b.example', 409],
    ['kind=planet&value=mars.example', 400],
    ['kind=domain&value=evil.example&seconds=604801', 400],
  ] as const) {
    const response = await f.get(`${ROOT}/preview?${query}`);
    assert.equal(response.status, status, query);
    assert.ok(((await response.json()) as Problem).title.length > 0);
  }
});

test('what is counted of blocking and of bounded tables is shown and measured', async () => {
  const { tables, blocking } = sensors.parse(await f.json('/api/v1/sensors'));
  assert.deepEqual(tables, [{ name: 'alerts', used: 5, limit: 1000, evicted: 2 }]);
  assert.deepEqual(blocking, { actions: [], overflow: 0, unwritten: 0 });
  const metrics = await (await f.get('/metrics')).text();
  assert.match(metrics, /^nametap_table_entries\{table="alerts"\} 5$/m);
  assert.match(metrics, /^nametap_table_limit\{table="alerts"\} 1000$/m);
  assert.match(metrics, /^nametap_table_evicted_total\{table="alerts"\} 2$/m);
  assert.match(metrics, /^nametap_block_unjudged_total\{reason="journal"\} 0$/m);
  assert.match(metrics, /^nametap_sample_ratio\{sensor="sensor-1"\} 1$/m);
});

test('only operators ask, block and undo', async () => {
  const signIn = await fetch(`${f.server.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'viewer', password: 'only to look' }),
  });
  const cookie = signIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const asked = await fetch(`${f.server.url}${ROOT}/preview?kind=domain&value=evil.example`, { headers: { cookie } });
  assert.equal(asked.status, 403);
  const made = await f.send('POST', ROOT, { kind: 'domain', value: 'evil.example', reason: 'a test' });
  assert.equal(made.status, 201);
  const { block } = await preview('kind=domain&value=evil.example');
  assert.equal(block?.reason, 'a test');
  assert.equal((await f.send('DELETE', `${ROOT}/${block?.id}`)).status, 200);
  assert.equal((await preview('kind=domain&value=evil.example')).block, null);
});
