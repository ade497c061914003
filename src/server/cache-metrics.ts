import type { CacheStatus } from '../cache/cache.ts';
import type { MetricDefinition } from './metrics.ts';

/** How an answer came to be, and what else happened. */
const OUTCOMES = ['local', 'shared', 'joined', 'loaded'] as const;
const EVENTS = ['stale', 'empty', 'unreached', 'garbled', 'failed', 'evicted'] as const;

function counter(name: string, help: string, label: string, keys: readonly (keyof CacheStatus)[]): MetricDefinition {
  return {
    name,
    help,
    kind: 'counter',
    labels: [label],
    read: ({ api }) => {
      const cache = api.services.cache?.() ?? null;
      return cache === null ? [] : keys.map((key) => [{ [label]: key }, Number(cache[key])] as const);
    },
  };
}

function gauge(name: string, help: string, read: (cache: CacheStatus) => number): MetricDefinition {
  return {
    name,
    help,
    kind: 'gauge',
    labels: [],
    read: ({ api }) => {
      const cache = api.services.cache?.() ?? null;
      return cache === null ? [] : [[{}, read(cache)]];
    },
  };
}

/** Answers that are kept. */
export const FROM_CACHE: readonly MetricDefinition[] = [
  counter(
    'nametap_cache_answers_total',
    'Questions by where their answer came from: this process, Redis, the same question of somebody else, the store.',
    'from',
    OUTCOMES,
  ),
  counter(
    'nametap_cache_events_total',
    'Old answers given once more, answers that there is nothing, Redis not reached, entries that made no sense, look-ups that failed, entries given up for want of room.',
    'event',
    EVENTS,
  ),
  gauge('nametap_cache_bytes', 'What this process keeps.', ({ bytes }) => bytes),
  gauge('nametap_cache_limit_bytes', 'What it may keep.', ({ limit }) => limit),
  gauge('nametap_cache_redis_up', '1 while Redis answers.', ({ trouble }) => (trouble === null ? 1 : 0)),
];
