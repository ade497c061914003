import { ANSWER_KINDS, LEGS, NO_KIND, NO_RCODE, OUTCOMES, ROLES } from '../core/transactions.ts';
import { bare, DUCKDB, type SqlDialect } from '../filter/dialect.ts';
import { FAULT } from '../wire/fault.ts';
import { opcodeName, rcodeName, TYPES } from '../wire/iana.ts';
import { octetsText } from './addresses.ts';
import { COUNTS, type Count, type Dimension, DISTRIBUTIONS, type DistributionName } from './store.ts';

/** Measures and dimensions as SQL over transactions, and over rollups of them. */

/** Text of the registrable domain of a row. NULL without. */
export const DOMAIN_SQL = 'CASE WHEN domain_length > 0 THEN right(name, domain_length) END';

const when = (condition: string) => `count(*) FILTER (WHERE ${condition})`;
const sum = (value: string) => `coalesce(sum(${value}), 0)`;

/** Over transactions. */
function countsIn(dialect: SqlDialect): Readonly<Record<Count, string>> {
  return {
    transactions: 'count(*)',
    queries: sum('queries'),
    responses: sum('responses'),
    unanswered: when(`outcome = ${OUTCOMES.indexOf('unanswered')}`),
    nxdomain: when('rcode = 3'),
    nodata: when(`answer_kind = ${ANSWER_KINDS.indexOf('nodata')}`),
    servfail: when('rcode = 2'),
    refused: when('rcode = 5'),
    errors: when(`answer_kind = ${ANSWER_KINDS.indexOf('error')}`),
    retransmissions: sum('CASE WHEN queries > 1 THEN queries - 1 END'),
    duplicates: sum('duplicates'),
    late: sum('late'),
    truncated: when(`${dialect.bits(bare('response_flags'), 0, 512).sql} <> 0`),
    malformed: when(`fault NOT IN (0, ${FAULT.cut})`),
    suspicious: sum('suspicious'),
    query_bytes: sum('query_bytes'),
    response_bytes: sum('response_bytes'),
  };
}

/** What a distribution is of: whole numbers, NULL where a transaction has none; unit, and how many make one of it. */
export const DISTRIBUTION: Readonly<Record<DistributionName, { sql: string; unit: string; scale: number }>> = {
  latency: { sql: 'latency', unit: 'ms', scale: 1e6 },
  size: { sql: 'nullif(response_bytes, 0)', unit: 'B', scale: 1 },
  ttl: { sql: 'ttl_min', unit: 's', scale: 1 },
  answers: { sql: 'CASE WHEN response_bytes > 0 THEN answers END', unit: 'rec', scale: 1 },
};

/** Buckets for every doubling in rollups (2^5: percentiles within 1.6 %), and where all rows are at hand (0.4 %). */
export const ROLLUP_PRECISION = 5;
export const EXACT_PRECISION = 7;
/** Values of 2^bits and more share the last bucket of a histogram. */
export const HISTOGRAM_BITS = 42;

/** Bucket of a value, as `logBucket` of `sketch/histogram.ts` counts them. Whole numbers below 2^48: log2 is exact enough. */
export function bucketSql(value: string, precision: number, dialect: SqlDialect = DUCKDB): string {
  const v = dialect.double(bare(value)).sql;
  const octave = dialect.octave(v);
  const last = (HISTOGRAM_BITS << precision) - 1;
  const step = `${octave} * ${2 ** precision} + floor((${v} / pow(2, ${octave}) - 1) * ${2 ** precision})`;
  return `(CASE WHEN ${v} < 1 THEN 0 ELSE 1 + least(${last}, ${step}) END)::${dialect.types.small}`;
}

/** A column of a rollup: its type, how it is made of transactions, and of rollups. */
export interface MeasureColumn {
  readonly name: string;
  readonly type: string;
  readonly from: string;
  readonly merge: string;
}

function columnsIn(dialect: SqlDialect): readonly MeasureColumn[] {
  const { integer, huge } = dialect.types;
  const counts = countsIn(dialect);
  return [
    ...COUNTS.map((name) => ({
      name,
      type: integer,
      from: `(${counts[name]})::${integer}`,
      merge: `sum(${name})::${integer}`,
    })),
    ...DISTRIBUTIONS.flatMap((name) => {
      const { sql } = DISTRIBUTION[name];
      return [
        { name: `${name}_n`, type: integer, from: `count(${sql})`, merge: `sum(${name}_n)::${integer}` },
        {
          name: `${name}_sum`,
          type: huge,
          from: `coalesce(sum((${sql})::${integer}), 0)::${huge}`,
          merge: `sum(${name}_sum)::${huge}`,
        },
        {
          name: `${name}_squares`,
          type: huge,
          from: `coalesce(sum((${sql})::${huge} * (${sql})::${huge}), 0)::${huge}`,
          merge: `sum(${name}_squares)::${huge}`,
        },
        { name: `${name}_min`, type: integer, from: `min(${sql})::${integer}`, merge: `min(${name}_min)` },
        { name: `${name}_max`, type: integer, from: `max(${sql})::${integer}`, merge: `max(${name}_max)` },
      ];
    }),
  ];
}
/** Type of the histograms that stand beside them in rollups, as `latency_histogram`: how often by bucket. */
export const HISTOGRAM_TYPE = 'MAP(USMALLINT, UBIGINT)';

/** Dimensions that the cube of a rollup has, with the type of their column. */
export const CUBE = {
  type: 'USMALLINT',
  rcode: 'USMALLINT',
  opcode: 'UTINYINT',
  transport: 'UTINYINT',
  outcome: 'UTINYINT',
  answer_kind: 'UTINYINT',
  role: 'UTINYINT',
  leg: 'UTINYINT',
  sensor: 'VARCHAR',
} as const;
/** Rollups by one dimension that has many values. */
export const KEYED = ['domain', 'client', 'server'] as const;
export type KeyedDimension = (typeof KEYED)[number];

function dimensionsIn(dialect: SqlDialect): Readonly<Record<Dimension, string>> {
  return {
    domain: DOMAIN_SQL,
    name: "nullif(name, '')",
    client: 'client',
    server: 'server',
    type: 'type',
    rcode: 'rcode',
    opcode: 'opcode',
    transport: 'transport',
    outcome: 'outcome',
    answer_kind: 'answer_kind',
    role: 'role',
    leg: 'leg',
    sensor: 'sensor',
    latency_bucket: `CASE WHEN latency > 0 THEN ${dialect.octave('latency / 1e6')} END`,
    // 1970 began on a Thursday.
    hour_of_week: `((${dialect.quotient('time', '3600000000000')} + 72) % 168)::INTEGER`,
  };
}

/** Columns of measures, and dimensions over transactions, as a database has them. */
export function measuresIn(dialect: SqlDialect): {
  columns: readonly MeasureColumn[];
  dimensions: Readonly<Record<Dimension, string>>;
} {
  return { columns: columnsIn(dialect), dimensions: dimensionsIn(dialect) };
}

/** The embedded store's. */
export const { columns: MEASURE_COLUMNS, dimensions: DIMENSION_SQL } = measuresIn(DUCKDB);

/** Text of a dimension's value as it came from the database. */
export function dimensionText(dimension: Dimension, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return octetsText(value);
  if (typeof value === 'string') return value === '' ? null : value;
  const n = Number(value);
  if (dimension === 'type') return n === 0 ? null : TYPES.name(n);
  if (dimension === 'rcode') return n === NO_RCODE ? null : rcodeName(n);
  if (dimension === 'opcode') return opcodeName(n);
  if (dimension === 'transport') return n === 6 ? 'tcp' : 'udp';
  if (dimension === 'outcome') return OUTCOMES[n] ?? null;
  if (dimension === 'answer_kind') return n === NO_KIND ? null : (ANSWER_KINDS[n] ?? null);
  if (dimension === 'role') return ROLES[n] ?? null;
  if (dimension === 'leg') return LEGS[n] ?? null;
  if (dimension === 'latency_bucket') return String(2 ** n);
  return String(n);
}
