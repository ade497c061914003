import { createHash } from 'node:crypto';
import { Cache } from '../cache/cache.ts';
import type { CacheSettings } from '../cache/settings.ts';
import { storeOver } from './store-over.ts';
import type { RecordKind, Records, Scope, Store } from '../store/store.ts';

/** Rows of a time are all there so long after it. */
const SETTLED_MS = 60_000;
/** Rows that are older than this change what was kept of other times: they come from a file, or late. */
const OLD_MS = 300_000;
/** Then what was kept is forgotten, at most so often. */
const FORGET_MS = 5000;
/** What is read far more often than written, and whose writer forgets what was kept. */
const RECORDS: readonly RecordKind[] = ['views', 'users', 'settings'];
const HISTORY = 'history';

/** A store, and what is kept of its answers. */
export interface Cached {
  store: Store;
  cache: Cache | null;
}

/** A store with the cache of a configuration; as it is, without Redis. */
export async function cached(store: Store, settings: CacheSettings): Promise<Cached> {
  const cache = await openCache(settings);
  return { store: cache === null ? store : withCache(store, cache, settings), cache };
}

/** The cache of a configuration; null without Redis. */
export async function openCache(settings: CacheSettings): Promise<Cache | null> {
  const { redis } = settings;
  if (redis === undefined) return null;
  const { RedisEntries } = await import('../cache/shared-entries.ts');
  return new Cache(settings, (forgotten) => new RedisEntries(redis, forgotten));
}

/**
 * A store that remembers its answers: statistics, passive DNS, history of names, and the records of users (views, roles,
 * settings), which are forgotten when they are written. Times that reach to now begin and end at multiples of `fresh`: all
 * who look at the same panel ask the same question.
 */
function withCache(store: Store, cache: Cache, { fresh, stale }: CacheSettings): Store {
  let forgotAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  /** Old rows came in: now, and once more after the last of them. */
  const forgetHistory = () => {
    if (timer !== undefined) return;
    const wait = Math.max(0, forgotAt + FORGET_MS - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      forgotAt = performance.now();
      void cache.forget(HISTORY);
    }, wait);
    timer.unref();
  };

  const keeping = ({ to }: { to: number }) =>
    to < Date.now() - SETTLED_MS ? { fresh: Infinity, tag: HISTORY } : { fresh, stale, tag: HISTORY };

  const own: Partial<Store> = {
    append(batch, origin, wait) {
      const first = batch.count > 0 ? batch.col.openSeconds[0] * 1000 : Infinity;
      if (first < Date.now() - OLD_MS) forgetHistory();
      return store.append(batch, origin, wait);
    },
    statistics(query, signal) {
      const asked = aligned(query, fresh);
      return abortable(
        cache.get(keyOf('statistics', asked), keeping(asked), () => store.statistics(asked)),
        signal,
      );
    },
    passive(query, signal) {
      return abortable(
        cache.get(keyOf('passive', query), { fresh, stale, tag: HISTORY }, () => store.passive(query)),
        signal,
      );
    },
    nameHistory(name, limit) {
      return cache.get(keyOf('names', [name, limit]), { fresh, stale, tag: HISTORY }, () =>
        store.nameHistory(name, limit),
      );
    },
    async importPassive(rows) {
      const count = await store.importPassive(rows);
      await cache.forget(HISTORY);
      return count;
    },
    records: cachedRecords(store.records, cache),
  };
  return storeOver(store, own);
}

/** Records of users, from the cache until somebody writes one; the other kinds as they are. */
function cachedRecords(records: Records, cache: Cache): Records {
  const isKept = (kind: RecordKind) => RECORDS.includes(kind);
  const keeping = (kind: RecordKind) => ({ fresh: Infinity, tag: kind });
  return {
    async put(kind, value, options) {
      const id = await records.put(kind, value, options);
      if (isKept(kind)) await cache.forget(kind);
      return id;
    },
    async delete(kind, id) {
      const was = await records.delete(kind, id);
      if (isKept(kind)) await cache.forget(kind);
      return was;
    },
    get(kind, id) {
      if (!isKept(kind)) return records.get(kind, id);
      return cache.get(keyOf(kind, id), keeping(kind), () => records.get(kind, id));
    },
    list(kind, options) {
      if (!isKept(kind)) return records.list(kind, options);
      return cache.get(keyOf(kind, [options ?? {}]), keeping(kind), () => records.list(kind, options));
    },
  };
}

/** A range that reaches to now, at multiples of a step. */
function aligned<Q extends Scope>(query: Q, step: number): Q {
  if (query.to < Date.now() - SETTLED_MS) return query;
  const from = Math.floor(query.from / step) * step;
  return { ...query, from, to: Math.ceil(query.to / step) * step };
}

/** Questions have texts of any length in them: keys have one length. */
function keyOf(what: string, question: unknown): string {
  return `1:${what}:${createHash('sha256').update(JSON.stringify(question)).digest('base64url')}`;
}

/** Who gives up waiting does not end the look-up: others may wait for it. */
async function abortable<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return answer;
  signal.throwIfAborted();
  let abort: (() => void) | undefined;
  try {
    return await Promise.race([
      answer,
      new Promise<never>((_, reject) => {
        abort = () => reject(signal.reason as Error);
        signal.addEventListener('abort', abort, { once: true });
      }),
    ]);
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort);
  }
}
