import { choice, group, size, span, text, whole } from '../core/settings.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'off'] as const;

/** Layer `log`: what nametap says about itself (queries are never in it). */
export const logSettings = group('What nametap says about itself; queries are never in it.', {
  level: choice('The least that is said.', LOG_LEVELS, { default: 'info', reloads: true }),
  format: choice(
    'On standard output: text for people, JSON with ECS names, or (auto) text on a terminal and JSON elsewhere.',
    ['auto', 'text', 'json'],
    {
      default: 'auto',
      reloads: true,
    },
  ),
  file: text('Also into this file, as JSON.', { example: 'logs/nametap.log' }),
  rotate: group('When the file is renamed and a new one begun.', {
    size: size('Beyond so many bytes.', { default: '10MiB', least: 4096 }),
    age: span('After so long.', { default: '1d', least: 1000 }),
    keep: whole('Old files that are kept.', { default: 7, most: 10_000 }),
  }),
});
