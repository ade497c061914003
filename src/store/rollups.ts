import type { Connection } from './duckdb.ts';
import {
  bucketSql,
  CUBE,
  DIMENSION_SQL,
  DISTRIBUTION,
  KEYED,
  type KeyedDimension,
  MEASURE_COLUMNS,
  ROLLUP_PRECISION,
} from './measures.ts';
import type { Parts, Place } from './parts.ts';
import { transaction } from './sql-transaction.ts';
import { ROLLUP_NAMES, ROLLUPS, rollupTable } from './schema.ts';
import { DISTRIBUTIONS } from './store.ts';

export type RollupTable = keyof typeof ROLLUPS;

/** Keys kept by bucket, the most frequent ones: one of a hundred rows, so that they take less room than the rows. */
const LEAST_KEYS = 200;
const MOST_KEYS: Readonly<Record<RollupTable, number>> = { minutes: 200, hours: 2000 };
const ROWS_OF_KEY = 100;
/** Minutes have keys only when they hold so many rows. */
export const MANY_ROWS = 10_000;
/** Of so many rows that are in no hour yet, those before this minute are taken: an hour of a flood would be too much at once. */
const MOST_WAITING = 2_000_000;
/** Rows are taken once younger ones by this much have come, ms: nearly all of their time are there. */
const LATENESS: Readonly<Record<RollupTable, number>> = { minutes: 10_000, hours: 60_000 };
/** What `until` is a multiple of: a minute fills in steps, so that little is left to be counted from the rows. */
const STEP: Readonly<Record<RollupTable, number>> = { minutes: 5000, hours: ROLLUPS.hours };

/**
 * What a rollup table holds: of the rows that had come at its last run (those before `place`) the ones before `until` (ms).
 * Everything else is only in the transactions.
 */
export interface RollupState {
  until: number;
  place: Place;
}

/** SQL that makes a rollup of rows: `source` has the columns of a transaction. */
export function rollupSql(table: RollupTable, source: string, keyed: boolean): string {
  const step = ROLLUPS[table];
  const bucket = `time // ${step * 1_000_000} * ${step}`;
  const histograms = DISTRIBUTIONS.map((name) => {
    const value = DISTRIBUTION[name].sql;
    return `histogram(${bucketSql(value, ROLLUP_PRECISION)}) FILTER (WHERE (${value}) IS NOT NULL)`;
  });
  const measures = [...MEASURE_COLUMNS.map(({ from }) => from), ...histograms].join(', ');
  const cube = Object.keys(CUBE);
  const nulls = Object.values(CUBE).map((type) => `NULL::${type}`);
  const parts = [
    `SELECT ${bucket}, 0::UTINYINT, NULL::BLOB, ${cube.join(', ')}, ${measures} FROM source GROUP BY ${bucket}, ${cube.join(', ')}`,
  ];
  const most = `least(${MOST_KEYS[table]}, greatest(${LEAST_KEYS}, sum(count(*)) OVER (PARTITION BY rollup_time) // ${ROWS_OF_KEY}))`;
  KEYED.forEach((name, k) => {
    if (!keyed) return;
    // The keys first, then their measures: histograms of every key would not fit into memory. No key sorts as empty.
    const key = `coalesce(${keyOf(name)}, ''::BLOB)`;
    const rows = `SELECT *, ${bucket} AS rollup_time, ${key} AS rollup_key FROM source`;
    const top = `SELECT rollup_time, rollup_key FROM (${rows}) GROUP BY rollup_time, rollup_key QUALIFY rollup_key = ''::BLOB OR row_number() OVER (PARTITION BY rollup_time ORDER BY count(*) DESC) <= ${most}`;
    parts.push(
      `SELECT rollup_time, ${k + 1}::UTINYINT, nullif(rollup_key, ''::BLOB), ${nulls.join(', ')}, ${measures} FROM (${rows}) SEMI JOIN (${top}) AS top USING (rollup_time, rollup_key) GROUP BY rollup_time, rollup_key`,
    );
  });
  return `WITH source AS NOT MATERIALIZED (${source}) ${parts.join(' UNION ALL ')}`;
}

function keyOf(name: KeyedDimension): string {
  return name === 'domain' ? `encode(${DIMENSION_SQL.domain})` : name;
}

/**
 * Brings a rollup table up to the rows before `end`. A row is taken once: when it has come, and
 * rows enough behind it.
 * The new state; `write` stores it in the same transaction.
 */
export async function rollUp(
  table: RollupTable,
  state: RollupState,
  { parts, connection, end, write }: RollupRun,
): Promise<RollupState> {
  const latest = parts.list.reduce((max, { last }) => Math.max(max, last), Number.NEGATIVE_INFINITY);
  const waiting = parts.rowsBetween(state.until, latest + 1);
  const step = table === 'hours' && waiting > MOST_WAITING ? ROLLUPS.minutes : STEP[table];
  const until = Number.isFinite(latest)
    ? Math.max(state.until, Math.floor((latest - LATENESS[table]) / step) * step)
    : state.until;
  const { place } = state;
  if (until === state.until && end.part === place.part && end.rows === place.rows) return state;
  const next = { until, place: end };
  const source = sourceOf(parts, state, next);
  // Minutes that have rows, not those since the last run: rows of many may have come at once.
  const found = await connection.one<{ n: number; minutes: number }>(
    `SELECT count(*) AS n, count(DISTINCT time // ${ROLLUPS.minutes * 1_000_000}) AS minutes FROM (${source})`,
  );
  const { n, minutes } = found ?? { n: 0, minutes: 0 };
  if (n > 0) {
    const keyed = table === 'hours' || n / minutes >= MANY_ROWS;
    await connection.run(`CREATE OR REPLACE TEMP TABLE rollup AS ${named(rollupSql(table, source, keyed))}`);
  }
  await transaction(connection, async () => {
    if (n > 0) {
      await connection.run(`INSERT INTO ${rollupTable(table, 0)} SELECT * FROM rollup WHERE kind = 0`);
      await connection.run(`INSERT INTO ${rollupTable(table, 1)} SELECT * FROM rollup WHERE kind > 0`);
    }
    await write(next);
  });
  return next;
}

interface RollupRun {
  parts: Parts;
  connection: Connection;
  end: Place;
  write(state: RollupState): Promise<void>;
}

/** Rows that the next state has and the last one has not. */
function sourceOf(parts: Parts, last: RollupState, next: RollupState): string {
  const before = `time < ${ns(next.until)}`;
  const sources = [`SELECT * FROM (${parts.sequence(last.place, next.place)}) WHERE ${before}`];
  if (next.until > last.until) {
    const since = `${before} AND time >= ${ns(last.until)}`;
    const seen = parts.between(last.until, next.until).filter(({ part }) => part < last.place.part);
    if (seen.length > 0) sources.push(`SELECT * FROM (${parts.source(seen)}) WHERE ${since}`);
    const here = { part: last.place.part, rows: 0 };
    sources.push(`SELECT * FROM (${parts.sequence(here, last.place)}) WHERE ${since}`);
  }
  return sources.join(' UNION ALL ');
}

/** The columns have the names of the table's. */
function named(sql: string): string {
  return `SELECT * FROM (${sql}) AS t(${ROLLUP_NAMES.join(', ')})`;
}

/** A time in ms as a number of nanoseconds, as SQL. */
export function ns(ms: number): string {
  return String(BigInt(Math.round(Math.max(-9.2e12, Math.min(9.2e12, ms)))) * 1_000_000n);
}
