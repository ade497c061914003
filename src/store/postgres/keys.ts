import { bucketSql, DISTRIBUTION, KEYED, ROLLUP_PRECISION } from '../measures.ts';
import { DISTRIBUTIONS } from '../store.ts';
import { POSTGRES } from './dialect.ts';
import { MEASURES } from './schema.ts';

/** Keys kept of an hour, the most frequent ones. */
const MOST_KEYS = 2000;

/** Columns that measures are made of: whole rows would not fit into memory. */
const COUNTED = `queries, responses, outcome, rcode, answer_kind, duplicates, late, response_flags, fault, suspicious, query_bytes,
  response_bytes, latency, ttl_min, answers`;

/** Rows of an hour: [from, to) ns as SQL, and its begin in ms. */
export interface BucketSource {
  from: string;
  to: string;
  time: number;
}

/** Statements that count an hour by domain, client and server into `hours_by_key`. */
export function keysSql({ from, to, time }: BucketSource): string[] {
  const { dimensions, columns } = MEASURES;
  return KEYED.map((name, k) => {
    const key = name === 'domain' ? `convert_to(${dimensions.domain}, 'UTF8')` : name;
    // No key sorts as empty, so that it can be compared.
    const source = `SELECT ${COUNTED}, coalesce(${key}, '') AS rollup_key FROM transactions WHERE time >= ${from} AND time < ${to}`;
    const histograms = DISTRIBUTIONS.map((of) => {
      const value = DISTRIBUTION[of].sql;
      return `${of}_h AS (SELECT rollup_key, array_agg(b ORDER BY b) AS buckets, array_agg(n ORDER BY b) AS counts FROM
        (SELECT rollup_key, ${bucketSql(value, ROLLUP_PRECISION, POSTGRES)} AS b, count(*) AS n FROM source
         WHERE (${value}) IS NOT NULL GROUP BY rollup_key, b) AS g GROUP BY rollup_key)`;
    });
    const joins = DISTRIBUTIONS.map((of) => `LEFT JOIN ${of}_h USING (rollup_key)`).join(' ');
    const arrays = DISTRIBUTIONS.flatMap((of) => [`coalesce(${of}_h.buckets, '{}')`, `coalesce(${of}_h.counts, '{}')`]);
    const measures = columns.map(({ name: column, from: made }) => `${made} AS ${column}`).join(', ');
    const named = columns.map(({ name: column }) => `m.${column}`);
    return `WITH everything AS NOT MATERIALIZED (${source}),
      top AS (SELECT rollup_key FROM everything GROUP BY rollup_key ORDER BY rollup_key = '' DESC, count(*) DESC LIMIT ${MOST_KEYS}),
      source AS MATERIALIZED (SELECT everything.* FROM everything JOIN top USING (rollup_key)),
      m AS (SELECT rollup_key, ${measures} FROM source GROUP BY rollup_key), ${histograms.join(', ')}
      INSERT INTO hours_by_key SELECT ${[`${time}`, String(k + 1), `nullif(m.rollup_key, '')`, ...named, ...arrays].join(', ')} FROM m ${joins}`;
  });
}
