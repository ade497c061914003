import { type BucketSource, keysSql } from './keys.ts';
import { CUBE } from '../measures.ts';
import { mergeCells, type RollupCell } from '../rollup-collector.ts';
import { ROLLUPS } from '../schema.ts';
import { ns } from '../rollups.ts';
import { sketchFrom } from '../distinct.ts';
import { COUNTS, DISTRIBUTIONS, type Retention } from '../store.ts';
import { type Days, OTHER } from './days.ts';
import { insertRows, mergeSketches, rollupRows, sketchRows } from './flush.ts';
import { inTransaction, type PostgresSession } from './session.ts';

const DAY_MS = 86_400_000;
/** One keeper at a time, of any number of ours. */
const LOCK = 0x6e_74_02;
/** Rows of passive DNS that wait before they are merged. */
const PASSIVE_WAITING = 50_000;
/** Buckets of time whose rows become one at once. */
const MERGED_BUCKETS = 100;
/** An hour is counted by key once it has been over for so long. */
const HOUR_OVER_MS = 120_000;
const HOURS_AT_ONCE = 24;
/** A token is remembered for so long. */
const TOKEN_DAYS = 14;
const LOCK_TIMEOUT = '5s';

/** What upkeep works on. */
export interface Upkeep {
  session: PostgresSession;
  days: Days;
  retention: Retention;
  now: number;
  /** Everything, whether much or little. */
  all: boolean;
}

/** Partitions ahead, retention, merging, counts by key. Only one of many does it; how many transactions were given up. */
export async function keepUp(work: Upkeep): Promise<number> {
  const { session, days, now, all } = work;
  const lock = all ? 'pg_advisory_lock' : 'pg_try_advisory_lock';
  const got = await session.one<{ got: boolean | string }>(`SELECT ${lock}(${LOCK}) AS got`);
  if (got?.got === false) return 0;
  try {
    await session.run('SET statement_timeout = 0');
    await days.makeAhead(session, now);
    await summarize(session, now);
    await mergePassive(session, all);
    await mergeRollups(work);
    await countKeys(work);
    await session.run('DELETE FROM batches WHERE time < ?', [now - TOKEN_DAYS * DAY_MS]);
    return await retain(work);
  } finally {
    await session.run('RESET statement_timeout');
    await session.run(`SELECT pg_advisory_unlock(${LOCK})`);
  }
}

/** BRIN indexes know the pages that were filled since; until then every question reads them. */
async function summarize(session: PostgresSession, now: number): Promise<void> {
  await session.run(
    `SELECT brin_summarize_new_values(indexrelid) FROM (SELECT DISTINCT i.indexrelid FROM days d
       JOIN pg_class t ON t.relname = d.partition AND t.relnamespace = current_schema()::regnamespace
       JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
       WHERE a.amname = 'brin' AND d.added > ?) AS filled`,
    [now - 10 * 60_000],
  );
}

/** Rows of passive DNS and of missing names that came since the last time become one with those of their key. */
async function mergePassive(session: PostgresSession, always: boolean): Promise<void> {
  if (!always) {
    const waiting = await session.one<{ n: number }>(
      `SELECT (SELECT count(*) FROM passive_new) + (SELECT count(*) FROM missing_new) AS n`,
    );
    if ((waiting?.n ?? 0) < PASSIVE_WAITING) return;
  }
  const key = 'reversed, type, data, prefix, suffix';
  await session.run(`WITH gone AS (DELETE FROM passive_new RETURNING *),
    sums AS (SELECT md5(concat_ws(chr(1), ${key}))::uuid AS id, ${key}, min(cnames) AS cnames,
      (array_agg(sensor ORDER BY first))[1] AS sensor, min(first) AS first, max(last) AS last, sum(count)::bigint AS count
      FROM gone GROUP BY ${key})
    INSERT INTO passive AS p SELECT * FROM sums ORDER BY id ON CONFLICT (id) DO UPDATE SET
      cnames = least(p.cnames, excluded.cnames), first = least(p.first, excluded.first), last = greatest(p.last, excluded.last),
      sensor = CASE WHEN excluded.first < p.first THEN excluded.sensor ELSE p.sensor END, count = p.count + excluded.count`);
  await session.run(`WITH gone AS (DELETE FROM missing_new RETURNING *),
    sums AS (SELECT name, type, kind, min(first) AS first, max(last) AS last, sum(count)::bigint AS count FROM gone GROUP BY name, type, kind)
    INSERT INTO missing AS m SELECT * FROM sums ORDER BY name, type, kind ON CONFLICT (name, type, kind) DO UPDATE SET
      first = least(m.first, excluded.first), last = greatest(m.last, excluded.last), count = m.count + excluded.count`);
}

/** Days that rows came to lately, as a condition on the time of a bucket (ms). */
async function touched({ session, now, all }: Upkeep): Promise<string> {
  if (all) return 'true';
  const rows = await session.all<{ day: number }>('SELECT day FROM days WHERE added > ?', [now - 10 * 60_000]);
  return rows.length === 0
    ? 'false'
    : `(${rows.map(({ day }) => `(time >= ${day * DAY_MS} AND time < ${(day + 1) * DAY_MS})`).join(' OR ')})`;
}

/** Rows of one bucket and key that several writes made become one; likewise sketches. */
async function mergeRollups(work: Upkeep): Promise<void> {
  const { session } = work;
  const where = await touched(work);
  const cube = Object.keys(CUBE).join(', ');
  for (const table of ['minutes', 'hours'] as const) {
    await inParts(
      session,
      `SELECT time FROM ${table} WHERE ${where} GROUP BY time HAVING count(*) > count(DISTINCT (${cube})) ORDER BY time`,
      async (times) => {
        const rows = await session.all<RollupRow>(`DELETE FROM ${table} WHERE time IN (${times}) RETURNING *`);
        await insertRows(session, table, rollupRows(mergeCells(rows.map(cellOf), ROLLUPS[table])));
      },
    );
  }
  for (const step of [60, 3600]) {
    const several = `SELECT time FROM distinct_counts WHERE step = ${step} AND ${where} GROUP BY time HAVING count(*) > count(DISTINCT what) ORDER BY time`;
    await inParts(session, several, async (times) => {
      const rows = await session.all<{ time: number; what: number; sketch: Uint8Array }>(
        `DELETE FROM distinct_counts WHERE step = ${step} AND time IN (${times}) RETURNING time, what, sketch`,
      );
      const sketches = rows.map(({ time, what, sketch }) => ({ time, step, what, sketch: sketchFrom(sketch) }));
      await insertRows(session, 'distinct_counts', sketchRows(mergeSketches(sketches)));
    });
  }
}

async function inParts(session: PostgresSession, sql: string, run: (times: string) => Promise<void>): Promise<void> {
  const times = (await session.all<{ time: number }>(sql)).map(({ time }) => time);
  for (let from = 0; from < times.length; from += MERGED_BUCKETS) {
    const part = times.slice(from, from + MERGED_BUCKETS).join(', ');
    await inTransaction(session, () => run(part));
  }
}

type RollupRow = Record<string, number | bigint | string | null>;

/** A row of `minutes` or `hours` as a cell again. */
function cellOf(row: RollupRow): RollupCell {
  const numbers = (text: unknown) => (String(text) === '{}' ? [] : String(text).slice(1, -1).split(',').map(Number));
  const optional = (value: unknown) => (value === null ? null : Number(value));
  const distributions = DISTRIBUTIONS.map((name) => [
    name,
    {
      n: Number(row[`${name}_n`]),
      sum: BigInt(row[`${name}_sum`] ?? 0),
      squares: BigInt(row[`${name}_squares`] ?? 0),
      min: optional(row[`${name}_min`]),
      max: optional(row[`${name}_max`]),
      buckets: numbers(row[`${name}_buckets`]),
      counts: numbers(row[`${name}_counts`]),
    },
  ]);
  return {
    time: Number(row.time),
    cube: Object.fromEntries(Object.keys(CUBE).map((name) => [name, row[name]])) as RollupCell['cube'],
    counts: Object.fromEntries(COUNTS.map((name) => [name, Number(row[name])])) as RollupCell['counts'],
    distributions: Object.fromEntries(distributions) as RollupCell['distributions'],
  };
}

/** Counts the keys of hours that are over and whose transactions are not those that were counted last. */
async function countKeys({ session, days, now, all }: Upkeep): Promise<void> {
  await days.load(session, true);
  const held = Number.isFinite(days.heldFrom) ? ` AND h.time >= ${days.heldFrom}` : '';
  // A history that is being read in is counted once it is there.
  const quiet = all
    ? ''
    : ` AND (h.time > ${now - 2 * DAY_MS} OR EXISTS (SELECT 1 FROM days d WHERE d.day = h.time / ${DAY_MS} AND d.added < ${now - HOUR_OVER_MS}))`;
  const open = await session.all<{ time: number }>(
    `SELECT h.time FROM (SELECT time, sum(transactions)::bigint AS n FROM hours GROUP BY time) h LEFT JOIN counted_hours c ON c.time = h.time
     WHERE c.transactions IS DISTINCT FROM h.n AND h.time <= ${now - ROLLUPS.hours - HOUR_OVER_MS}${held}${quiet}
     ORDER BY h.time DESC${all ? '' : ` LIMIT ${HOURS_AT_ONCE}`}`,
  );
  for (const { time } of open) {
    const source: BucketSource = { from: ns(time), to: ns(time + ROLLUPS.hours), time };
    await session.run('BEGIN ISOLATION LEVEL REPEATABLE READ');
    try {
      await session.run('DELETE FROM hours_by_key WHERE time = ?', [time]);
      for (const statement of keysSql(source)) await session.run(statement);
      await session.run(
        `INSERT INTO counted_hours SELECT time, sum(transactions)::bigint FROM hours WHERE time = ? GROUP BY time
         ON CONFLICT (time) DO UPDATE SET transactions = excluded.transactions`,
        [time],
      );
      await session.run('COMMIT');
    } catch (error) {
      await session.run('ROLLBACK');
      throw error;
    }
  }
}

/** Gives up what is too old, and the oldest days while there are too many bytes; how many transactions went. */
async function retain({ session, days, retention, now }: Upkeep): Promise<number> {
  const before = (many: number | undefined) =>
    many === undefined || many <= 0 ? undefined : Math.floor(now - many * DAY_MS);
  const old = async (table: string, column: string, time: number | undefined, more = '') => {
    if (time !== undefined) await session.run(`DELETE FROM ${table} WHERE ${column} < ?${more}`, [time]);
  };
  await old('minutes', 'time', before(retention.minutesDays));
  for (const table of ['hours', 'hours_by_key', 'counted_hours']) await old(table, 'time', before(retention.hoursDays));
  await old('distinct_counts', 'time', before(retention.minutesDays), ' AND step = 60');
  await old('distinct_counts', 'time', before(retention.hoursDays), ' AND step = 3600');
  for (const table of ['passive', 'missing']) await old(table, 'last', before(retention.passiveDays));
  await old('records', 'time', before(retention.recordsDays), ` AND kind IN ('alerts', 'probes', 'audit', 'ledger')`);
  await days.load(session, true);
  const oldest = before(retention.transactionsDays);
  const most = retention.maxBytes ?? 0;
  let dropped = 0;
  for (const { day, partition, rows, last, added } of days.list) {
    // Rows of an imported file are as old as their import.
    const isOld = oldest !== undefined && Math.max(last, added) < oldest;
    if (!isOld && (most <= 0 || (await usedBytes(session)) <= most || day * DAY_MS >= now - DAY_MS)) continue;
    await dropDay(session, day, partition);
    days.dropped(partition);
    dropped += rows;
  }
  if (retention.countsOnly === true) dropped += await dropCounted(session, days.heldFrom);
  days.forget();
  return dropped;
}

/** A whole day at once: nothing is deleted row by row, but where a day has no table of its own. */
async function dropDay(session: PostgresSession, day: number, partition: string): Promise<void> {
  const end = (day + 1) * DAY_MS;
  await inTransaction(session, async () => {
    await session.run(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    if (partition === OTHER) {
      await session.run(`DELETE FROM ${OTHER} WHERE time >= ${ns(day * DAY_MS)} AND time < ${ns(end)}`);
    } else await session.run(`DROP TABLE IF EXISTS ${partition}`);
    await session.run('DELETE FROM days WHERE day = ?', [day]);
    await holdFrom(session, end);
  });
}

async function holdFrom(session: PostgresSession, time: number): Promise<void> {
  await session.run(
    `INSERT INTO meta AS m VALUES ('held_from', ?) ON CONFLICT (key) DO UPDATE SET value = greatest(m.value::bigint, excluded.value::bigint)::text`,
    [String(time)],
  );
}

/** Rollups are all that is kept: rows go once their hour is counted by key. */
async function dropCounted(session: PostgresSession, heldFrom: number): Promise<number> {
  // Hours before `heldFrom` are not counted again: rows that came late must not hold up those behind them.
  const held = Number.isFinite(heldFrom) ? ` AND h.time >= ${heldFrom}` : '';
  const seen = await session.one<{ until: number | null }>(
    `SELECT min(h.time) AS until FROM (SELECT time, sum(transactions) AS n FROM hours GROUP BY time) h LEFT JOIN counted_hours c
     ON c.time = h.time AND c.transactions = h.n WHERE c.time IS NULL${held}`,
  );
  const newest = await session.one<{ end: number | null }>('SELECT max(time) + 3600000 AS end FROM counted_hours');
  const until = seen?.until ?? newest?.end;
  if (until === null || until === undefined) return 0;
  return inTransaction(session, async () => {
    const gone = await session.run(`DELETE FROM transactions WHERE time < ${ns(until)}`);
    await session.run(`UPDATE days SET rows = 0 WHERE last < ?`, [until]);
    await session.run(
      `UPDATE days SET rows = (SELECT count(*) FROM transactions t WHERE t.time >= day * 86400000000000 AND t.time < (day + 1) * 86400000000000),
       first = greatest(first, ?) WHERE last >= ? AND first < ?`,
      [until, until, until],
    );
    await holdFrom(session, until);
    return gone;
  });
}

/** Bytes of all tables and indexes of ours. */
export async function usedBytes(session: PostgresSession): Promise<number> {
  const row = await session.one<{ bytes: number }>(
    `SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint AS bytes FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'm')`,
  );
  return row?.bytes ?? 0;
}
