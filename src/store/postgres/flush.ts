import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { ANSWER_KINDS, OUTCOMES, type TransactionBatch } from '../../core/transactions.ts';
import { DNS } from '../../core/carrier.ts';
import type { Cardinality } from '../../sketch/cardinality.ts';
import { DistinctCollector, sketchFrom, sketchOctets } from '../distinct.ts';
import { CUBE } from '../measures.ts';
import { PassiveCollector } from '../passive-delta.ts';
import { mergeCells, type RollupCell, RollupCollector } from '../rollup-collector.ts';
import { AT } from '../row-columns.ts';
import type { RowEncoder } from '../row-encoder.ts';
import { PASSIVE_COLUMNS, ROLLUPS } from '../schema.ts';
import { writeSightings } from '../sighting-rows.ts';
import { COUNTS, DISTRIBUTIONS } from '../store.ts';
import { POSTGRES_COLUMNS } from './columns.ts';
import { CopyWriter } from './copy-writer.ts';
import { dayOf, type Days, OTHER } from './days.ts';
import type { PostgresSession } from './session.ts';

const PASSIVE = PASSIVE_COLUMNS.map((column, at) => ({ ...column, at }));
/** Different (name, type, kind) without answer that are collected at once. */
const MOST_MISSING = 100_000;
const UNANSWERED = OUTCOMES.indexOf('unanswered');
const NODATA = ANSWER_KINDS.indexOf('nodata');
const ERROR = ANSWER_KINDS.indexOf('error');
const latin1 = new TextDecoder('latin1');

interface Missing {
  name: string;
  type: number;
  kind: number;
  first: number;
  last: number;
  count: number;
}

/** Days with a writer of their own; rows of further ones are sorted out by the database. */
const MOST_WRITERS = 16;
const MIXED = Number.NaN;

/** What a day gets. */
interface Stretch {
  rows: number;
  first: number;
  last: number;
}

/** Rows as they are copied, and the rest of a transaction of the database: made once, written until it is in. */
interface Made {
  days: [number, Stretch][];
  copies: { day: number; blocks: Uint8Array[] }[];
  minutes: string;
  hours: string;
  distinct: string;
  passive: { rows: number; blocks: Uint8Array[] };
  missing: string;
}

/** What is written in one transaction: rows, and all that is made of them. */
export class Flush {
  /** What it was written under: who finds it in `batches` has been here before. */
  readonly token: string;
  /** A token from outside: its batches belong together. */
  readonly isNamed: boolean;
  rows = 0;
  /** When its first row came, by `performance.now()`. */
  readonly since = performance.now();
  readonly #days = new Map<number, Stretch>();
  readonly #writers = new Map<number, CopyWriter>();
  readonly #cube = new RollupCollector();
  readonly #passive = new PassiveCollector();
  readonly #distinct = new DistinctCollector();
  readonly #missing = new Map<string, Missing>();
  #made: Made | undefined;

  constructor(token: string | undefined) {
    this.isNamed = token !== undefined;
    this.token = token ?? randomUUID();
  }

  /** It holds as much as is good. */
  get full(): boolean {
    return this.#cube.full || this.#passive.full || this.#distinct.full || this.#missing.size >= MOST_MISSING;
  }

  /** Where rows of a day go. */
  writerOf(day: number): CopyWriter {
    const key = this.#writers.has(day) || this.#writers.size < MOST_WRITERS ? day : MIXED;
    let writer = this.#writers.get(key);
    if (writer === undefined) this.#writers.set(key, (writer = new CopyWriter(POSTGRES_COLUMNS)));
    return writer;
  }

  /** Learns of row `i`, which `encoder` has just written to `row` of the writer of its day; `ms`: its time. */
  learn(
    batch: TransactionBatch,
    i: number,
    encoder: RowEncoder,
    writer: CopyWriter,
    row: number,
    ms: number,
    sensor: string,
  ): void {
    const c = batch.col;
    this.rows++;
    const day = dayOf(ms);
    const stretch = this.#days.get(day);
    if (stretch === undefined) this.#days.set(day, { rows: 1, first: ms, last: ms });
    else {
      stretch.rows++;
      if (ms < stretch.first) stretch.first = ms;
      if (ms > stretch.last) stretch.last = ms;
    }
    const ttl = writer.isNull(AT.ttl_min, row) ? null : (writer.numbers[AT.ttl_min][row] as number);
    this.#cube.add(batch, i, writer, row, ms, ttl, sensor);
    this.#distinct.add(batch, i, encoder, Math.floor(ms / 60_000));
    if (c.protocol[i] !== DNS) return;
    if (encoder.hasResponse) this.#passive.add(encoder.response, ms, sensor);
    const kind = missingKind(c.outcome[i], c.rcode[i], c.answerKind[i]);
    if (kind >= 0 && encoder.name.textLength > 0) this.#miss(encoder, c.type[i], kind, ms);
  }

  #miss({ name }: RowEncoder, type: number, kind: number, ms: number): void {
    const text = latin1.decode(name.text.subarray(0, name.textLength));
    const key = `${kind} ${type} ${text}`;
    const known = this.#missing.get(key);
    const time = Math.floor(ms);
    if (known === undefined) this.#missing.set(key, { name: text, type, kind, first: time, last: time, count: 1 });
    else {
      known.first = Math.min(known.first, time);
      known.last = Math.max(known.last, time);
      known.count++;
    }
  }

  #make(): Made {
    const minutes = this.#cube.take();
    const passive = new CopyWriter(PASSIVE);
    writeSightings(this.#passive.take(), passive, () => {
      if (passive.full) passive.flush();
    });
    const made = {
      days: [...this.#days],
      copies: [...this.#writers].map(([day, writer]) => ({ day, blocks: writer.take().blocks })),
      minutes: rollupRows(minutes),
      hours: rollupRows(mergeCells(minutes, ROLLUPS.hours)),
      distinct: distinctRows(this.#distinct.take()),
      passive: passive.take(),
      missing: JSON.stringify([...this.#missing.values()]),
    };
    this.#days.clear();
    this.#writers.clear();
    this.#missing.clear();
    return made;
  }

  /** Writes all of it in one transaction; false when it had been written before. May be called again after an error. */
  async write(session: PostgresSession, days: Days): Promise<boolean> {
    const made = (this.#made ??= this.#make());
    // Tables first: they are made in transactions of their own.
    const targets = new Map<number, string>();
    for (const { day } of made.copies) {
      targets.set(day, Number.isNaN(day) ? 'transactions' : await days.partitionFor(session, day));
    }
    await session.run('BEGIN');
    try {
      // Much may wait behind a busy disk; nobody gives these rows up.
      await session.run('SET LOCAL statement_timeout = 0');
      const isNew = await session.run('INSERT INTO batches VALUES (?, ?) ON CONFLICT DO NOTHING', [
        this.token,
        Date.now(),
      ]);
      if (isNew === 0) {
        await session.run('ROLLBACK');
        return false;
      }
      for (const { day, blocks } of made.copies) await copy(session, targets.get(day) ?? OTHER, blocks);
      if (made.passive.rows > 0) await copy(session, 'passive_new', made.passive.blocks);
      for (const table of ['minutes', 'hours'] as const) await insertRows(session, table, made[table]);
      await insertRows(session, 'distinct_counts', made.distinct);
      await insertRows(session, 'missing_new', made.missing);
      for (const [day, { rows, first, last }] of made.days) {
        await session.run(
          `INSERT INTO days AS d VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (day) DO UPDATE SET rows = d.rows + excluded.rows,
           first = least(d.first, excluded.first), last = greatest(d.last, excluded.last), added = greatest(d.added, excluded.added)`,
          [day, targets.get(day) ?? OTHER, rows, Math.floor(first), Math.floor(last), Date.now()],
        );
      }
      await session.run('COMMIT');
      days.forget();
      return true;
    } catch (error) {
      await session.run('ROLLBACK').catch(() => {});
      throw error;
    }
  }
}

/** Index into MISSING_KINDS; −1 where there was an answer. */
function missingKind(outcome: number, rcode: number, answerKind: number): number {
  if (outcome === UNANSWERED) return 0;
  if (rcode === 3) return 1;
  if (answerKind === NODATA) return 2;
  if (rcode === 2) return 3;
  if (rcode === 5) return 4;
  return answerKind === ERROR ? 5 : -1;
}

async function copy(session: PostgresSession, table: string, blocks: Uint8Array[]): Promise<void> {
  const stream = session.client.query(copyFrom(`COPY ${table} FROM STDIN (FORMAT binary)`));
  await pipeline(Readable.from(blocks), stream);
}

/** Few rows, as JSON: an array of objects with the table's columns. */
export async function insertRows(session: PostgresSession, table: string, json: string): Promise<void> {
  if (json === '[]') return;
  await session.run(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, ?)`, [json]);
}

/** Rows of `minutes` or `hours`. */
export function rollupRows(cells: readonly RollupCell[]): string {
  return JSON.stringify(
    cells.map(({ time, cube, counts, distributions }) => {
      const row: Record<string, unknown> = { time };
      for (const name of Object.keys(CUBE) as (keyof typeof CUBE)[]) row[name] = cube[name];
      for (const name of COUNTS) row[name] = counts[name];
      for (const name of DISTRIBUTIONS) {
        const { n, sum, squares, min, max, buckets, counts: often } = distributions[name];
        Object.assign(row, {
          [`${name}_n`]: n,
          [`${name}_sum`]: String(sum),
          [`${name}_squares`]: String(squares),
          [`${name}_min`]: min,
          [`${name}_max`]: max,
          [`${name}_buckets`]: buckets,
          [`${name}_counts`]: often,
        });
      }
      return row;
    }),
  );
}

interface SketchRow {
  time: number;
  step: number;
  what: number;
  sketch: Cardinality;
}

/** Rows of `distinct_counts`, by minute and by hour. */
function distinctRows(minutes: readonly { time: number; what: number; sketch: Cardinality }[]): string {
  const rows: SketchRow[] = minutes.flatMap((row) => [
    { ...row, step: 60 },
    { ...row, step: 3600, time: Math.floor(row.time / ROLLUPS.hours) * ROLLUPS.hours },
  ]);
  return sketchRows(mergeSketches(rows));
}

/** Sketches of one bucket become one. */
export function mergeSketches(rows: Iterable<SketchRow>): SketchRow[] {
  const merged = new Map<string, SketchRow>();
  for (const row of rows) {
    const key = `${row.time} ${row.step} ${row.what}`;
    const sum = merged.get(key);
    // Not the collector's own: it is counted twice, by minute and by hour.
    if (sum === undefined) merged.set(key, { ...row, sketch: sketchFrom(sketchOctets(row.sketch)) });
    else sum.sketch.merge(row.sketch);
  }
  return [...merged.values()];
}

export function sketchRows(rows: readonly SketchRow[]): string {
  return JSON.stringify(
    rows.map(({ sketch, ...row }) => ({ ...row, sketch: `\\x${Buffer.from(sketchOctets(sketch)).toString('hex')}` })),
  );
}
