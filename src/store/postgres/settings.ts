import { list, optionalGroup, secret, span, text, whole } from '../../core/settings.ts';

/** Layer `store.postgres`: where the servers are, and how they are used. */
export const postgresSettings = optionalGroup('The servers of the engine postgres.', {
  url: text('The primary: postgres://USER@HOST:PORT/DATABASE, with ?sslmode=… as libpq knows it.', {
    required: true,
    example: 'postgres://nametap@db.example.net/nametap?sslmode=verify-full',
  }),
  password: secret("The user's password.", { example: { file: '/run/secrets/postgres' } }),
  replicas: list('Servers that are asked, as HOST:PORT or whole addresses; none: the primary is.', text('A replica.'), {
    example: ['db2.example.net:5432'],
  }),
  schema: text('Name of the schema of all tables.', { default: 'nametap' }),
  connections: whole('Most connections to each server; absent: 4 for every core.', {
    least: 2,
    most: 1000,
    example: 16,
  }),
  idle: span('Unused connections are closed after so long.', { default: '5m', least: 1000 }),
  lifetime: span('Connections are made anew once they are this old.', { default: '1h', least: 1000 }),
  leak: span('A connection that is borrowed for longer counts as leaked, and is told with where.', {
    default: '1m',
    least: 100,
  }),
  lag: span('Replicas that are further behind are not asked.', { default: '10s', least: 100 }),
  slow: span('Statements that take longer are remembered with their plans.', { default: '1s', least: 1 }),
});
