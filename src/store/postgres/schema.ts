import { measuresIn, CUBE } from '../measures.ts';
import { type ColumnType, DISTINCT_COLUMNS, MISSING_COLUMNS, PASSIVE_COLUMNS } from '../schema.ts';
import { DISTRIBUTIONS } from '../store.ts';
import { columnsSql, POSTGRES_COLUMNS, POSTGRES_TYPES } from './columns.ts';
import { POSTGRES } from './dialect.ts';

/** What this program writes. Older ones are migrated when they are opened, newer ones refused. */
export const POSTGRES_SCHEMA = 2;

/** Columns of measures in rollups. */
export const MEASURES = measuresIn(POSTGRES);
const measures = MEASURES.columns.map(({ name, type }) => `"${name}" ${type}`);
/** How often by bucket (`bucketSql`), as two arrays of the same length. */
const histograms = DISTRIBUTIONS.map((name) => `${name}_buckets smallint[] NOT NULL, ${name}_counts bigint[] NOT NULL`);
const cube = Object.entries(CUBE).map(([name, type]) => `"${name}" ${POSTGRES_TYPES[type as ColumnType]} NOT NULL`);
const rollup = (keys: readonly string[]) => ['time bigint NOT NULL', ...keys, ...measures, ...histograms].join(', ');

/**
 * Indexes of every partition, and why. Their reasons are tested by plans (`test/integration/postgres.test.ts`).
 *
 * - BRIN on `time`: rows come nearly in order of time, so the few pages of a range are found by an index of kilobytes that costs
 *   an insert nothing. Every question has a range of time.
 * - `(client, time DESC)`: the page of a client, newest first; a client has few of a day's rows, scattered over it.
 * - `(name, time DESC)`: the page of a name, and which of its rows came last.
 * - BRIN with a Bloom filter on `transaction`: a look-up by id has no range of time; ids are random, and a B-tree over
 *   them would be written all over at every insert. One in a hundred ranges is read in vain. The planner takes ids that are
 *   in no order for being everywhere: who asks by id forbids reading all (`PostgresBackend`).
 */
export const INDEXES: Readonly<Record<string, string>> = {
  time: 'USING brin (time) WITH (pages_per_range = 32, autosummarize = on)',
  client: 'USING btree (client, time DESC)',
  name: 'USING btree (name, time DESC)',
  transaction:
    'USING brin (transaction int8_bloom_ops (n_distinct_per_range = 1000, false_positive_rate = 0.01)) WITH (pages_per_range = 32, autosummarize = on)',
};

const TABLES: readonly string[] = [
  `CREATE TABLE transactions (${columnsSql(POSTGRES_COLUMNS)}) PARTITION BY RANGE (time)`,
  ...Object.entries(INDEXES).map(([name, how]) => `CREATE INDEX transactions_${name} ON transactions ${how}`),
  // Times far from now: one table for all, so that a corrupt capture makes no thousands of partitions.
  'CREATE TABLE transactions_other PARTITION OF transactions DEFAULT',
  // What each day holds: counts for planning, for status, and for comparing stores.
  `CREATE TABLE days (day integer PRIMARY KEY, partition text NOT NULL, "rows" bigint NOT NULL, first bigint NOT NULL,
    last bigint NOT NULL, added bigint NOT NULL)`,
  ...['minutes', 'hours'].flatMap((table) => [
    `CREATE TABLE ${table} (${rollup(cube)})`,
    // A panel asks for all of a range of time.
    `CREATE INDEX ${table}_time ON ${table} (time)`,
  ]),
  `CREATE TABLE hours_by_key (${rollup(['kind smallint NOT NULL', 'key bytea'])})`,
  // Top domains, clients, servers of a range of hours.
  'CREATE INDEX hours_by_key_time ON hours_by_key (kind, time)',
  // Hours whose keys are counted, and of how many transactions: counted again when more have come.
  'CREATE TABLE counted_hours (time bigint PRIMARY KEY, transactions bigint NOT NULL)',
  `CREATE TABLE distinct_counts (${columnsSql(DISTINCT_COLUMNS)})`,
  'CREATE INDEX distinct_counts_time ON distinct_counts (step, time)',
  // A row per (name, type, rdata); what was learnt last waits in passive_new, which has no index to be kept up.
  `CREATE TABLE passive (id uuid PRIMARY KEY, ${columnsSql(PASSIVE_COLUMNS)})`,
  // Names below a name begin with its reversed name; names are short, rdata may be longer than an index takes.
  'CREATE INDEX passive_name ON passive (reversed, type)',
  // Inverse look-ups by address and range of addresses.
  `CREATE INDEX passive_address ON passive (type, prefix, suffix) WHERE data = ''`,
  // Inverse look-ups by other rdata.
  `CREATE INDEX passive_data ON passive USING hash (data) WHERE data <> ''`,
  `CREATE TABLE passive_new (${columnsSql(PASSIVE_COLUMNS)})`,
  `CREATE TABLE missing (${columnsSql(MISSING_COLUMNS)}, PRIMARY KEY (name, type, kind))`,
  `CREATE TABLE missing_new (${columnsSql(MISSING_COLUMNS)})`,
  `CREATE TABLE records (kind text NOT NULL, id text COLLATE "C" NOT NULL, time bigint NOT NULL, value text NOT NULL, PRIMARY KEY (kind, id))`,
  // Lists are newest first.
  'CREATE INDEX records_time ON records (kind, time DESC, id DESC)',
  // What was written, by its token: what comes again is not written again.
  'CREATE TABLE batches (token text PRIMARY KEY, time bigint NOT NULL)',
  'CREATE INDEX batches_time ON batches (time)',
];

/** For people and other tools: times, addresses and ids as they are written everywhere. */
const READABLE = `CREATE VIEW readable AS SELECT to_timestamp(time / 1e9) AS time,
  lpad(to_hex(transaction # (1::bigint << 63)), 16, '0') AS transaction,
  ${['client', 'server'].map((name) => `${addressSql(name)} AS ${name}`).join(', ')},
  client_port, server_port, CASE transport WHEN 6 THEN 'tcp' ELSE 'udp' END AS transport, sensor, interface, name,
  CASE WHEN domain_length > 0 THEN right(name, domain_length) END AS registrable_domain, type, rcode, latency / 1e6 AS latency_ms,
  queries, responses, query_bytes, response_bytes, answers, ttl_min, suspicious = 1 AS is_suspicious, rules
  FROM transactions`;

function addressSql(column: string): string {
  const four = [0, 1, 2, 3].map((at) => `get_byte(${column}, ${at})`).join(`::text || '.' || `);
  const six = `regexp_replace(encode(${column}, 'hex'), '(....)(?!$)', '\\1:', 'g')`;
  return `(CASE WHEN octet_length(${column}) = 4 THEN ${four}::text ELSE ${six} END)::inet`;
}

/** Statements that lead from the version before to this one. */
export const MIGRATIONS: Readonly<Record<number, readonly string[]>> = {
  1: [...TABLES, 'CREATE TABLE meta (key text PRIMARY KEY, value text NOT NULL)'],
  2: [READABLE],
};
