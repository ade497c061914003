import type { Connection } from './duckdb.ts';
import { appendDistinct, appendRows } from './learning.ts';
import type { Learnt } from './ingest.ts';
import { MEASURE_COLUMNS, CUBE } from './measures.ts';
import type { Parts, Place } from './parts.ts';
import { appendSightings } from './passive-rows.ts';
import { type RollupState, rollUp } from './rollups.ts';
import { type Column, MISSING_COLUMNS, PASSIVE_COLUMNS, rollupTable, STRETCH_COLUMNS } from './schema.ts';
import { setMeta } from './setup.ts';
import { transaction } from './sql-transaction.ts';
import type { StretchCollector } from './stretches.ts';
import { DISTRIBUTIONS, type Retention } from './store.ts';

const LONG_AGO = -9e12;
const DAY_MS = 86_400_000;
/** Rows of passive DNS that wait before they are merged, and which part of all they may be. */
const PASSIVE_WAITING = 300_000;
/** Rows of rollups that are merged at once. */
const MERGED_ROWS = 20_000;

/** How far what is made of rows has come. */
export interface Progress {
  learnt: Place;
  /** The rows before it are in stretches. */
  sought: Place;
  minutes: RollupState;
  hours: RollupState;
}

export async function loadProgress(connection: Connection): Promise<Progress> {
  const kept = await connection.all<{ key: string; value: string }>(
    `SELECT key, value FROM meta WHERE key IN ('learnt', 'sought', 'minutes', 'hours')`,
  );
  const read = <T>(name: keyof Progress, start: T): T => {
    const text = kept.find(({ key }) => key === name)?.value;
    return text === undefined ? start : (JSON.parse(text) as T);
  };
  const place = { part: 1, rows: 0 };
  return {
    learnt: read('learnt', place),
    sought: read('sought', place),
    minutes: read('minutes', { until: LONG_AGO, place }),
    hours: read('hours', { until: LONG_AGO, place }),
  };
}

const MISSING = `CASE WHEN outcome = 1 THEN 0 WHEN rcode = 3 THEN 1 WHEN answer_kind = 1 THEN 2 WHEN rcode = 2 THEN 3
  WHEN rcode = 5 THEN 4 WHEN answer_kind = 4 THEN 5 END`;

/** What rows taught, and is not written yet. */
interface Lessons {
  learnt: readonly ReturnType<typeof takeLearnt>[];
  stretches: StretchCollector;
  /** No rows come behind these for a while: their stretch ends. */
  isEnd: boolean;
}

/** Writes what the rows before `end` taught since the last time. */
export async function learn(
  connection: Connection,
  parts: Parts,
  progress: Progress,
  { learnt, stretches, isEnd }: Lessons,
  end: Place,
): Promise<void> {
  const isWhole = isEnd || end.part > progress.sought.part;
  const ended = stretches.take(isWhole);
  const isSought = isWhole || ended.length > 0;
  const write = async () => {
    appendRows(
      connection,
      'stretches',
      STRETCH_COLUMNS,
      ended.map(({ first, last, held }) => [Math.floor(first), Math.floor(last), held]),
    );
    if (isSought) await setMeta(connection, 'sought', JSON.stringify(end));
    for (const { passive, distinct } of learnt) {
      appendSightings(connection, passive);
      appendDistinct(connection, distinct);
    }
    await connection.run(
      `INSERT INTO missing_new SELECT name, type, (${MISSING})::UTINYINT AS kind, min(time) // 1000000, max(time) // 1000000, count(*)
       FROM (${parts.sequence(progress.learnt, end)}) WHERE name <> '' AND protocol = 0 AND kind IS NOT NULL GROUP BY ALL`,
    );
    await setMeta(connection, 'learnt', JSON.stringify(end));
  };
  await transaction(connection, write).catch((error: unknown) => {
    stretches.putBack(ended);
    throw error;
  });
  for (const { passive } of learnt) {
    passive.keys.free();
    passive.texts.buffer.transfer(0);
  }
  progress.learnt = end;
  if (isSought) progress.sought = end;
}

/** Brings rollups up to what was learnt of. */
export async function bringRollups(connection: Connection, parts: Parts, progress: Progress): Promise<void> {
  const end = progress.learnt;
  for (const table of ['minutes', 'hours'] as const) {
    progress[table] = await rollUp(table, progress[table], {
      parts,
      connection,
      end,
      write: (state) => setMeta(connection, table, JSON.stringify(state)),
    });
  }
}

/** Takes what was collected of rows; the collectors are empty again. */
export function takeLearnt({ passive, distinct }: Learnt) {
  return { passive: passive.take(), distinct: distinct.take() };
}

/** Merges the rows of passive DNS and of missing names that came since the last time. */
export async function mergePassive(connection: Connection, always: boolean): Promise<boolean> {
  const count = async (table: string) =>
    (await connection.one<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))?.n ?? 0;
  const waiting = await count('passive_new');
  const missing = await count('missing_new');
  if (waiting + missing === 0) return false;
  if (
    !always &&
    waiting + missing < Math.max(PASSIVE_WAITING, ((await count('passive')) + (await count('missing'))) / 4)
  ) {
    return false;
  }
  // One view of everything: what is learnt meanwhile stays in the tables of what is new. Made beside, then put in place at
  // once: until then nothing is written, and a checkpoint has to wait for nobody.
  const columns = (list: readonly Column[]) => list.map(({ name, type }) => `${name}::${type} AS ${name}`).join(', ');
  const sums = 'min(first) AS first, max(last) AS last, sum(count) AS count';
  const key = 'reversed, type, data, prefix, suffix';
  await transaction(connection, async () => {
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE merged_passive AS SELECT ${columns(PASSIVE_COLUMNS)} FROM (SELECT ${key},
     min(cnames) AS cnames, arg_min(sensor, first) AS sensor, ${sums} FROM (SELECT * FROM passive UNION ALL
     SELECT * FROM passive_new) GROUP BY ${key}) ORDER BY ${key}`,
    );
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE merged_missing AS SELECT ${columns(MISSING_COLUMNS)} FROM (SELECT name, type, kind, ${sums}
     FROM (SELECT * FROM missing UNION ALL SELECT * FROM missing_new) GROUP BY name, type, kind) ORDER BY name, type`,
    );
    for (const table of ['passive', 'missing']) {
      await connection.run(`DROP TABLE ${table}`);
      await connection.run(`CREATE TABLE ${table} AS SELECT * FROM merged_${table}`);
      await connection.run(`DELETE FROM ${table}_new`);
    }
  });
  await connection.run('DROP TABLE merged_passive');
  await connection.run('DROP TABLE merged_missing');
  return true;
}

/** Merges rows of one bucket and key that several writes made. */
export async function mergeRollups(connection: Connection): Promise<void> {
  for (const table of ['minutes', 'hours'] as const) {
    for (const kind of [0, 1]) await mergeRollup(connection, rollupTable(table, kind));
  }
}

/** A few buckets at a time: histograms take memory. */
async function mergeRollup(connection: Connection, table: string): Promise<void> {
  const rest = ['kind', 'key', ...Object.keys(CUBE)].join(', ');
  const repeated = `SELECT time FROM (SELECT time, hash(${rest}) AS h FROM ${table}) GROUP BY time, h HAVING count(*) > 1`;
  const times = await connection.all<{ time: number; n: number }>(
    `SELECT time, count(*) AS n FROM ${table} WHERE time IN (${repeated}) GROUP BY time ORDER BY time`,
  );
  for (let from = 0; from < times.length; ) {
    let rows = 0;
    let to = from;
    while (to < times.length && (to === from || rows + times[to].n <= MERGED_ROWS)) rows += times[to++].n;
    await mergeBuckets(
      connection,
      table,
      times.slice(from, to).map(({ time }) => time),
    );
    from = to;
  }
}

async function mergeBuckets(connection: Connection, table: string, times: readonly number[]): Promise<void> {
  const keys = ['time', 'kind', 'key', ...Object.keys(CUBE)].join(', ');
  const these = `time IN (${times.join(', ')})`;
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE once AS SELECT *, hash(${keys}) AS h FROM ${table} WHERE ${these}`,
  );
  const merged = MEASURE_COLUMNS.map(({ name, merge }) => `${merge} AS ${name}`).join(', ');
  for (const name of DISTRIBUTIONS) {
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE merged_${name} AS SELECT h, map(list(b), list(n)) AS m FROM (
       SELECT h, b, sum(n)::UBIGINT AS n FROM (SELECT h, unnest(map_keys(${name}_histogram)) AS b, unnest(map_values(${name}_histogram)) AS n FROM once)
       GROUP BY h, b) GROUP BY h`,
    );
  }
  const joins = DISTRIBUTIONS.map((name) => `LEFT JOIN merged_${name} ON merged_${name}.h = t.h`).join(' ');
  const maps = DISTRIBUTIONS.map((name) => `merged_${name}.m`).join(', ');
  await transaction(connection, async () => {
    await connection.run(`DELETE FROM ${table} WHERE ${these}`);
    await connection.run(
      `INSERT INTO ${table} SELECT t.* EXCLUDE (h), ${maps} FROM (SELECT ${keys}, ${merged}, h FROM once GROUP BY ${keys}, h) AS t ${joins}`,
    );
  });
}

/** Of the rows before this time in parts before this one all that is made of rows is made. */
function countedTo({ learnt, sought, minutes, hours }: Progress): { part: number; until: number } {
  return {
    part: Math.min(learnt.part, sought.part, minutes.place.part, hours.place.part),
    until: Math.min(minutes.until, hours.until),
  };
}

/** Gives up what is too old, and the oldest transactions while there are too many bytes; how many transactions went. */
export async function retain(
  connection: Connection,
  parts: Parts,
  retention: Retention,
  now: number,
  progress: Progress,
): Promise<number> {
  const before = (days: number | undefined) => (days === undefined || days <= 0 ? undefined : now - days * DAY_MS);
  const old = async (table: string, column: string, time: number | undefined, more = '') => {
    if (time !== undefined) await connection.run(`DELETE FROM ${table} WHERE ${column} < ?${more}`, [Math.floor(time)]);
  };
  for (const kind of [0, 1]) {
    await old(rollupTable('minutes', kind), 'time', before(retention.minutesDays));
    await old(rollupTable('hours', kind), 'time', before(retention.hoursDays));
  }
  await old('distinct_counts', 'time', before(retention.minutesDays), ' AND step = 60');
  await old('distinct_counts', 'time', before(retention.hoursDays), ' AND step = 3600');
  for (const table of ['passive', 'passive_new', 'missing', 'missing_new']) {
    await old(table, 'last', before(retention.passiveDays));
  }
  await old('records', 'time', before(retention.recordsDays), ` AND kind IN ('alerts', 'probes', 'audit', 'ledger')`);
  let dropped = 0;
  const oldest = before(retention.transactionsDays);
  const most = retention.maxBytes ?? 0;
  const counted = retention.countsOnly === true ? countedTo(progress) : { part: 0, until: 0 };
  for (const part of parts.list) {
    if (part.kind === 'open') continue;
    // Rows of an imported file are as old as their import.
    const isOld = oldest !== undefined && Math.max(part.last, part.added) < oldest;
    const isCounted = part.part < counted.part && part.last < counted.until;
    if (!isOld && !isCounted && (most <= 0 || (await usedBytes(connection, parts)) <= most)) continue;
    dropped += part.rows;
    await parts.drop(part, connection);
  }
  if (dropped > 0) await old('stretches', 'last', Math.min(now, parts.heldFrom));
  return dropped;
}

/** Bytes of files, without what is free in the database's: it is used again. Blocks of dropped tables are free after a checkpoint. */
async function usedBytes(connection: Connection, parts: Parts): Promise<number> {
  await connection.run('CHECKPOINT').catch(() => {});
  const size = await connection.one<{ bytes: number }>(
    'SELECT (used_blocks * block_size)::BIGINT AS bytes FROM pragma_database_size()',
  );
  return (size?.bytes ?? 0) + parts.fileBytes;
}

/** Moves parts to Parquet that are older than `hours`, once all that is made of their rows is. */
export async function ageParts(
  connection: Connection,
  parts: Parts,
  progress: Progress,
  hours: number,
  now: number,
): Promise<void> {
  const needed = countedTo(progress).part;
  for (const part of parts.list) {
    if (part.part >= needed) break;
    if (part.kind !== 'table' || part.last > now - hours * 3_600_000) continue;
    await parts.age(part, connection);
  }
}
