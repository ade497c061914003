import {
  measuresIn,
  bucketSql,
  CUBE,
  DISTRIBUTION,
  KEYED,
  type KeyedDimension,
  ROLLUP_PRECISION,
} from '../measures.ts';
import { PASSIVE_COLUMNS, TRANSACTION_COLUMNS, type TransactionColumnName } from '../schema.ts';
import { DISTRIBUTIONS, RECORD_KINDS, type Retention, type ClickHouseOptions } from '../store.ts';
import { CLICKHOUSE } from './dialect.ts';
import { type NativeColumn, nativeType } from './native-writer.ts';

/**
 * The tables of a store on ClickHouse, as data: statements for one server and for a cluster derive from it. Times of
 * transactions are nanoseconds since 1970, as in the embedded store; times of everything else milliseconds.
 */

/** What this program writes. Older stores are migrated when they are opened, newer ones refused. */
export const SCHEMA_VERSION = 1;

/** Columns of a transaction that are inserted: those of every store, addresses as IPv6, and which family they are of. */
export const INSERTED: readonly NativeColumn[] = [
  ...TRANSACTION_COLUMNS.map((column) =>
    column.name === 'client' || column.name === 'server'
      ? { name: `${column.name}_address`, type: column.type, address: true }
      : column,
  ),
  { name: 'family', type: 'UTINYINT' },
];
/** Place of the family among them. */
export const FAMILY = INSERTED.length - 1;

/** Buckets of the rollups, ms. */
export const STEPS = { minutes: 60_000, hours: 3_600_000 } as const;
export type Step = keyof typeof STEPS;

const { columns: MEASURES } = measuresIn(CLICKHOUSE);
const HOUR_NS = '3600000000000';
const DAY_NS = '86400000000000';

/** The day of a time as a date; times beyond what a date can say are on its first or last. */
const dayOf = (time: string, unit: string) => `toDate(toUInt16(least(greatest(intDiv(${time}, ${unit}), 0), 65535)))`;
const DAY_OF_ROW = dayOf('time', DAY_NS);
const DAY_OF_BUCKET = dayOf('time', '86400000');

/** How columns of transactions are stored, where that is not by their type alone. Rows are in order of hour, domain and name. */
const STORED: Partial<Record<TransactionColumnName, { type?: string; codec: string }>> = {
  time: { codec: 'Delta, ZSTD(1)' },
  transaction: { codec: 'NONE' },
  interface: { type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  sensor: { type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  rules: { type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  name: { codec: 'ZSTD(1)' },
  query: { codec: 'ZSTD(3)' },
  response: { codec: 'ZSTD(3)' },
  client: { codec: 'ZSTD(1)' },
  server: { codec: 'ZSTD(1)' },
};
/** What may go early: it is half of what a row takes, and nobody counts by it. */
const DETAILS: readonly TransactionColumnName[] = [
  'client_port',
  'server_port',
  'id',
  'name_case',
  'query',
  'response',
  'ttls',
  'query_frame',
  'response_after',
  'more_frames',
];

/** A table: where its columns come from, and how it is kept. */
interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  readonly engine: 'Null' | 'MergeTree' | 'AggregatingMergeTree' | 'ReplacingMergeTree(version, gone)';
  readonly partition?: string;
  readonly order?: string;
  /** Day after which a row goes, and for how long it is kept. */
  readonly ttl?: { from: string; keep: keyof Retention };
  /** By what rows are dealt to the shards of a cluster; absent: every server has all rows. */
  readonly shard?: string;
  readonly settings?: string;
}

function transactionColumn(name: TransactionColumnName, days: number): string {
  const at = TRANSACTION_COLUMNS.findIndex((column) => column.name === name);
  const column = INSERTED[at];
  const { type = nativeType(column), codec = /Int/.test(nativeType(column)) ? 'T64, ZSTD(1)' : 'ZSTD(1)' } =
    STORED[name] ?? {};
  const ttl = days > 0 && DETAILS.includes(name) ? ` TTL greatest(${DAY_OF_ROW}, added) + INTERVAL ${days} DAY` : '';
  return `${column.name} ${type} CODEC(${codec})${ttl}`;
}

const OCTETS = (of: string) => `substring(reinterpret(${of}, 'FixedString(16)'), if(family = 4, 13, 1))`;

function transactions(days: number): Table {
  return {
    name: 'transactions',
    columns: [
      ...TRANSACTION_COLUMNS.map(({ name }) => transactionColumn(name, days)),
      'family UInt8 CODEC(T64, ZSTD(1))',
      `domain LowCardinality(String) MATERIALIZED if(domain_length > 0, right(name, domain_length), '') CODEC(ZSTD(1))`,
      // Rows of an imported file are as old as their import.
      'added Date MATERIALIZED today() CODEC(ZSTD(1))',
      // What filters and people see: octets of an address, its text, the time.
      `client String ALIAS ${OCTETS('client_address')}`,
      `server String ALIAS ${OCTETS('server_address')}`,
      'timestamp DateTime64(9) ALIAS fromUnixTimestamp64Nano(time)',
      'INDEX name_bloom name TYPE bloom_filter(0.01) GRANULARITY 1',
      'INDEX client_bloom client_address TYPE bloom_filter(0.01) GRANULARITY 1',
      'INDEX id_bloom transaction TYPE bloom_filter(0.001) GRANULARITY 1',
    ],
    engine: 'MergeTree',
    partition: DAY_OF_ROW,
    order: `(intDiv(time, ${HOUR_NS}), domain, name, time)`,
    ttl: { from: `greatest(${DAY_OF_ROW}, added)`, keep: 'transactionsDays' },
    shard: 'cityHash64(domain)',
    settings: 'ttl_only_drop_parts = 1',
  };
}

/** Type of a measure's column in a rollup, and how rows of one key become one. */
function measureColumns(): string[] {
  const merged = (name: string) => (name.endsWith('_min') ? 'min' : name.endsWith('_max') ? 'max' : 'sum');
  return [
    ...MEASURES.map(({ name, type }) => {
      const how = merged(name);
      return `${name} SimpleAggregateFunction(${how}, ${how === 'sum' ? type : `Nullable(${type})`}) CODEC(ZSTD(1))`;
    }),
    ...DISTRIBUTIONS.map(
      (name) => `${name}_histogram SimpleAggregateFunction(sumMap, Map(UInt16, UInt64)) CODEC(ZSTD(1))`,
    ),
  ];
}

const CUBE_TYPES: Readonly<Record<(typeof CUBE)[keyof typeof CUBE], string>> = {
  USMALLINT: 'UInt16',
  UTINYINT: 'UInt8',
  VARCHAR: 'LowCardinality(String)',
};

/** Keys of rollups by one dimension: what they are called where they are stored, and their type. */
const KEYS: Readonly<Record<KeyedDimension, { columns: readonly string[]; types: readonly string[] }>> = {
  domain: { columns: ['domain'], types: ['LowCardinality(String)'] },
  client: { columns: ['family', 'client_address'], types: ['UInt8', 'IPv6'] },
  server: { columns: ['family', 'server_address'], types: ['UInt8', 'IPv6'] },
};

/** Rollups by one dimension that there are: domains by minute too. */
export const KEYED_ROLLUPS: readonly { name: string; step: Step; key: KeyedDimension }[] = [
  { name: 'domain_minutes', step: 'minutes', key: 'domain' },
  ...KEYED.map((key) => ({ name: `${key}_hours`, step: 'hours' as const, key })),
];

const keepOf = (step: Step): keyof Retention => (step === 'minutes' ? 'minutesDays' : 'hoursDays');
const partitionOf = (step: Step) => (step === 'minutes' ? `toYYYYMM(${DAY_OF_BUCKET})` : `toYear(${DAY_OF_BUCKET})`);

function rollup(name: string, step: Step, keys: readonly string[], types: readonly string[], shard: string): Table {
  return {
    name,
    columns: ['time Int64 CODEC(Delta, ZSTD(1))', ...keys.map((key, k) => `${key} ${types[k]}`), ...measureColumns()],
    engine: 'AggregatingMergeTree',
    partition: partitionOf(step),
    order: `(time, ${keys.join(', ')})`,
    ttl: { from: DAY_OF_BUCKET, keep: keepOf(step) },
    shard,
  };
}

/** Different clients …, as sketches that merge (2 %). */
export const SKETCHED = {
  clients: { type: 'IPv6', from: 'client_address' },
  names: { type: 'Nullable(String)', from: "nullIf(name, '')" },
  domains: { type: 'Nullable(String)', from: "nullIf(toString(domain), '')" },
  servers: { type: 'IPv6', from: 'server_address' },
} as const;

function distinct(step: Step): Table {
  return {
    name: `distinct_${step}`,
    columns: [
      'time Int64 CODEC(Delta, ZSTD(1))',
      ...Object.entries(SKETCHED).map(
        ([name, { type }]) => `${name} AggregateFunction(uniqCombined(12), ${type}) CODEC(ZSTD(1))`,
      ),
    ],
    engine: 'AggregatingMergeTree',
    partition: partitionOf(step),
    order: 'time',
    ttl: { from: DAY_OF_BUCKET, keep: keepOf(step) },
    shard: 'cityHash64(time)',
  };
}

/** What was seen of a record. `origin`: when it was seen first, and which sensor did. */
const SIGHTING = [
  'reversed String CODEC(ZSTD(1))',
  'type UInt16',
  'data String CODEC(ZSTD(1))',
  'prefix UInt64',
  'suffix UInt64',
  'cnames SimpleAggregateFunction(min, String) CODEC(ZSTD(1))',
  'origin SimpleAggregateFunction(min, Tuple(Int64, String)) CODEC(ZSTD(1))',
  'last SimpleAggregateFunction(max, Int64) CODEC(ZSTD(1))',
  'count SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1))',
];

function passive(name: string, order: string, shard: string): Table {
  return {
    name,
    columns: SIGHTING,
    engine: 'AggregatingMergeTree',
    order,
    ttl: { from: dayOf('last', '86400000'), keep: 'passiveDays' },
    shard,
  };
}

/** Columns of passive DNS as they are inserted: into a table that keeps nothing, views make the others of it. */
export const SIGHTED: readonly NativeColumn[] = PASSIVE_COLUMNS;
export const SIGHTED_TABLE = 'passive_in';
const SIGHTED_SELECT = 'reversed, type, data, prefix, suffix, cnames, (first, sensor) AS origin, last, count';

const BOUNDED_RECORDS = RECORD_KINDS.filter((kind) => !['views', 'users', 'settings'].includes(kind));

/** Tables besides the views that fill them. */
function tables(days: number): readonly Table[] {
  const cube = Object.keys(CUBE);
  const types = Object.values(CUBE).map((type) => CUBE_TYPES[type]);
  return [
    transactions(days),
    ...(['minutes', 'hours'] as const).map((step) => rollup(step, step, cube, types, 'cityHash64(time)')),
    ...KEYED_ROLLUPS.map(({ name, step, key }) => {
      const { columns, types: ofKey } = KEYS[key];
      return rollup(name, step, columns, ofKey, `cityHash64(${columns.at(-1)})`);
    }),
    distinct('minutes'),
    distinct('hours'),
    {
      name: SIGHTED_TABLE,
      columns: SIGHTED.map((column) => `${column.name} ${nativeType(column)}`),
      engine: 'Null',
      shard: 'cityHash64(reversed)',
    },
    passive('passive', '(reversed, type, data, prefix, suffix)', 'cityHash64(reversed)'),
    passive('passive_by_data', '(data, type, prefix, suffix, reversed)', 'cityHash64(data, prefix)'),
    {
      name: 'missing',
      columns: [
        'name String CODEC(ZSTD(1))',
        'type UInt16',
        'kind UInt8',
        'first SimpleAggregateFunction(min, Int64) CODEC(ZSTD(1))',
        'last SimpleAggregateFunction(max, Int64) CODEC(ZSTD(1))',
        'count SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1))',
      ],
      engine: 'AggregatingMergeTree',
      order: '(name, type, kind)',
      ttl: { from: dayOf('last', '86400000'), keep: 'passiveDays' },
      shard: 'cityHash64(name)',
    },
    {
      name: 'records',
      columns: [
        'kind LowCardinality(String)',
        'id String',
        'time Int64',
        'value String CODEC(ZSTD(3))',
        'version UInt64',
        'gone UInt8',
      ],
      engine: 'ReplacingMergeTree(version, gone)',
      order: '(kind, id)',
      ttl: { from: dayOf('time', '86400000'), keep: 'recordsDays' },
    },
    {
      name: 'matches',
      columns: ['search String', 'id UInt64', 'made DateTime MATERIALIZED now()'],
      engine: 'MergeTree',
      order: '(search, id)',
    },
    {
      name: 'meta',
      columns: ['key String', 'value String', 'version UInt64', 'gone UInt8'],
      engine: 'ReplacingMergeTree(version, gone)',
      order: 'key',
    },
  ];
}

const MISSING = `multiIf(outcome = 1, 0, rcode = 3, 1, answer_kind = 1, 2, rcode = 2, 3, rcode = 5, 4, answer_kind = 4, 5, 255)`;

/** Settings that a view needs, whoever inserts: a cast of NULL is NULL. */
const WITH = 'SETTINGS cast_keep_nullable = 1';
/** Columns of a rollup besides its key: what they are called, and what they are made of. */
type Made = readonly { name: string; from: string }[];

/** Rows by bucket and key. Names within are others than those of the columns that go in. */
function grouped(bucket: string, keys: readonly string[], made: Made, from: string): string {
  const inner = made.map(({ name, from: sql }) => `${sql} AS made_${name}`);
  const outer = made.map(({ name }) => `made_${name} AS ${name}`);
  const by = ['bucket', ...keys].join(', ');
  return `SELECT ${['bucket AS time', ...keys, ...outer].join(', ')} FROM (SELECT ${[`${bucket} AS bucket`, ...keys, ...inner].join(', ')} FROM ${from} GROUP BY ${by}) ${WITH}`;
}

const bucketOfRow = (step: Step) => `intDiv(time, ${STEPS[step]}000000) * ${STEPS[step]}`;
const HOUR_OF_BUCKET = `intDiv(time, ${STEPS.hours}) * ${STEPS.hours}`;

/** Measures of transactions, and of rollups of them. */
const MADE: Made = [
  ...MEASURES,
  ...DISTRIBUTIONS.map((name) => {
    const { sql } = DISTRIBUTION[name];
    const bucket = bucketSql(`assumeNotNull(${sql})`, ROLLUP_PRECISION, CLICKHOUSE);
    return { name: `${name}_histogram`, from: `sumMapIf(map(${bucket}, toUInt64(1)), (${sql}) IS NOT NULL)` };
  }),
];
const MERGED: Made = [
  ...MEASURES.map(({ name, merge }) => ({ name, from: merge })),
  ...DISTRIBUTIONS.map((name) => ({ name: `${name}_histogram`, from: `sumMap(${name}_histogram)` })),
];

/** What fills the tables that are made of others. */
function views(local: (table: string) => string): readonly { to: string; select: string }[] {
  const cube = Object.keys(CUBE);
  const raw = local('transactions');
  const sketches = Object.entries(SKETCHED);
  const { domain, client, server } = KEYS;
  return [
    { to: 'minutes', select: grouped(bucketOfRow('minutes'), cube, MADE, raw) },
    { to: 'hours', select: grouped(HOUR_OF_BUCKET, cube, MERGED, local('minutes')) },
    { to: 'domain_minutes', select: grouped(bucketOfRow('minutes'), domain.columns, MADE, raw) },
    { to: 'domain_hours', select: grouped(HOUR_OF_BUCKET, domain.columns, MERGED, local('domain_minutes')) },
    { to: 'client_hours', select: grouped(bucketOfRow('hours'), client.columns, MADE, raw) },
    { to: 'server_hours', select: grouped(bucketOfRow('hours'), server.columns, MADE, raw) },
    {
      to: 'distinct_minutes',
      select: grouped(
        bucketOfRow('minutes'),
        [],
        sketches.map(([name, { from }]) => ({ name, from: `uniqCombinedState(12)(${from})` })),
        raw,
      ),
    },
    {
      to: 'distinct_hours',
      select: grouped(
        HOUR_OF_BUCKET,
        [],
        sketches.map(([name]) => ({ name, from: `uniqCombinedMergeState(12)(${name})` })),
        local('distinct_minutes'),
      ),
    },
    {
      to: 'missing',
      select: `SELECT name, type, toUInt8(${MISSING}) AS kind, min(intDiv(time, 1000000)) AS first, max(intDiv(time, 1000000)) AS last, toInt64(count()) AS count FROM ${raw} WHERE name <> '' AND protocol = 0 AND kind < 255 GROUP BY name, type, kind`,
    },
    ...['passive', 'passive_by_data'].map((to) => ({
      to,
      select: `SELECT ${SIGHTED_SELECT} FROM ${local(SIGHTED_TABLE)}`,
    })),
  ];
}

/** Windows in which a token is known: blocks that came last. Servers forget older ones. */
const TOKENS = 10_000;

/** TTL of a table; empty where it is kept for ever. */
function ttlOf({ ttl, name }: Table, retention: Retention, options?: ClickHouseOptions): string {
  if (name === 'matches') return 'made + INTERVAL 1 HOUR';
  if (ttl === undefined) return '';
  const days = retention[ttl.keep];
  const clauses: string[] = [];
  const { coldVolume, coldDays = 0 } = options ?? {};
  if (name === 'transactions' && coldVolume !== undefined && coldDays > 0) {
    clauses.push(`${ttl.from} + INTERVAL ${Math.ceil(coldDays)} DAY TO VOLUME ${quoted(coldVolume)}`);
  }
  if (typeof days === 'number' && days > 0 && Number.isFinite(days)) {
    const where = name === 'records' ? ` DELETE WHERE kind IN (${BOUNDED_RECORDS.map(quoted).join(', ')})` : '';
    clauses.push(`${ttl.from} + INTERVAL ${Math.ceil(days)} DAY${where}`);
  }
  return clauses.join(', ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A name of the configuration as an identifier. */
export function identifier(text: string): string {
  return `\`${text.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

function engineOf({ name, engine, shard }: Table, { cluster, database }: ClickHouseOptions): string {
  if (cluster === undefined || engine === 'Null') return engine;
  const [kind, args] = /^(\w+)(?:\((.*)\))?$/.exec(engine)?.slice(1) ?? [];
  // Tables that every server has whole are one group of replicas, over all shards.
  const path = `/clickhouse/tables/${shard === undefined ? 'all' : '{shard}'}/${database}/${name}`;
  const replica = shard === undefined ? '{shard}-{replica}' : '{replica}';
  return `Replicated${kind}(${[quoted(path), quoted(replica), ...(args === undefined ? [] : [args])].join(', ')})`;
}

function settingsOf({ name, settings }: Table, { cluster, policy }: ClickHouseOptions): string[] {
  return [
    `${cluster === undefined ? 'non_' : ''}replicated_deduplication_window = ${TOKENS}`,
    ...(settings === undefined ? [] : [settings]),
    ...(name === 'transactions' && policy !== undefined ? [`storage_policy = ${quoted(policy)}`] : []),
  ];
}

function createTable(table: Table, options: ClickHouseOptions, retention: Retention): string[] {
  const { cluster } = options;
  const on = cluster === undefined ? '' : ` ON CLUSTER ${identifier(cluster)}`;
  const name = localName(table.name, options);
  const ttl = ttlOf(table, retention, options);
  const clauses = [
    `ENGINE = ${engineOf(table, options)}`,
    ...(table.partition === undefined ? [] : [`PARTITION BY ${table.partition}`]),
    ...(table.order === undefined ? [] : [`ORDER BY ${table.order}`]),
    ...(ttl === '' ? [] : [`TTL ${ttl}`]),
    ...(table.engine === 'Null' ? [] : [`SETTINGS ${settingsOf(table, options).join(', ')}`]),
  ];
  const statements = [`CREATE TABLE IF NOT EXISTS ${name}${on} (${table.columns.join(', ')}) ${clauses.join(' ')}`];
  if (cluster !== undefined && table.shard !== undefined) {
    statements.push(
      `CREATE TABLE IF NOT EXISTS ${table.name}${on} AS ${name} ENGINE = Distributed(${quoted(cluster)}, currentDatabase(), ${name}, ${table.shard})`,
    );
  }
  return statements;
}

/** Where rows of a table are on a server of its own kind: of a cluster, its part. */
export function localName(table: string, { cluster }: ClickHouseOptions): string {
  const isWhole = ['records', 'matches', 'meta'].includes(table);
  return cluster === undefined || isWhole ? table : `${table}_local`;
}

/** Statements that make a store: tables in the order in which they need each other. */
export function statementsOf(options: ClickHouseOptions, retention: Retention = {}): string[] {
  const { cluster, detailDays = 0 } = options;
  const on = cluster === undefined ? '' : ` ON CLUSTER ${identifier(cluster)}`;
  const local = (table: string) => localName(table, options);
  return [
    ...tables(Math.ceil(detailDays)).flatMap((table) => createTable(table, options, retention)),
    ...views(local).map(
      ({ to, select }) => `CREATE MATERIALIZED VIEW IF NOT EXISTS ${to}_view${on} TO ${local(to)} AS ${select}`,
    ),
  ];
}

/** Statements that change how long things are kept. */
export function retentionStatements(options: ClickHouseOptions, retention: Retention): string[] {
  const on = options.cluster === undefined ? '' : ` ON CLUSTER ${identifier(options.cluster)}`;
  return tables(0)
    .filter(({ ttl }) => ttl !== undefined)
    .map((table) => {
      const ttl = ttlOf(table, retention, options);
      const what = ttl === '' ? 'REMOVE TTL' : `MODIFY TTL ${ttl}`;
      return `ALTER TABLE ${localName(table.name, options)}${on} ${what}`;
    });
}

/** Tables of rows, for counting them. */
export const TABLE_NAMES: readonly string[] = tables(0).flatMap(({ name, engine }) =>
  engine === 'Null' ? [] : [name],
);
