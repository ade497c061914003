/** How fast are answers that are kept? Over a real Redis: 10,000 a second at the cache, 2,000 a second over HTTP. */
import { Agent, get as httpGet } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from '../scripts/services/redis.ts';
import { loadConfig } from '../src/app/config.ts';
import { serve } from '../src/app/serve.ts';
import { openCache } from '../src/app/cached-store.ts';
import type { Served } from '../src/app/serve-hooks.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keep, traffic } from './measure.ts';

const SECONDS = 10;
const KEYS = 1000;

/** Asks so many a second, whether or not answers come; milliseconds of each. */
async function paced(perSecond: number, ask: (i: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  const pending = new Set<Promise<number>>();
  const started = performance.now();
  for (let asked = 0; asked < perSecond * SECONDS; ) {
    const due = Math.min(perSecond * SECONDS, ((performance.now() - started) * perSecond) / 1000);
    for (; asked < due; asked++) {
      const begun = performance.now();
      const one = ask(asked)
        .then(() => times.push(performance.now() - begun))
        .finally(() => pending.delete(one));
      pending.add(one);
    }
    await sleep(1);
  }
  await Promise.all(pending);
  return times.sort((a, b) => a - b);
}

function told(what: string, times: number[]): Record<string, number> {
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  const figures = { n: times.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  process.stdout.write(
    `${what.padEnd(34)} ${figures.n} answers, p50 ${figures.p50.toFixed(2)} ms, p99 ${figures.p99.toFixed(2)} ms, max ${figures.max.toFixed(1)} ms\n`,
  );
  return figures;
}

const redis = await start();
const flags = { 'cache-redis-url': redis.address, 'cache-redis-patience': '1s' };
const results: Record<string, Record<string, number>> = {};
try {
  for (const [what, local] of [
    ['cache, from Redis', '0B'],
    ['cache, from this process', '64MiB'],
  ]) {
    const { config } = loadConfig({ flags: { ...flags, 'cache-local': local }, environment: {} });
    const cache = await openCache(config.cache);
    if (cache === null) throw new Error('no cache');
    await sleep(500);
    // A panel's answer: 60 rows.
    const value = Array.from({ length: 60 }, (_, i) => ({ time: i, transactions: 1000 + i, nxdomain: i }));
    const ask = (i: number) => cache.get(`panel${i % KEYS}`, { fresh: Infinity }, () => Promise.resolve(value));
    for (let i = 0; i < KEYS; i++) await ask(i);
    results[what] = told(`${what}, 10,000/s`, await paced(10_000, ask));
    cache.close();
  }

  const data = mkdtempSync(join(tmpdir(), 'nametap-bench-cache-'));
  const abort = new AbortController();
  const { promise: served, resolve: started, reject } = Promise.withResolvers<Served>();
  const { promise: ended, resolve: inputEnded } = Promise.withResolvers<void>();
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const running = serve(
    loadConfig({
      flags: {
        ...flags,
        data,
        'capture-files': traffic(100_000),
        'detect-enabled': 'false',
        'server-listen': '127.0.0.1:0',
        'capture-user': 'root',
      },
      environment: {},
    }),
    {
      signal: abort.signal,
      version: 'bench',
      log,
      command: [],
      started,
      reloading: () => {},
      inputEnded: () => inputEnded(),
    },
  );
  running.catch(reject);
  const { url, signIn } = await served;
  await ended;
  const headers = { authorization: `Bearer ${new URL(signIn).hash.slice('#token='.length)}` };
  // The API lets each address ask 100 times a second.
  const agents = Array.from(
    { length: 40 },
    (_, i) => new Agent({ keepAlive: true, maxSockets: 4, localAddress: `127.0.0.${i + 2}` }),
  );
  const get = (i: number) =>
    new Promise<void>((resolve, failed) => {
      const from = 1_700_000_000_000;
      const path = `/api/v1/statistics?from=${from}&to=${from + 100_000 + (i % 20) * 1000}&measures=transactions,latency&group=type`;
      const request = httpGet(url + path, { agent: agents[i % agents.length], headers }, (answer) => {
        if (answer.statusCode !== 200) failed(new Error(`status ${answer.statusCode}`));
        answer.resume().once('end', resolve);
      });
      request.once('error', failed);
    });
  for (let i = 0; i < 20; i++) await get(i);
  results.http = told('HTTP, 2,000/s', await paced(2000, get));
  for (const agent of agents) agent.destroy();
  abort.abort();
  await running;
  rmSync(data, { recursive: true, force: true });
} finally {
  await redis.stop();
}
keep('cache', results);
