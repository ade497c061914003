import { flag, group, optionalGroup, secret, size, span, text, whole, type ValueOf } from '../core/settings.ts';

/** What is kept of answers that were looked up, so that they are not looked up again. */
export const cacheSettings = group('Answers that are kept for whoever asks again, here and in Redis.', {
  redis: optionalGroup('Redis, which servers and workers share; absent: nothing is kept.', {
    url: text('Its address.', { example: 'redis://127.0.0.1:6379/0', required: true }),
    user: text('User.', { example: 'nametap' }),
    password: secret('Password.', { example: { file: '/etc/nametap/redis-password' } }),
    prefix: text('What keys begin with.', { default: 'nametap:' }),
    patience: span('Longest wait for it; then the store is asked as if it were not there.', {
      default: '50ms',
      least: 1,
      most: 10_000,
    }),
    insecure: flag('Takes any certificate of a server asked by rediss://.', { default: false }),
  }),
  keep: span('How long answers stay there at least.', { default: '1h', least: 1000, most: 2_592_000_000 }),
  spread: whole('A random number of seconds from 1 to this one is added, so that answers do not all go at once.', {
    default: 600,
    least: 1,
    most: 86_400,
  }),
  fresh: span(
    'An answer about a time that is not over is as good as new for so long; such times begin and end at multiples of it.',
    {
      default: '5s',
      least: 100,
      most: 3_600_000,
    },
  ),
  stale: span('For so long after that it is given once more, while it is looked up anew.', {
    default: '30s',
    most: 3_600_000,
  }),
  empty: span('That there is nothing is believed for so long.', { default: '1m', most: 86_400_000 }),
  local: size('Memory of this process for answers that are asked for often.', {
    default: '32MiB',
    most: 17_179_869_184,
  }),
});
export type CacheSettings = ValueOf<typeof cacheSettings>;
