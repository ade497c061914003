import type { MetricDefinition } from './metrics.ts';

/** Servers of PostgreSQL, where history is kept there. */
export const OF_POSTGRES: readonly MetricDefinition[] = [
  {
    name: 'nametap_store_replica_lag_seconds',
    help: 'How far replicas of PostgreSQL are behind the primary.',
    kind: 'gauge',
    labels: ['server'],
    read: ({ health: { status } }) =>
      (status.postgres?.servers ?? []).flatMap(({ name, lag_ms: lag }): [Record<string, string>, number][] =>
        lag === null ? [] : [[{ server: name }, lag / 1000]],
      ),
  },
  {
    name: 'nametap_store_connections',
    help: 'Connections to servers of PostgreSQL, by state.',
    kind: 'gauge',
    labels: ['server', 'state'],
    read: ({ health: { status } }) =>
      (status.postgres?.servers ?? []).flatMap(({ name, connections: { open, idle } }) => [
        [{ server: name, state: 'idle' }, idle] as const,
        [{ server: name, state: 'used' }, open - idle] as const,
      ]),
  },
  {
    name: 'nametap_store_leaked_connections_total',
    help: 'Connections to PostgreSQL that were borrowed for too long.',
    kind: 'counter',
    labels: [],
    read: ({ health: { status } }) => (status.postgres === undefined ? [] : [[{}, status.postgres.leaks.count]]),
  },
  {
    name: 'nametap_store_slow_statements_total',
    help: 'Statements of PostgreSQL that took too long.',
    kind: 'counter',
    labels: [],
    read: ({ health: { status } }) => (status.postgres === undefined ? [] : [[{}, status.postgres.slow.count]]),
  },
];
