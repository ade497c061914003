import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type RedisService, start } from '../../scripts/services/redis.ts';
import { Cache } from '../../src/cache/cache.ts';
import type { CacheSettings } from '../../src/cache/settings.ts';
import { RedisEntries } from '../../src/cache/shared-entries.ts';
import { until } from '../until.ts';

let server: RedisService;
const services: RedisService[] = [];
let redis: Redis;
before(async () => {
  server = await start();
  services.push(server);
  redis = new Redis(server.address);
});
/** Whatever happens, none keeps this process from ending. */
const caches: Cache[] = [];
after(async () => {
  for (const cache of caches) cache.close();
  redis.disconnect();
  for (const one of services) await one.stop();
});

const SETTINGS: Omit<CacheSettings, 'redis'> = {
  keep: 3_600_000,
  spread: 600,
  fresh: 5000,
  stale: 30_000,
  empty: 60_000,
  local: 1 << 20,
};

/** A process's own cache. */
async function cacheOf(prefix: string, changes: Partial<CacheSettings> = {}, at = server.address, patience = 10_000) {
  const own = { url: at, user: undefined, password: undefined, prefix, patience, insecure: false };
  let entries: RedisEntries | undefined;
  const cache = new Cache(
    { ...SETTINGS, redis: own, ...changes },
    (forgotten) => (entries = new RedisEntries(own, forgotten)),
  );
  caches.push(cache);
  await until(() => entries?.isTold === true, 'a connection');
  return cache;
}
const settled = { fresh: Infinity };

test('an answer comes from the store once, then from Redis, then from this process', async () => {
  const [one, two] = [await cacheOf('order:'), await cacheOf('order:')];
  let loads = 0;
  const load = () => Promise.resolve({ n: ++loads });
  assert.deepEqual(await one.get('a', settled, load), { n: 1 });
  assert.deepEqual(await two.get('a', settled, load), { n: 1 });
  assert.deepEqual(await two.get('a', settled, load), { n: 1 });
  const { local, shared, loaded } = two.status();
  assert.deepEqual({ local, shared, loaded }, { local: 1, shared: 1, loaded: 0 });
});

test('10,000 entries live 3,601 to 4,200 s, evenly spread', async () => {
  const cache = await cacheOf('spread:', { local: 0 });
  const counts = new Uint32Array(600);
  const keys = Array.from({ length: 10_000 }, (_, i) => `k${i}`);
  for (let i = 0; i < keys.length; i += 500) {
    await Promise.all(keys.slice(i, i + 500).map((key) => cache.get(key, settled, () => Promise.resolve(1))));
  }
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.expiretime(`spread:${key}`);
  const set = (await pipeline.exec()) ?? [];
  const now = Date.now() / 1000;
  // When they were set is known to some seconds only; how long they live, from the cache itself.
  for (const [error, at] of set) {
    assert.equal(error, null);
    const life = Number(at) - now;
    assert.ok(life > 3601 - 60 && life <= 4201, String(life));
  }
  for (let i = 0; i < 10_000; i++) {
    const seconds = cache.seconds();
    assert.ok(Number.isInteger(seconds) && seconds >= 3601 && seconds <= 4200, String(seconds));
    counts[seconds - 3601]++;
  }
  // χ² of 20 equal parts, 19 degrees of freedom: beyond 50 is one in 10,000.
  const parts = Array.from({ length: 20 }, (_, i) => counts.subarray(30 * i, 30 * i + 30).reduce((a, b) => a + b));
  const chi = parts.reduce((sum, n) => sum + (n - 500) ** 2 / 500, 0);
  assert.ok(chi < 50, `χ² ${chi}`);
});

test('a stampede of 1,000 readers in two processes makes one query', async () => {
  const both = [await cacheOf('herd:'), await cacheOf('herd:')];
  let loads = 0;
  const load = async () => {
    loads++;
    await sleep(200);
    return ['answer'];
  };
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => both[i % 2].get('hot', settled, load)));
  assert.equal(loads, 1);
  assert.ok(answers.every(([answer]) => answer === 'answer'));
});

test('an old answer is given once more while it is looked up anew', async () => {
  const cache = await cacheOf('stale:');
  let loads = 0;
  const load = () => Promise.resolve(++loads);
  const keeping = { fresh: 50, stale: 60_000 };
  assert.equal(await cache.get('a', keeping, load), 1);
  await sleep(80);
  assert.equal(await cache.get('a', keeping, load), 1);
  await until(() => loads === 2, 'a second look-up');
  assert.equal(await cache.get('a', keeping, load), 2);
  assert.equal(cache.status().stale, 1);
});

test('that there is nothing is believed for a while', async () => {
  const cache = await cacheOf('nothing:', { empty: 100 });
  let loads = 0;
  const load = () => Promise.resolve((++loads, null));
  assert.equal(await cache.get('a', settled, load), null);
  assert.equal(await cache.get('a', settled, load), null);
  assert.equal(loads, 1);
  await sleep(150);
  assert.equal(await cache.get('a', settled, load), null);
  assert.equal(loads, 2);
});

test('what is written is forgotten everywhere, also by a look-up that began before', async () => {
  const [one, two] = [await cacheOf('tags:'), await cacheOf('tags:')];
  let value = 'old';
  const keeping = { fresh: Infinity, tag: 'views' };
  const load = () => Promise.resolve(value);
  assert.equal(await one.get('a', keeping, load), 'old');
  assert.equal(await two.get('a', keeping, load), 'old');
  value = 'new';
  await one.forget('views');
  assert.equal(await one.get('a', keeping, load), 'new');
  await until(async () => (await two.get('a', keeping, load)) === 'new', 'the new value');

  // It read the old value, and is slow.
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const slow = two.get('b', keeping, async () => {
    const was = value;
    await gate;
    return was;
  });
  await until(async () => (await redis.exists('tags:b:claim')) === 1, 'a claim');
  value = 'newest';
  await one.forget('views');
  open();
  assert.equal(await slow, 'new');
  assert.equal(await redis.exists('tags:b'), 0);
});

test('a value of others that makes no sense is looked up anew', async () => {
  const cache = await cacheOf('garbled:', { local: 0 });
  for (const text of ['', 'no', '1234567890123 {', `${Date.now()}`]) {
    await redis.set('garbled:a', text);
    assert.equal(await cache.get('a', settled, () => Promise.resolve('fine')), 'fine');
  }
  assert.equal(cache.status().garbled, 4);
});

test('a value of others that is nested however deeply costs nothing', async () => {
  const cache = await cacheOf('deep:', { local: 0 });
  await redis.set('deep:a', `${Date.now()} ${'{"rows":'.repeat(50_000)}0${'}'.repeat(50_000)}`);
  const value = await cache.get('a', settled, () => Promise.resolve({ rows: 'looked up' }));
  assert.notEqual(value.rows, 'looked up');
});

test('failures are told to all who wait, and not kept', async () => {
  const cache = await cacheOf('failures:');
  let loads = 0;
  const load = async () => {
    await sleep(20);
    if (loads++ === 0) throw new Error('no');
    return 'yes';
  };
  const outcomes = await Promise.allSettled([cache.get('a', settled, load), cache.get('a', settled, load)]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await cache.get('a', settled, load), 'yes');
});

test('without Redis, or when it hangs, answers cost little more than the look-up', async () => {
  const own = await start();
  services.push(own);
  const cache = await cacheOf('x:', { local: 0 }, own.address, 50);
  let loads = 0;
  const load = () => Promise.resolve(++loads);
  await cache.get('a', settled, load);
  own.process.kill('SIGSTOP');
  const started = performance.now();
  for (let i = 0; i < 50; i++) await cache.get(`b${i}`, settled, load);
  const took = performance.now() - started;
  // 50 look-ups, each with up to three questions to Redis: after three that were not answered it is left alone for 2 s.
  assert.ok(took < 50 * 50, `${took.toFixed(0)} ms`);
  assert.equal(loads, 51);
  assert.match(cache.status().trouble ?? '', /no answer within 50 ms/);
  own.process.kill('SIGCONT');
  await until(async () => {
    await cache.get(`c${performance.now()}`, settled, load);
    return cache.status().trouble === null;
  }, 'Redis again');
  await own.kill();
  assert.equal(await cache.get('d', settled, load), loads);
  await until(() => cache.status().trouble !== null, 'trouble');
  const port = Number(new URL(own.address).port);
  services.push(await start({ port }));
  await until(async () => {
    await cache.get(`e${performance.now()}`, settled, load);
    return cache.status().trouble === null;
  }, 'Redis again');
});
