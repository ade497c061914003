import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { type RedisService, start } from '../../scripts/services/redis.ts';
import type { CacheState, Sensors } from '../../src/server/schema/sensors.ts';
import { serving, type Server, temporaryFolder } from '../app/serving.ts';
import { until } from '../until.ts';

let redis: RedisService;
before(async () => {
  redis = await start();
});
after(() => redis.stop());

/** One capture, served; it is read to its end. */
async function served(t: TestContext, flags: Record<string, string> = {}): Promise<Server> {
  const server = await serving(t, temporaryFolder(), {
    'capture-files': 'test/captures/udp.pcap',
    'detect-enabled': 'false',
    'cache-redis-url': redis.address,
    'cache-redis-patience': '10s',
    ...flags,
  });
  await until(
    async () =>
      (
        await server.json<{ rows: object[] }>(
          '/api/v1/statistics?from=2023-03-04T10:00:00Z&to=2023-03-04T11:00:00Z&measures=names',
        )
      ).rows.length > 0,
    'rows',
  );
  return server;
}
const cacheOf = async (server: Server): Promise<CacheState> => {
  const { cache } = await server.json<Sensors>('/api/v1/sensors');
  assert.ok(cache);
  return cache;
};
const PAST = 'from=2023-03-04T10:00:00Z&to=2023-03-04T11:00:00Z';

test('panels of the same range ask the store once', async (t) => {
  const one = await served(t, { 'cache-redis-prefix': 'panels:' });
  const path = `/api/v1/statistics?${PAST}&group=domain&measures=transactions,latency`;
  const before = await cacheOf(one);
  const first = await one.json(path);
  assert.deepEqual(await one.json(path), first);
  const now = await cacheOf(one);
  assert.equal(now.loaded - before.loaded, 1);
  assert.ok(now.local > before.local);
  const metrics = await (await one.get('/metrics')).text();
  assert.match(metrics, /^nametap_cache_answers_total\{from="loaded"\} \d+$/m);
  assert.match(metrics, /^nametap_cache_redis_up 1$/m);
});

test('answers with the cache are those without', async (t) => {
  const one = await served(t, { 'cache-redis-prefix': 'same:' });
  const plain = await serving(t, temporaryFolder(), {
    'capture-files': 'test/captures/udp.pcap',
    'detect-enabled': 'false',
  });
  const paths = [
    `/api/v1/statistics?${PAST}&measures=transactions,queries,nxdomain,clients,names,latency,size,ttl,answers`,
    `/api/v1/statistics?${PAST}&group=type,rcode&step=60&measures=transactions,latency`,
    '/api/v1/pdns?q=*.stackexchange.com',
    '/api/v1/pdns?q=192.0.2.0/24',
    `/api/v1/overview?${PAST}`,
  ];
  /** Without what is of this moment. */
  const stable = (answer: Record<string, unknown>) => ({ ...answer, freshness: null, state: null });
  for (const path of paths) {
    await until(async () => {
      const [cached, again, direct] = [await one.json(path), await one.json(path), await plain.json(path)];
      assert.deepEqual(stable(again as Record<string, unknown>), stable(cached as Record<string, unknown>));
      return (
        JSON.stringify(stable(cached as Record<string, unknown>)) ===
        JSON.stringify(stable(direct as Record<string, unknown>))
      );
    }, path);
  }
});

test('a view that was saved is there at once', async (t) => {
  const flags = { 'cache-redis-prefix': 'views:' };
  const one = await served(t, flags);
  const names = async () =>
    (await one.json<{ rows: { name: string }[] }>('/api/v1/views')).rows.map(({ name }) => name);
  const before = await names();
  assert.ok(!before.includes('mine'));
  const token = new URL(one.served.signIn).hash.slice('#token='.length);
  const answer = await fetch(`${one.served.url}/api/v1/views`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'mine', title: 'Mine', url: '/explore?f=dns' }),
  });
  assert.ok(answer.ok, await answer.text());
  assert.ok((await names()).includes('mine'));
});

test('when Redis dies, answers come from the store, and the page says so', async (t) => {
  const own = await start();
  const one = await served(t, { 'cache-redis-url': own.address, 'cache-redis-patience': '50ms', 'cache-local': '0B' });
  await own.kill();
  const path = `/api/v1/statistics?${PAST}&group=client&measures=transactions`;
  assert.equal((await one.get(path)).status, 200);
  await until(async () => (await cacheOf(one)).trouble !== null, 'trouble');
  assert.ok((await cacheOf(one)).unreached > 0);
  assert.match(await (await one.get('/metrics')).text(), /^nametap_cache_redis_up 0$/m);
});
