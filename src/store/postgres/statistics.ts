import { Cardinality } from '../../sketch/cardinality.ts';
import { LogHistogram } from '../../sketch/histogram.ts';
import { type Condition, whereOf } from '../condition.ts';
import { sketchFrom } from '../distinct.ts';
import { bucketSql, DISTRIBUTION, EXACT_PRECISION, HISTOGRAM_BITS, ROLLUP_PRECISION } from '../measures.ts';
import { ROLLUPS } from '../schema.ts';
import type { Row, Session, SqlValue } from '../session.ts';
import { isHeatmap } from '../statistics-plan.ts';
import { addPercentiles, type Found, keyText, MOMENTS, outputOf } from '../statistics-rows.ts';
import {
  type Dimension,
  type Distinct,
  DISTINCTS,
  DISTRIBUTIONS,
  type Measure,
  type StatisticsQuery,
  type StatisticsResult,
  type StatisticsRow,
} from '../store.ts';
import type { Days } from './days.ts';
import { POSTGRES } from './dialect.ts';
import { type Plan, planOf } from './plan.ts';
import { MEASURES } from './schema.ts';

const MOST_GROUPS = 1000;
const DEFAULT_LIMIT = 20;
/** Buckets of time and groups together. */
const MOST_ROWS = 100_000;

/** Answers a question for numbers: from rollups where that is exact enough and much faster, else from the rows. */
export async function statisticsOf(
  session: Session,
  days: Days,
  query: StatisticsQuery,
  exact: Condition,
  countedRows?: number,
): Promise<StatisticsResult> {
  const isKeyed = query.group?.length === 1 && ['domain', 'client', 'server'].includes(query.group[0]);
  const counted = isKeyed ? await countedHours(session, query.from, query.to) : [];
  return new Answer(session, days, planOf(days, counted, query, exact, countedRows)).result();
}

/** Hours of a range whose keys are counted, and of all transactions that they have now. */
async function countedHours(session: Session, from: number, to: number): Promise<number[]> {
  const rows = await session.all<{ time: number }>(
    `SELECT c.time FROM counted_hours c JOIN (SELECT time, sum(transactions) AS n FROM hours WHERE time >= ? AND time < ? GROUP BY time) h
     ON h.time = c.time AND h.n = c.transactions ORDER BY c.time`,
    [Math.floor(Math.max(-9e15, from)), Math.ceil(Math.min(9e15, to))],
  );
  return rows.map(({ time }) => time);
}

/** What is asked of every piece of the range: columns of rollups, and of transactions grouped by the dimensions and `by`. */
interface Wanted {
  rollup: readonly string[];
  raw: readonly string[];
  rawWhere?: string;
  by?: readonly string[];
}

/** Builds and asks the statements of one question. */
class Answer {
  readonly #session: Session;
  readonly #days: Days;
  readonly #plan: Plan;
  /** Names of the dimensions' columns, and of all that groups. */
  readonly #dims: readonly string[];
  readonly #keys: readonly string[];

  constructor(session: Session, days: Days, plan: Plan) {
    this.#session = session;
    this.#days = days;
    this.#plan = plan;
    this.#dims = plan.group.map((_, k) => `d${k}`);
    this.#keys = plan.query.step === undefined ? this.#dims : [...this.#dims, 't'];
  }

  async result(): Promise<StatisticsResult> {
    const { query, group, pieces } = this.#plan;
    if (pieces.length === 0) return this.#done([]);
    // All the buckets of latency there can be need no look for the first ones.
    const isAll = group.length === 0 || (isHeatmap(query) && (query.limit ?? 0) > HISTOGRAM_BITS);
    const groups = isAll ? undefined : await this.#topGroups();
    if (groups?.length === 0) return this.#done([]);
    const rows = await this.#rows(groups);
    const found = new Map(rows.map((row) => [this.#keyOf(row.row), row]));
    await this.#percentiles(found, groups);
    await this.#distincts(found, groups);
    const list = rows.map((row) => row.out);
    if (groups === undefined) list.sort((a, b) => (a.time ?? 0) - (b.time ?? 0));
    return this.#done(list);
  }

  #done(rows: StatisticsRow[]): StatisticsResult {
    const { pieces, query } = this.#plan;
    const used = (table: string) => pieces.some((piece) => piece.table === table);
    const isByKey = used('hours_by_key');
    const isRolledUp = used('hours') || used('minutes') || isByKey;
    return {
      rows,
      source: used('hours') || isByKey ? 'hours' : used('minutes') ? 'minutes' : 'transactions',
      complete: (isRolledUp || query.from >= this.#days.heldFrom) && !isByKey,
    };
  }

  /** The pieces of the range one below the other: dimensions, begin of the step, and what is wanted; of these groups, where told. */
  #pieces(
    { rollup, raw, rawWhere = 'true', by = [] }: Wanted,
    groups?: readonly SqlValue[][],
  ): { sql: string; params: SqlValue[] } {
    const { query, pieces, group, condition, kind } = this.#plan;
    const step = (query.step ?? 0) * 1000;
    const chosen = this.#among(groups);
    const params: SqlValue[] = [];
    const selects = pieces.map(({ table, from, to }) => {
      const isRaw = table === 'transactions';
      const where = whereOf(condition, from, to);
      const dims = group.map(
        (name, k) => `${isRaw ? MEASURES.dimensions[name] : rolledUpDimension(name, kind)} AS d${k}`,
      );
      const unit = isRaw ? step * 1e6 : step;
      const time = query.step === undefined ? [] : [`${floored('time', unit)} * ${step} AS t`];
      const buckets = `FROM ${table} WHERE time >= ${Math.floor(from)} AND time < ${Math.ceil(to)}${table === 'hours_by_key' ? ` AND kind = ${kind}` : ''}`;
      const source = isRaw
        ? `FROM transactions WHERE ${where.sql}`
        : isHeatmap(query)
          ? `FROM (${heatmapSql(buckets)}) AS heat`
          : buckets;
      if (isRaw) params.push(...where.params);
      params.push(...chosen.params);
      const rows = `SELECT ${['*', ...dims, ...time].join(', ')} ${source}`;
      const wanted = [...this.#keys, ...(isRaw ? raw : rollup)].join(', ');
      const all = [...this.#keys, ...by];
      const grouped = isRaw && all.length > 0 ? ` GROUP BY ${all.join(', ')}` : '';
      return `SELECT ${wanted} FROM (${rows}) AS r WHERE ${isRaw ? rawWhere : 'true'} AND ${chosen.sql}${grouped}`;
    });
    return { sql: selects.join(' UNION ALL '), params };
  }

  /** Measures of every piece. */
  #partials(columns: readonly { name: string; from: string }[], groups?: readonly SqlValue[][]) {
    return this.#pieces(
      { rollup: columns.map(({ name }) => name), raw: columns.map(({ name, from }) => `${from} AS ${name}`) },
      groups,
    );
  }

  /** A condition on the dimensions: these groups. */
  #among(groups: readonly SqlValue[][] | undefined): { sql: string; params: SqlValue[] } {
    if (groups === undefined) return { sql: 'true', params: [] };
    if (this.#dims.length > 1) {
      // As text, which is looked up in a table of them; no dimension is an empty text.
      const texts = this.#dims.map((name) => `coalesce(${name}::text, '')`);
      const list = groups.map((values) => `(${values.map(() => '?').join(', ')})`);
      return { sql: `(${texts.join(', ')}) IN (VALUES ${list.join(', ')})`, params: groups.flat().map(asText) };
    }
    const params = groups.flat().filter((value) => value !== null);
    const among = params.length > 0 ? `d0 IN (${params.map(() => '?').join(', ')})` : 'false';
    return { sql: params.length < groups.length ? `(${among} OR d0 IS NULL)` : among, params };
  }

  /** Keys of the groups that are shown, in order. */
  async #topGroups(): Promise<SqlValue[][]> {
    const { query } = this.#plan;
    const order = orderSql(query.order?.by ?? 'transactions');
    const { sql, params } = this.#partials(order.columns);
    const dims = this.#dims.join(', ');
    const limit = Math.min(MOST_GROUPS, Math.max(1, query.limit ?? DEFAULT_LIMIT));
    const direction = query.order?.descending === false ? 'ASC' : 'DESC';
    const rows = await this.#session.all<Row>(
      `SELECT ${dims} FROM (${sql}) AS p GROUP BY ${dims} ORDER BY ${order.sql} ${direction} NULLS LAST, ${dims} LIMIT ${limit}`,
      params,
    );
    return rows.map((row) => this.#dims.map((name) => row[name]));
  }

  async #rows(groups: readonly SqlValue[][] | undefined): Promise<Found[]> {
    const { counts, distributions, group } = this.#plan;
    const names = new Set<string>(['transactions', ...counts]);
    for (const name of distributions) for (const what of MOMENTS) names.add(`${name}_${what}`);
    const columns = MEASURES.columns.filter(({ name }) => names.has(name));
    const { sql, params } = this.#partials(columns, groups);
    const list = [...this.#keys, ...columns.map(({ name, merge }) => `${merge} AS ${name}`)].join(', ');
    const by = this.#keys.length > 0 ? ` GROUP BY ${this.#keys.join(', ')}` : '';
    const rows = await this.#session.all<Row>(`SELECT ${list} FROM (${sql}) AS p${by} LIMIT ${MOST_ROWS}`, params);
    const found = rows
      .filter((row) => this.#keys.length === 0 || row.transactions !== null)
      .map((row) => ({ row, out: outputOf(row, group, counts, distributions) }));
    if (groups === undefined) return found;
    const place = new Map(groups.map((values, i) => [values.map(keyText).join('\0'), i]));
    const placeOf = ({ row }: Found) => place.get(this.#dims.map((name) => keyText(row[name])).join('\0')) ?? 0;
    return found.sort((a, b) => placeOf(a) - placeOf(b) || (a.out.time ?? 0) - (b.out.time ?? 0));
  }

  #keyOf(row: Row): string {
    return [...this.#dims, 't'].map((name) => keyText(row[name])).join('\0');
  }

  async #percentiles(found: Map<string, Found>, groups: readonly SqlValue[][] | undefined): Promise<void> {
    const isExact = this.#plan.pieces.every(({ table }) => table === 'transactions');
    const precision = isExact ? EXACT_PRECISION : ROLLUP_PRECISION;
    for (const name of this.#plan.distributions) {
      const value = DISTRIBUTION[name].sql;
      const { sql, params } = this.#pieces(
        {
          rollup: [`unnest(${name}_buckets) AS b`, `unnest(${name}_counts) AS n`],
          raw: [`${bucketSql(value, precision, POSTGRES)} AS b`, 'count(*) AS n'],
          rawWhere: `(${value}) IS NOT NULL`,
          by: ['b'],
        },
        groups,
      );
      const keys = [...this.#keys, 'b'].join(', ');
      const rows = this.#session.chunks(
        `SELECT ${keys}, sum(n)::bigint AS n FROM (${sql}) AS p WHERE b IS NOT NULL GROUP BY ${keys}`,
        params,
      );
      const histograms = new Map<string, LogHistogram>();
      for await (const chunk of rows) {
        for (let i = 0; i < chunk.count; i++) {
          const row = chunk.row(i);
          const key = this.#keyOf(row);
          let histogram = histograms.get(key);
          if (histogram === undefined) histograms.set(key, (histogram = new LogHistogram(HISTOGRAM_BITS, precision)));
          histogram.counts[Number(row.b)] += Number(row.n);
          histogram.n += Number(row.n);
        }
      }
      for (const [key, histogram] of histograms) {
        const summary = found.get(key)?.out[name];
        if (summary !== undefined) addPercentiles(summary, histogram, DISTRIBUTION[name].scale);
      }
    }
  }

  async #distincts(found: Map<string, Found>, groups: readonly SqlValue[][] | undefined): Promise<void> {
    const { distincts, pieces, query } = this.#plan;
    if (distincts.length === 0) return;
    const isRaw = pieces.every(({ table }) => table === 'transactions');
    if (!isRaw && (query.step === undefined || query.step % 60 === 0)) return this.#sketched(found);
    const columns = distincts.map((name) => ({ name, from: distinctSql(name) }));
    const { sql, params } = this.#partials(columns, groups);
    for (const row of await this.#session.all<Row>(sql, params)) {
      const out = found.get(this.#keyOf(row))?.out;
      if (out !== undefined) for (const name of distincts) out[name] = Number(row[name]);
    }
  }

  /** From the sketches by minute or hour, whole buckets. */
  async #sketched(found: Map<string, Found>): Promise<void> {
    const { query, distincts } = this.#plan;
    const step = (query.step ?? 0) * 1000;
    const byHour = query.step === undefined ? query.to - query.from > 6 * 3_600_000 : query.step % 3600 === 0;
    const size = byHour ? ROLLUPS.hours : ROLLUPS.minutes;
    const rows = await this.#session.all<{ time: number; what: number; sketch: Uint8Array }>(
      `SELECT time, what, sketch FROM distinct_counts WHERE step = ? AND time >= ? AND time < ?
       AND what IN (${distincts.map((name) => DISTINCTS.indexOf(name)).join(', ')})`,
      [size / 1000, Math.floor(query.from / size) * size, Math.ceil(query.to / size) * size],
    );
    const sums = new Map<string, Cardinality>();
    for (const { time, what, sketch } of rows) {
      const key = `${step > 0 ? Math.max(Math.floor(time / step) * step, Math.floor(query.from / step) * step) : ''} ${what}`;
      let sum = sums.get(key);
      if (sum === undefined) sums.set(key, (sum = new Cardinality()));
      sum.merge(sketchFrom(sketch));
    }
    for (const { out } of found.values()) {
      for (const name of distincts) {
        out[name] = sums.get(`${step > 0 ? out.time : ''} ${DISTINCTS.indexOf(name)}`)?.value ?? 0;
      }
    }
  }
}

/** Whole steps since 1970, rounded down before it, too. */
function floored(time: string, step: number): string {
  return `((${time} - (((${time} % ${step}) + ${step}) % ${step})) / ${step})`;
}

function rolledUpDimension(name: Dimension, kind: number): string {
  if (kind === 0) return name;
  return name === 'domain' ? `convert_from(key, 'UTF8')` : 'key';
}

function distinctSql(name: Distinct): string {
  const { client, server, name: names, domain } = MEASURES.dimensions;
  return `count(DISTINCT ${{ clients: client, servers: server, names, domains: domain }[name]})`;
}

/** What orders the groups, and what it is made of. */
function orderSql(by: Measure): { sql: string; columns: { name: string; from: string }[] } {
  const columnsNamed = (names: readonly string[]) => MEASURES.columns.filter(({ name }) => names.includes(name));
  const distribution = DISTRIBUTIONS.find((name) => name === by);
  if (distribution !== undefined) {
    return {
      sql: `sum(${distribution}_sum)::float8 / nullif(sum(${distribution}_n), 0)`,
      columns: columnsNamed([`${distribution}_n`, `${distribution}_sum`]),
    };
  }
  const distinct = DISTINCTS.find((name) => name === by);
  if (distinct !== undefined) {
    return { sql: `max(${distinct})`, columns: [{ name: distinct, from: distinctSql(distinct) }] };
  }
  return { sql: `sum(${by})`, columns: columnsNamed([by]) };
}

/** Transactions of rollups by latency. Edges of their buckets are up to 0.06 % below those of `latency_bucket`. */
function heatmapSql(buckets: string): string {
  const steps = 2 ** ROLLUP_PRECISION;
  const lower = `power(2.0::float8, (b - 1) / ${steps}) * (1 + ((b - 1) % ${steps}) / ${steps}.0::float8)`;
  const key = `CASE WHEN b > 0 THEN floor(ln(${lower} / 1e6) / ln(2.0::float8) + 0.001)::integer END`;
  const counts = `SELECT time, unnest(latency_buckets)::integer AS b, unnest(latency_counts) AS n ${buckets}`;
  return `SELECT time, ${key} AS latency_bucket, n AS transactions FROM (${counts}) AS h UNION ALL
    SELECT time, NULL, transactions - latency_n ${buckets} AND transactions > latency_n`;
}

/** As `::text` has it; empty for none. */
function asText(value: SqlValue): string {
  if (value === null) return '';
  return value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : String(value);
}
