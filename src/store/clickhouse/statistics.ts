import { LogHistogram } from '../../sketch/histogram.ts';
import { octetsText } from '../addresses.ts';
import { whereOf } from '../condition.ts';
import { bucketSql, DISTRIBUTION, EXACT_PRECISION, HISTOGRAM_BITS, measuresIn, ROLLUP_PRECISION } from '../measures.ts';
import type { Row, SqlValue } from '../session.ts';
import { addPercentiles, type Found, keyText, MOMENTS, outputOf } from '../statistics-rows.ts';
import {
  type Dimension,
  DISTINCTS,
  DISTRIBUTIONS,
  type DistributionName,
  type Measure,
  type StatisticsResult,
  type StatisticsRow,
} from '../store.ts';
import type { Connection } from './connection.ts';
import { CLICKHOUSE } from './dialect.ts';
import type { Piece, Plan } from './plan.ts';
import { SKETCHED, STEPS } from './schema.ts';

const MOST_GROUPS = 1000;
const DEFAULT_LIMIT = 20;
/** Buckets of time and groups together. */
const MOST_ROWS = 100_000;

const { columns: MEASURES, dimensions: DIMENSIONS } = measuresIn(CLICKHOUSE);
const TYPES = new Map(MEASURES.map(({ name, type }) => [name, type]));
/** An address stands for itself, also an IPv4 one: no host has one of those that stand for IPv4 (RFC 4291 §2.5.5.2). */
const OF_ROWS: Readonly<Record<Dimension, string>> = {
  ...DIMENSIONS,
  domain: "nullIf(toString(domain), '')",
  sensor: 'toString(sensor)',
  client: 'client_address',
  server: 'server_address',
};
const ADDRESSES: readonly Dimension[] = ['client', 'server'];

interface Sql {
  sql: string;
  params: SqlValue[];
}
/** Columns of a piece: how they are made of a rollup, and of rows. */
interface Made {
  rollup: readonly string[];
  rows: readonly string[];
  /** What rows are grouped by besides the dimensions, and which of them count. */
  by?: readonly string[];
  where?: string;
}

/** Answers a question for numbers: from rollups where that is exact enough and much faster, else from the rows. */
export async function answer(connection: Connection, plan: Plan, signal: AbortSignal): Promise<StatisticsResult> {
  const rows = plan.pieces.length === 0 ? [] : await new Answer(connection, plan, signal).rows();
  const used = (step: Piece['step']) => plan.pieces.some((piece) => piece.step === step);
  return {
    rows,
    source: used('hours') ? 'hours' : used('minutes') ? 'minutes' : 'transactions',
    complete: true,
  };
}

/** Builds and asks the statements of one question. */
class Answer {
  readonly #connection: Connection;
  readonly #plan: Plan;
  readonly #signal: AbortSignal;
  /** Names of the dimensions' columns. */
  readonly #dims: readonly string[];
  readonly #isStepped: boolean;
  /** Dimensions and the begin of the step. */
  readonly #keys: readonly string[];

  constructor(connection: Connection, plan: Plan, signal: AbortSignal) {
    this.#connection = connection;
    this.#plan = plan;
    this.#signal = signal;
    this.#dims = plan.group.map((_, k) => `d${k}`);
    this.#isStepped = plan.query.step !== undefined;
    this.#keys = [...this.#dims, ...(this.#isStepped ? ['t'] : [])];
  }

  async rows(): Promise<StatisticsRow[]> {
    const { group } = this.#plan;
    const groups = group.length === 0 ? undefined : await this.#topGroups();
    if (groups?.length === 0) return [];
    const rows = await this.#measured(groups);
    const found = new Map(rows.map((row) => [this.#keyOf(row.row), row]));
    for (const name of this.#plan.distributions) await this.#percentiles(name, found, groups);
    await this.#distincts(found, groups);
    const list = rows.map(({ out }) => out);
    if (groups === undefined) list.sort((a, b) => (a.time ?? 0) - (b.time ?? 0));
    return list;
  }

  #ask<T = Row>({ sql, params }: Sql): Promise<T[]> {
    return this.#connection.all<T>(sql, params, this.#signal);
  }

  /** Everything in the range, piece by piece; of these groups, where told. */
  #pieces(made: Made, groups?: readonly SqlValue[][]): Sql {
    const chosen = this.#among(groups);
    const parts = this.#plan.pieces.map((piece) =>
      piece.step === 'transactions'
        ? this.#ofRows(piece, made, chosen)
        : this.#ofRollup(piece.step, piece, made, chosen),
    );
    return { sql: parts.map(({ sql }) => sql).join(' UNION ALL '), params: parts.flatMap(({ params }) => params) };
  }

  #ofRollup(step: keyof typeof STEPS, { from, to }: Piece, made: Made, chosen: Sql): Sql {
    const { group, query, isHeatmap } = this.#plan;
    const own = (name: Dimension) =>
      name in OF_ROWS && ['domain', 'sensor', ...ADDRESSES].includes(name) ? OF_ROWS[name] : name;
    const dims = isHeatmap ? ['latency_bucket AS d0'] : group.map((name, k) => `${own(name)} AS d${k}`);
    const size = (query.step ?? 0) * 1000;
    const time = this.#isStepped ? [`intDiv(time, ${size}) * ${size} AS t`] : [];
    const source = `FROM ${this.#plan.table(step)} WHERE time >= ${from} AND time < ${to}`;
    const rows = `SELECT ${['*', ...dims, ...time].join(', ')} ${isHeatmap ? `FROM (${heatmap(source)})` : source}`;
    return {
      sql: `SELECT ${[...this.#keys, ...made.rollup].join(', ')} FROM (${rows}) WHERE ${chosen.sql}`,
      params: chosen.params,
    };
  }

  #ofRows({ from, to }: Piece, { rows: made, by = [], where = 'true' }: Made, chosen: Sql): Sql {
    const { group, query, condition } = this.#plan;
    const dims = group.map((name, k) => `${OF_ROWS[name]} AS d${k}`);
    const size = (query.step ?? 0) * 1000;
    const time = this.#isStepped ? [`intDiv(time, ${size}000000) * ${size} AS t`] : [];
    const range = whereOf(condition, from, to);
    const columns = ['* ', 'domain', ...dims, ...time].join(', ');
    const all = [...this.#keys, ...by];
    const grouped = all.length > 0 ? ` GROUP BY ${all.join(', ')}` : '';
    return {
      sql: `SELECT ${[...this.#keys, ...made].join(', ')} FROM (SELECT ${columns} FROM transactions WHERE ${range.sql}) WHERE ${where} AND ${chosen.sql}${grouped}`,
      params: [...range.params, ...chosen.params],
    };
  }

  /** Measures of pieces, not merged yet. */
  #partials(columns: readonly { name: string; from: string }[], groups?: readonly SqlValue[][]): Sql {
    // Of one type on both sides: columns of rollups have one of their own.
    const made = (from: string, name: string) => `(${from})::${TYPES.get(name) ?? 'UInt64'} AS ${name}`;
    return this.#pieces(
      {
        rollup: columns.map(({ name }) => made(name, name)),
        rows: columns.map(({ name, from }) => made(from, name)),
      },
      groups,
    );
  }

  /** A condition on the dimensions. */
  #among(groups: readonly SqlValue[][] | undefined): Sql {
    if (groups === undefined) return { sql: 'true', params: [] };
    const { group } = this.#plan;
    if (group.length > 1) {
      const texts = this.#dims.map((name) => `ifNull(toString(${name}), '')`).join(', ');
      const values = groups.map(() => `(${group.map(() => '?').join(', ')})`).join(', ');
      return { sql: `(${texts}) IN (${values})`, params: groups.flat().map(textOf) };
    }
    const [name] = group;
    const values = groups.flat().filter((value) => value !== null);
    const mark = ADDRESSES.includes(name) ? 'toIPv6(?)' : '?';
    const among = values.length > 0 ? `d0 IN (${values.map(() => mark).join(', ')})` : 'false';
    const params = values.map((value) => (typeof value === 'object' ? textOf(value) : value));
    return { sql: values.length < groups.length ? `(${among} OR d0 IS NULL)` : among, params };
  }

  /** Keys of the groups that are shown, in order. */
  async #topGroups(): Promise<SqlValue[][]> {
    const { query } = this.#plan;
    const order = this.#order(query.order?.by ?? 'transactions');
    const limit = Math.min(MOST_GROUPS, Math.max(1, query.limit ?? DEFAULT_LIMIT));
    const direction = query.order?.descending === false ? 'ASC' : 'DESC';
    const { sql, params } = this.#partials(order.columns);
    const dims = this.#dims.join(', ');
    const places = this.#dims.map((name, k) => (ADDRESSES.includes(this.#plan.group[k]) ? octetsOf(name) : name));
    const rows = await this.#ask({
      sql: `SELECT ${dims} FROM (${sql}) GROUP BY ${dims} ORDER BY ${order.sql} ${direction} NULLS LAST, ${places.join(', ')} LIMIT ${limit}`,
      params,
    });
    return rows.map((row) => this.#dims.map((name) => row[name]));
  }

  #order(by: Measure): { sql: string; columns: { name: string; from: string }[] } {
    const named = (...names: string[]) => MEASURES.filter(({ name }) => names.includes(name));
    const distribution = DISTRIBUTIONS.find((name) => name === by);
    if (distribution !== undefined) {
      return {
        sql: `toFloat64(sum(${distribution}_sum)) / nullIf(sum(${distribution}_n), 0)`,
        columns: named(`${distribution}_n`, `${distribution}_sum`),
      };
    }
    const distinct = DISTINCTS.find((name) => name === by);
    if (distinct !== undefined) {
      return { sql: `max(${distinct})`, columns: [{ name: distinct, from: this.#different(distinct) }] };
    }
    return { sql: `sum(${by})`, columns: named(by) };
  }

  #different(name: (typeof DISTINCTS)[number]): string {
    const { from } = SKETCHED[name];
    return this.#plan.isFew ? `uniqExact(${from})` : `uniqCombined(12)(${from})`;
  }

  async #measured(groups: readonly SqlValue[][] | undefined): Promise<Found[]> {
    const { counts, distributions, group } = this.#plan;
    const names = new Set<string>(['transactions', ...counts]);
    for (const name of distributions) for (const what of MOMENTS) names.add(`${name}_${what}`);
    const columns = MEASURES.filter(({ name }) => names.has(name));
    const { sql, params } = this.#partials(columns, groups);
    const list = [...this.#keys, ...columns.map(({ name, merge }) => `${merge} AS ${name}`)].join(', ');
    const by = this.#keys.length > 0 ? ` GROUP BY ${this.#keys.join(', ')}` : '';
    const rows = await this.#ask({ sql: `SELECT ${list} FROM (${sql})${by} LIMIT ${MOST_ROWS}`, params });
    const found = rows.map((row) => ({ row, out: outputOf(this.#shown(row), group, counts, distributions) }));
    if (groups === undefined) return found;
    const place = new Map(groups.map((values, i) => [values.map(keyText).join('\0'), i]));
    const placeOf = ({ row }: Found) => place.get(this.#dims.map((name) => keyText(row[name])).join('\0')) ?? 0;
    return found.sort((a, b) => placeOf(a) - placeOf(b) || (a.out.time ?? 0) - (b.out.time ?? 0));
  }

  /** Addresses that stand for IPv4 as what they stand for. */
  #shown(row: Row): Row {
    const shown = { ...row };
    for (const name of this.#dims) {
      const value = row[name];
      if (value instanceof Uint8Array && isMapped(value)) shown[name] = value.subarray(12);
    }
    return shown;
  }

  #keyOf(row: Row): string {
    return this.#keys.map((name) => keyText(row[name])).join('\0');
  }

  async #percentiles(
    name: DistributionName,
    found: Map<string, Found>,
    groups: readonly SqlValue[][] | undefined,
  ): Promise<void> {
    const isExact = this.#plan.pieces.every(({ step }) => step === 'transactions');
    const precision = isExact ? EXACT_PRECISION : ROLLUP_PRECISION;
    const { sql: value, scale } = DISTRIBUTION[name];
    const histogram = `${name}_histogram`;
    const { sql, params } = this.#pieces(
      {
        rollup: [`arrayJoin(arrayZip(mapKeys(${histogram}), mapValues(${histogram}))) AS pair`],
        rows: [`(${bucketSql(`assumeNotNull(${value})`, precision, CLICKHOUSE)}, count()) AS pair`],
        by: [bucketSql(`assumeNotNull(${value})`, precision, CLICKHOUSE)],
        where: `(${value}) IS NOT NULL`,
      },
      groups,
    );
    const list = [...this.#keys, 'tupleElement(pair, 1) AS b', 'toInt64(sum(tupleElement(pair, 2))) AS n'].join(', ');
    const statement = `SELECT ${list} FROM (${sql}) GROUP BY ${[...this.#keys, 'tupleElement(pair, 1)'].join(', ')}`;
    const histograms = new Map<string, LogHistogram>();
    for await (const block of this.#connection.blocks(statement, params, this.#signal)) {
      for (let i = 0; i < block.count; i++) {
        const row = block.row(i);
        const key = this.#keyOf(row);
        let one = histograms.get(key);
        if (one === undefined) histograms.set(key, (one = new LogHistogram(HISTOGRAM_BITS, precision)));
        one.counts[Number(row.b)] += Number(row.n);
        one.n += Number(row.n);
      }
    }
    for (const [key, one] of histograms) {
      const summary = found.get(key)?.out[name];
      if (summary !== undefined) addPercentiles(summary, one, scale);
    }
  }

  async #distincts(found: Map<string, Found>, groups: readonly SqlValue[][] | undefined): Promise<void> {
    const { distincts, pieces } = this.#plan;
    if (distincts.length === 0) return;
    const isRaw = pieces.every(({ step }) => step === 'transactions');
    const sql = isRaw
      ? this.#partials(
          distincts.map((name) => ({ name, from: this.#different(name) })),
          groups,
        )
      : this.#sketched();
    for (const row of await this.#ask(sql)) {
      const out = found.get(this.#keyOf(row))?.out;
      if (out !== undefined) for (const name of distincts) out[name] = Number(row[name]);
    }
  }

  /** Sketches of whole buckets, and of the rows at the edges. */
  #sketched(): Sql {
    const { distincts, pieces, query } = this.#plan;
    const size = (query.step ?? 0) * 1000;
    const params: SqlValue[] = [];
    const parts = pieces.map(({ step, from, to }) => {
      if (step !== 'transactions') {
        const time = this.#isStepped ? [`intDiv(time, ${size}) * ${size} AS t`] : [];
        return `SELECT ${[...time, ...distincts].join(', ')} FROM distinct_${step} WHERE time >= ${from} AND time < ${to}`;
      }
      const time = this.#isStepped ? [`intDiv(time, ${size}000000) * ${size} AS t`] : [];
      const made = distincts.map((name) => `uniqCombinedState(12)(${SKETCHED[name].from}) AS ${name}`);
      const range = whereOf(this.#plan.condition, from, to);
      params.push(...range.params);
      return `SELECT ${[...time, ...made].join(', ')} FROM transactions WHERE ${range.sql}${this.#isStepped ? ' GROUP BY t' : ''}`;
    });
    const merged = distincts.map((name) => `uniqCombinedMerge(12)(${name}) AS ${name}`);
    const by = this.#isStepped ? ' GROUP BY t' : '';
    return { sql: `SELECT ${[...this.#keys, ...merged].join(', ')} FROM (${parts.join(' UNION ALL ')})${by}`, params };
  }
}

/** The octets of an address, 4 or 16: what addresses are ordered by in every store. */
function octetsOf(address: string): string {
  const octets = `reinterpret(${address}, 'FixedString(16)')`;
  return `substring(${octets}, if(isIPAddressInRange(toString(${address}), '::ffff:0:0/96'), 13, 1))`;
}

function isMapped(octets: Uint8Array): boolean {
  return octets.length === 16 && octets.every((octet, i) => i >= 12 || octet === (i < 10 ? 0 : 0xff));
}

/** Transactions of rollups by latency. Edges of their buckets are up to 0.06 % below those of `latency_bucket`. */
function heatmap(source: string): string {
  const steps = 2 ** ROLLUP_PRECISION;
  const lower = `pow(2, intDiv(b - 1, ${steps})) * (1 + (b - 1) % ${steps} / ${steps})`;
  const key = `if(b > 0, toInt32(floor(log2(${lower} / 1e6) + 0.001)), NULL)`;
  return `SELECT time, ${key} AS latency_bucket, toInt64(n) AS transactions FROM
    (SELECT time, b, n ${source.replace(' WHERE ', ' ARRAY JOIN mapKeys(latency_histogram) AS b, mapValues(latency_histogram) AS n WHERE ')})
    UNION ALL SELECT time, NULL, transactions - latency_n ${source} AND transactions > latency_n`;
}

function textOf(value: SqlValue): string {
  if (value === null) return '';
  return value instanceof Uint8Array ? octetsText(value) : String(value);
}
