import { Cardinality } from '../sketch/cardinality.ts';
import { LogHistogram } from '../sketch/histogram.ts';
import { type Condition, whereOf } from './condition.ts';
import { sketchFrom } from './distinct.ts';
import type { Connection, Row, SqlValue } from './duckdb.ts';
import type { EmbeddedStore } from './embedded.ts';
import { withMatches } from './matches.ts';
import {
  bucketSql,
  DIMENSION_SQL,
  DISTRIBUTION,
  EXACT_PRECISION,
  HISTOGRAM_BITS,
  MEASURE_COLUMNS,
  ROLLUP_PRECISION,
} from './measures.ts';
import { ns } from './rollups.ts';
import { ROLLUPS, rollupTable } from './schema.ts';
import { loadProgress } from './upkeep.ts';
import {
  type Dimension,
  DISTINCTS,
  DISTRIBUTIONS,
  type Measure,
  type StatisticsQuery,
  type StatisticsResult,
  type StatisticsRow,
} from './store.ts';
import {
  addPercentiles,
  columnsNamed,
  distinctSql,
  heatmapSql,
  type Found,
  keyText,
  MOMENTS,
  outputOf,
} from './statistics-rows.ts';
import { COUNTED_ROWS, isHeatmap, type Piece, type Plan, planOf } from './statistics-plan.ts';

const MOST_GROUPS = 1000;
const DEFAULT_LIMIT = 20;
/** Buckets of time and groups together. */
const MOST_ROWS = 100_000;

/** Answers a question for numbers: from rollups where that is exact enough and much faster, else from the rows. */
export function statisticsOf(
  store: EmbeddedStore,
  query: StatisticsQuery,
  condition: Condition,
  signal?: AbortSignal,
): Promise<StatisticsResult> {
  return store.readers.use(
    (connection) =>
      withMatches(store, connection, condition, query, async (exact) => {
        // One view of everything: rollups, how far they have come, and rows.
        await connection.run('BEGIN');
        try {
          const progress = await loadProgress(connection);
          return await new Answer(store, connection, planOf(store, progress, query, exact)).result();
        } finally {
          await connection.run('ROLLBACK');
        }
      }),
    signal,
  );
}

/** Builds and asks the statements of one question. */
class Answer {
  readonly #store: EmbeddedStore;
  readonly #connection: Connection;
  readonly #plan: Plan;
  /** Names of the dimensions' columns. */
  readonly #dims: readonly string[];
  readonly #isFew: boolean;

  constructor(store: EmbeddedStore, connection: Connection, plan: Plan) {
    this.#store = store;
    this.#connection = connection;
    this.#plan = plan;
    this.#dims = plan.group.map((_, k) => `d${k}`);
    this.#isFew = store.parts.rowsBetween(plan.query.from, plan.query.to) <= COUNTED_ROWS;
  }

  async result(): Promise<StatisticsResult> {
    const { query, group, pieces } = this.#plan;
    if (pieces.length === 0) return this.#done([]);
    const isStepped = query.step !== undefined;
    if (!isStepped && group.length > 0 && this.#isOfCounts()) return this.#done(await this.#countedGroups());
    // All the buckets of latency there can be need no look for the first ones.
    const isAll = group.length === 0 || (isHeatmap(query) && (query.limit ?? 0) > HISTOGRAM_BITS);
    const groups = isAll ? undefined : await this.#topGroups();
    if (groups !== undefined && groups.length === 0) return this.#done([]);
    const rows = await this.#rows(isStepped, groups);
    const found = new Map(rows.map((row) => [this.#keyOf(row), row]));
    await this.#percentiles(found, isStepped, groups);
    await this.#distincts(found, isStepped, groups);
    const list = rows.map((row) => row.out);
    if (groups === undefined) list.sort((a, b) => (a.time ?? 0) - (b.time ?? 0));
    return this.#done(list);
  }

  #done(rows: StatisticsRow[]): StatisticsResult {
    const { pieces, kind, query } = this.#plan;
    const used = (table: Piece['table']) => pieces.some((piece) => piece.table === table);
    const oldest = this.#store.parts.list.find((part) => part.rows > 0)?.first;
    const reaches = used('hours') || used('minutes') || oldest === undefined || query.from >= oldest;
    const dropped = (this.#store.dropped.retention ?? 0) > 0;
    return {
      rows,
      source: used('hours') ? 'hours' : used('minutes') ? 'minutes' : 'transactions',
      complete: (reaches || !dropped) && !(kind > 0 && (used('hours') || used('minutes'))),
    };
  }

  /** Everything in the range: dimensions, begin of the step, and partial measures; of these groups, where told. */
  #partials(
    isStepped: boolean,
    columns: readonly { name: string; from: string }[],
    groups?: readonly SqlValue[][],
  ): { sql: string; params: SqlValue[] } {
    const names = columns.map(({ name }) => name);
    const made = columns.map(({ name, from }) => `${from} AS ${name}`);
    return this.#pieces(isStepped, { rollup: names, raw: made, rawWhere: 'true', by: [] }, groups);
  }

  /** The same for any columns of rollups, and of transactions grouped by the dimensions and `by`. */
  #pieces(
    isStepped: boolean,
    {
      rollup,
      raw: made,
      rawWhere,
      by,
    }: { rollup: readonly string[]; raw: readonly string[]; rawWhere: string; by: readonly string[] },
    groups?: readonly SqlValue[][],
  ): { sql: string; params: SqlValue[] } {
    const { query, pieces, group, kind } = this.#plan;
    const step = (query.step ?? 0) * 1000;
    const chosen = this.#inGroups(groups);
    const params: SqlValue[] = [];
    const selects: string[] = [];
    const dims = (of: (name: Dimension) => string) => group.map((name, k) => `${of(name)} AS d${k}`);
    const keys = [...this.#dims, ...(isStepped ? ['t'] : [])];
    for (const { table, from, to } of pieces) {
      if (table === 'transactions') continue;
      const made = [
        '*',
        ...dims((name) => this.#rollupDimension(name)),
        ...(isStepped ? [`time // ${step} * ${step} AS t`] : []),
      ];
      const buckets = `FROM ${rollupTable(table, kind)} WHERE kind = ${kind} AND time >= ${from} AND time < ${to}`;
      const rows = `SELECT ${made.join(', ')} ${isHeatmap(query) ? `FROM (${heatmapSql(buckets)})` : buckets}`;
      selects.push(`SELECT ${[...keys, ...rollup].join(', ')} FROM (${rows}) WHERE ${chosen.sql}`);
      params.push(...chosen.params);
    }
    const source = this.#rawSource();
    if (source !== undefined) {
      const time = isStepped ? [`time // ${step * 1e6} * ${step} AS t`] : [];
      const rows = `SELECT ${['*', ...dims((name) => DIMENSION_SQL[name]), ...time].join(', ')} FROM (${source.sql})`;
      const all = [...keys, ...by];
      const grouped = all.length > 0 ? ` GROUP BY ${all.join(', ')}` : '';
      selects.push(
        `SELECT ${[...keys, ...made].join(', ')} FROM (${rows}) WHERE ${rawWhere} AND ${chosen.sql}${grouped}`,
      );
      params.push(...source.params, ...chosen.params);
    }
    return { sql: selects.join(' UNION ALL '), params };
  }

  #rollupDimension(name: Dimension): string {
    if (this.#plan.kind === 0) return name;
    return name === 'domain' ? 'decode(key)' : 'key';
  }

  /** Rows that are counted one by one: pieces of the range, and what rollups of the others did not take yet. */
  #rawSource(): { sql: string; params: SqlValue[] } | undefined {
    const { pieces, condition, progress } = this.#plan;
    const { parts } = this.#store;
    const selects: string[] = [];
    const params: SqlValue[] = [];
    for (const { table, from, to } of pieces) {
      if (table === 'transactions') {
        const where = whereOf(condition, from, to);
        selects.push(`SELECT * FROM (${parts.source(parts.between(from, to))}) WHERE ${where.sql}`);
        params.push(...where.params);
      } else if (parts.since(progress[table].place) > 0) {
        const late = parts.sequence(progress[table].place, parts.end);
        selects.push(`SELECT * FROM (${late}) WHERE time >= ${ns(from)} AND time < ${ns(to)}`);
      }
    }
    return selects.length === 0 ? undefined : { sql: selects.join(' UNION ALL '), params };
  }

  #isOfCounts(): boolean {
    const { distributions, distincts, query } = this.#plan;
    return distributions.length === 0 && distincts.length === 0 && !DISTINCTS.some((name) => name === query.order?.by);
  }

  /** Groups with counts alone: one look at the rows, where more would cost memory for every group that is not shown. */
  async #countedGroups(): Promise<StatisticsRow[]> {
    const { group, counts, query } = this.#plan;
    const columns = this.#columns();
    const { sql, params } = this.#partials(false, columns);
    const list = [...this.#dims, ...columns.map(({ name, merge }) => `${merge} AS ${name}`)].join(', ');
    const rows = await this.#connection.all<Row>(
      `SELECT ${list} FROM (${sql}) GROUP BY ${this.#dims.join(', ')} ${this.#firstBy(query.order?.by ?? 'transactions')}`,
      params,
    );
    return rows.map((row) => outputOf(row, group, counts, []));
  }

  /** `ORDER BY` and `LIMIT` of groups. */
  #firstBy(by: string): string {
    const { query } = this.#plan;
    const limit = Math.min(MOST_GROUPS, Math.max(1, query.limit ?? DEFAULT_LIMIT));
    const direction = query.order?.descending === false ? 'ASC' : 'DESC';
    return `ORDER BY ${by} ${direction} NULLS LAST, ${this.#dims.join(', ')} LIMIT ${limit}`;
  }

  /** Keys of the groups that are shown, in order. */
  async #topGroups(): Promise<SqlValue[][]> {
    const order = this.#orderSql(this.#plan.query.order?.by ?? 'transactions');
    const { sql, params } = this.#partials(false, order.columns);
    const dims = this.#dims.join(', ');
    const rows = await this.#connection.all<Row>(
      `SELECT ${dims} FROM (${sql}) GROUP BY ${dims} ${this.#firstBy(order.sql)}`,
      params,
    );
    return rows.map((row) => this.#dims.map((name) => row[name]));
  }

  #orderSql(by: Measure): { sql: string; columns: { name: string; from: string }[] } {
    const distribution = DISTRIBUTIONS.find((name) => name === by);
    if (distribution !== undefined) {
      const columns = columnsNamed([`${distribution}_n`, `${distribution}_sum`]);
      return { sql: `sum(${distribution}_sum)::DOUBLE / nullif(sum(${distribution}_n), 0)`, columns };
    }
    const distinct = DISTINCTS.find((name) => name === by);
    if (distinct !== undefined) {
      return { sql: `max(${distinct})`, columns: [{ name: distinct, from: distinctSql(distinct, this.#isFew) }] };
    }
    return { sql: `sum(${by})`, columns: columnsNamed([by]) };
  }

  #inGroups(groups: readonly SqlValue[][] | undefined): { sql: string; params: SqlValue[] } {
    if (groups === undefined) return { sql: 'true', params: [] };
    const params = groups.flat().filter((value) => value !== null);
    if (this.#dims.length > 1) {
      // Joined, which takes each row once; conditions with OR would be tried one by one on every row.
      const names = this.#dims.map((name) => `g${name}`);
      const values = groups.map((group) => `(${group.map((value) => (value === null ? 'NULL' : '?')).join(', ')})`);
      const same = this.#dims.map((name) => `g${name} IS NOT DISTINCT FROM ${name}`).join(' AND ');
      const list = `SELECT 1 FROM (VALUES ${values.join(', ')}) groups (${names.join(', ')}) WHERE ${same}`;
      return { sql: `EXISTS (${list})`, params };
    }
    const among = params.length > 0 ? `d0 IN (${params.map(() => '?').join(', ')})` : 'false';
    return { sql: params.length < groups.length ? `(${among} OR d0 IS NULL)` : among, params };
  }

  async #rows(isStepped: boolean, groups: readonly SqlValue[][] | undefined): Promise<Found[]> {
    const { counts, distributions, group } = this.#plan;
    const columns = this.#columns();
    const { sql, params } = this.#partials(isStepped, columns, groups);
    const keys = [...this.#dims, ...(isStepped ? ['t'] : [])];
    const list = [...keys, ...columns.map(({ name, merge }) => `${merge} AS ${name}`)].join(', ');
    const by = keys.length > 0 ? ` GROUP BY ${keys.join(', ')}` : '';
    const rows = await this.#connection.all<Row>(`SELECT ${list} FROM (${sql})${by} LIMIT ${MOST_ROWS}`, params);

    const found = rows
      .filter((row) => keys.length === 0 || row.transactions !== null)
      .map((row) => ({ row, out: outputOf(row, group, counts, distributions) }));
    if (groups === undefined) return found;
    const place = new Map(groups.map((values, i) => [values.map(keyText).join('\0'), i]));
    const placeOf = ({ row }: Found) => place.get(this.#dims.map((name) => keyText(row[name])).join('\0')) ?? 0;
    return found.sort((a, b) => placeOf(a) - placeOf(b) || (a.out.time ?? 0) - (b.out.time ?? 0));
  }

  /** Columns of rollups that the measures are made of. */
  #columns() {
    const { counts, distributions } = this.#plan;
    const names = new Set<string>(['transactions', ...counts]);
    for (const name of distributions) for (const what of MOMENTS) names.add(`${name}_${what}`);
    return MEASURE_COLUMNS.filter(({ name }) => names.has(name));
  }

  #keyOf({ row }: Found): string {
    return [...this.#dims, 't'].map((name) => keyText(row[name])).join('\0');
  }

  async #percentiles(
    found: Map<string, Found>,
    isStepped: boolean,
    groups: readonly SqlValue[][] | undefined,
  ): Promise<void> {
    const isExact = this.#plan.pieces.every(({ table }) => table === 'transactions');
    const precision = isExact ? EXACT_PRECISION : ROLLUP_PRECISION;
    for (const name of this.#plan.distributions) {
      const value = DISTRIBUTION[name].sql;
      const map = `${name}_histogram`;
      const { sql, params } = this.#pieces(
        isStepped,
        {
          rollup: [`unnest(map_keys(${map})) AS b`, `unnest(map_values(${map})) AS n`],
          raw: [`${bucketSql(value, precision)} AS b`, 'count(*) AS n'],
          rawWhere: `(${value}) IS NOT NULL`,
          by: ['b'],
        },
        groups,
      );
      const keys = [...this.#dims, ...(isStepped ? ['t'] : [])];
      const list = [...keys, 'b', 'sum(n)::BIGINT AS n'].join(', ');
      const statement = `SELECT ${list} FROM (${sql}) WHERE b IS NOT NULL GROUP BY ${[...keys, 'b'].join(', ')}`;
      const histograms = new Map<string, LogHistogram>();
      for await (const chunk of this.#connection.chunks(statement, params)) {
        for (let i = 0; i < chunk.count; i++) {
          const row = chunk.row(i);
          const key = this.#keyOf({ row, out: {} });
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

  async #distincts(
    found: Map<string, Found>,
    isStepped: boolean,
    groups: readonly SqlValue[][] | undefined,
  ): Promise<void> {
    const { distincts, pieces, query } = this.#plan;
    if (distincts.length === 0) return;
    const isRaw = pieces.every(({ table }) => table === 'transactions');
    if (!isRaw && groups === undefined && (query.step === undefined || query.step % 60 === 0)) {
      await this.#sketched(found, isStepped);
      return;
    }
    const columns = distincts.map((name) => ({ name, from: distinctSql(name, this.#isFew) }));
    const { sql, params } = this.#partials(isStepped, columns, groups);
    for (const row of await this.#connection.all<Row>(sql, params)) {
      const out = found.get(this.#keyOf({ row, out: {} }))?.out;
      if (out !== undefined) for (const name of distincts) out[name] = Number(row[name]);
    }
  }

  /** From the sketches by minute or hour, whole buckets; the rows that came since are not in them yet. */
  async #sketched(found: Map<string, Found>, isStepped: boolean): Promise<void> {
    const { query, distincts } = this.#plan;
    const step = (query.step ?? 0) * 1000;
    const byHour = query.step === undefined ? query.to - query.from > 6 * 3_600_000 : query.step % 3600 === 0;
    const size = byHour ? ROLLUPS.hours : ROLLUPS.minutes;
    const rows = await this.#connection.all<{ time: number; what: number; sketch: Uint8Array }>(
      `SELECT time, what, sketch FROM distinct_counts WHERE step = ? AND time >= ? AND time < ?
       AND what IN (${distincts.map((name) => DISTINCTS.indexOf(name)).join(', ')})`,
      [size / 1000, Math.floor(query.from / size) * size, Math.ceil(query.to / size) * size],
    );
    const sums = new Map<string, Cardinality>();
    for (const { time, what, sketch } of rows) {
      const key = `${isStepped ? Math.max(Math.floor(time / step) * step, Math.floor(query.from / step) * step) : ''} ${what}`;
      let sum = sums.get(key);
      if (sum === undefined) sums.set(key, (sum = new Cardinality()));
      sum.merge(sketchFrom(sketch));
    }
    for (const { out } of found.values()) {
      for (const name of distincts) {
        out[name] = sums.get(`${isStepped ? out.time : ''} ${DISTINCTS.indexOf(name)}`)?.value ?? 0;
      }
    }
  }
}
