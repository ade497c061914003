import { bucketSql, CUBE, DISTRIBUTION, ROLLUP_PRECISION } from '../measures.ts';
import { DISTRIBUTIONS, type DistributionName } from '../store.ts';
import { CLICKHOUSE } from './dialect.ts';
import {
  isKept,
  KEPT_BY_KEY,
  KEYS,
  MEASURES,
  SIGHTED_SELECT,
  SIGHTED_TABLE,
  SKETCHED,
  type Step,
  STEPS,
} from './schema.ts';

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
const madeOf = (of: readonly DistributionName[]): Made => [
  ...MEASURES.filter(({ name }) => isKept(of)(name)),
  ...of.map((name) => {
    const { sql } = DISTRIBUTION[name];
    const bucket = bucketSql(`assumeNotNull(${sql})`, ROLLUP_PRECISION, CLICKHOUSE);
    return { name: `${name}_histogram`, from: `sumMapIf(map(${bucket}, toUInt64(1)), (${sql}) IS NOT NULL)` };
  }),
];
const mergedOf = (of: readonly DistributionName[]): Made => [
  ...MEASURES.filter(({ name }) => isKept(of)(name)).map(({ name, merge }) => ({ name, from: merge })),
  ...of.map((name) => ({ name: `${name}_histogram`, from: `sumMap(${name}_histogram)` })),
];

/** What fills the tables that are made of others. */
export function views(local: (table: string) => string): readonly { to: string; select: string }[] {
  const cube = Object.keys(CUBE);
  const raw = local('transactions');
  const sketches = Object.entries(SKETCHED);
  const { domain, client, server } = KEYS;
  return [
    { to: 'minutes', select: grouped(bucketOfRow('minutes'), cube, madeOf(DISTRIBUTIONS), raw) },
    { to: 'hours', select: grouped(HOUR_OF_BUCKET, cube, mergedOf(DISTRIBUTIONS), local('minutes')) },
    { to: 'domain_minutes', select: grouped(bucketOfRow('minutes'), domain.columns, madeOf(KEPT_BY_KEY), raw) },
    {
      to: 'domain_hours',
      select: grouped(HOUR_OF_BUCKET, domain.columns, mergedOf(KEPT_BY_KEY), local('domain_minutes')),
    },
    { to: 'client_hours', select: grouped(bucketOfRow('hours'), client.columns, madeOf(KEPT_BY_KEY), raw) },
    { to: 'server_hours', select: grouped(bucketOfRow('hours'), server.columns, madeOf(KEPT_BY_KEY), raw) },
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
