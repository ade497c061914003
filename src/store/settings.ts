import { choice, flag, group, size, span, whole } from '../core/settings.ts';
import { clickHouseSettings } from './clickhouse/settings.ts';
import { postgresSettings } from './postgres/settings.ts';
import { STORE_ENGINES } from './store.ts';

const FOREVER = { words: { forever: Number.POSITIVE_INFINITY } };

/** Layer `store`: what is remembered, and for how long. */
export const storeSettings = group('What is remembered, and for how long.', {
  engine: choice('The database: embedded, or a server.', STORE_ENGINES, { default: 'duckdb' }),
  clickhouse: clickHouseSettings,
  postgres: postgresSettings,
  flush: span('Time between two writes: what a crash costs at most.', { default: '1s', least: 50, most: 60_000 }),
  queue: whole('Transactions that may wait for the store; of a live capture more are dropped, and counted.', {
    default: 262_144,
    least: 4096,
  }),
  memory: size('Memory of the database.', { default: '250MiB', least: 64 << 20 }),
  threads: whole('Threads of the database; absent: as many as the machine has.', { least: 1, most: 256, example: 2 }),
  parquet_after: span('Transactions move to compressed Parquet files once they are this old.', {
    default: '1d',
    words: { never: Number.POSITIVE_INFINITY },
  }),
  most: size(
    'Bytes of all files together; beyond, the oldest transactions go first. 0B: no bound. Not for ClickHouse.',
    {
      default: '20GiB',
      reloads: true,
    },
  ),
  keep: group(
    'How long each kind of data is kept.',
    {
      transactions: span('Transactions.', { default: '30d', ...FOREVER }),
      minutes: span('Counts per minute.', { default: '90d', ...FOREVER }),
      hours: span('Counts per hour.', { default: '2y', ...FOREVER }),
      passive: span('Passive DNS: since a record was last seen.', { default: 'forever', ...FOREVER }),
      records: span('Alerts, probe results and the audit log.', { default: '1y', ...FOREVER }),
    },
    { reloads: true },
  ),
  packets: group('Packets as captured, kept in a ring of pcapng files.', {
    keep: flag('Keeps them; only at privacy level 0.', { default: false }),
    size: size('Bytes of the whole ring; the oldest file goes first.', { default: '2GiB', least: 4 << 20 }),
    file_size: size('Bytes of one file.', { default: '64MiB', least: 1 << 20 }),
  }),
});
