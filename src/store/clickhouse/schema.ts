import { measuresIn, CUBE, KEYED, type KeyedDimension } from '../measures.ts';
import { PASSIVE_COLUMNS, TRANSACTION_COLUMNS, type TransactionColumnName } from '../schema.ts';
import { DISTRIBUTIONS, type DistributionName, RECORD_KINDS, type Retention } from '../store.ts';
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

export const { columns: MEASURES } = measuresIn(CLICKHOUSE);
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
export interface Table {
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

/** Distributions that rollups have: those by a dimension of many values would be large with all of them. */
export const KEPT_BY_KEY: readonly DistributionName[] = ['latency'];
export const isKept = (of: readonly DistributionName[]) => (name: string) =>
  of.some((one) => name.startsWith(`${one}_`)) || !DISTRIBUTIONS.some((one) => name.startsWith(`${one}_`));

/** Type of a measure's column in a rollup, and how rows of one key become one. */
function measureColumns(of: readonly DistributionName[]): string[] {
  const merged = (name: string) => (name.endsWith('_min') ? 'min' : name.endsWith('_max') ? 'max' : 'sum');
  return [
    ...MEASURES.filter(({ name }) => isKept(of)(name)).map(({ name, type }) => {
      const how = merged(name);
      return `${name} SimpleAggregateFunction(${how}, ${how === 'sum' ? type : `Nullable(${type})`}) CODEC(ZSTD(1))`;
    }),
    ...of.map((name) => `${name}_histogram SimpleAggregateFunction(sumMap, Map(UInt16, UInt64)) CODEC(ZSTD(1))`),
  ];
}

const CUBE_TYPES: Readonly<Record<(typeof CUBE)[keyof typeof CUBE], string>> = {
  USMALLINT: 'UInt16',
  UTINYINT: 'UInt8',
  VARCHAR: 'LowCardinality(String)',
};

/** Keys of rollups by one dimension: what they are called where they are stored, and their type. */
export const KEYS: Readonly<Record<KeyedDimension, { columns: readonly string[]; types: readonly string[] }>> = {
  domain: { columns: ['domain'], types: ['LowCardinality(String)'] },
  client: { columns: ['family', 'client_address'], types: ['UInt8', 'IPv6'] },
  server: { columns: ['family', 'server_address'], types: ['UInt8', 'IPv6'] },
};

/** Rollups by one dimension that there are: domains by minute too. */
export const KEYED_ROLLUPS: readonly { name: string; step: Step; key: KeyedDimension }[] = [
  { name: 'domain_minutes', step: 'minutes', key: 'domain' },
  ...KEYED.map((key) => ({ name: `${key}_hours`, step: 'hours' as const, key })),
];

/** What is made of an imported file is as old as its import, too. */
const ADDED = 'added SimpleAggregateFunction(max, Date) MATERIALIZED today() CODEC(ZSTD(1))';
const keepOf = (step: Step): keyof Retention => (step === 'minutes' ? 'minutesDays' : 'hoursDays');
const partitionOf = (step: Step) => (step === 'minutes' ? `toYYYYMM(${DAY_OF_BUCKET})` : `toYear(${DAY_OF_BUCKET})`);

function rollup(
  name: string,
  step: Step,
  keys: readonly string[],
  types: readonly string[],
  { shard, of }: { shard: string; of: readonly DistributionName[] },
): Table {
  return {
    name,
    columns: [
      'time Int64 CODEC(Delta, ZSTD(1))',
      ...keys.map((key, k) => `${key} ${types[k]}`),
      ...measureColumns(of),
      ADDED,
    ],
    engine: 'AggregatingMergeTree',
    partition: partitionOf(step),
    order: `(time, ${keys.join(', ')})`,
    ttl: { from: `greatest(${DAY_OF_BUCKET}, added)`, keep: keepOf(step) },
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
      ADDED,
    ],
    engine: 'AggregatingMergeTree',
    partition: partitionOf(step),
    order: 'time',
    ttl: { from: `greatest(${DAY_OF_BUCKET}, added)`, keep: keepOf(step) },
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
export const SIGHTED_SELECT = 'reversed, type, data, prefix, suffix, cnames, (first, sensor) AS origin, last, count';

export const BOUNDED_RECORDS = RECORD_KINDS.filter((kind) => !['views', 'users', 'settings'].includes(kind));

/** Tables besides the views that fill them. */
export function tables(days: number): readonly Table[] {
  const cube = Object.keys(CUBE);
  const types = Object.values(CUBE).map((type) => CUBE_TYPES[type]);
  return [
    transactions(days),
    ...(['minutes', 'hours'] as const).map((step) =>
      rollup(step, step, cube, types, { shard: 'cityHash64(time)', of: DISTRIBUTIONS }),
    ),
    ...KEYED_ROLLUPS.map(({ name, step, key }) => {
      const { columns, types: ofKey } = KEYS[key];
      const shard = `cityHash64(${columns.at(-1)})`;
      return rollup(name, step, columns, ofKey, { shard, of: KEPT_BY_KEY });
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
