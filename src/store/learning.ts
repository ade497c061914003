import type { Cardinality } from '../sketch/cardinality.ts';
import { addressHalves } from './addresses.ts';
import { sketchFrom, sketchOctets } from './distinct.ts';
import { ChunkWriter } from './chunk-writer.ts';
import type { Connection } from './duckdb.ts';
import { reversedName } from './passive-names.ts';
import { type ColumnType, DISTINCT_COLUMNS, PASSIVE_COLUMNS } from './schema.ts';
import { transaction } from './sql-transaction.ts';

const utf8 = new TextEncoder();
const NO_ADDRESS = { prefix: 0n, suffix: 0n };

type Cell = string | number | bigint | Uint8Array;

/** Rows of plain values into a table, within the transaction at hand. */
export function appendRows(
  connection: Connection,
  table: string,
  columns: readonly { name: string; type: ColumnType }[],
  rows: Iterable<readonly Cell[]>,
): void {
  const writer = new ChunkWriter(columns);
  const appender = connection.appender(table);
  try {
    for (const row of rows) {
      row.forEach((value, k) => {
        if (typeof value === 'string') {
          const bytes = utf8.encode(value);
          writer.string(k, bytes, 0, bytes.length);
        } else if (typeof value === 'object') writer.string(k, value, 0, value.length);
        else if (columns[k].type === 'BIGINT' || columns[k].type === 'UBIGINT') {
          writer.numbers[k][writer.count] = BigInt(value);
        } else writer.numbers[k][writer.count] = Number(value);
      });
      writer.count++;
      if (writer.full) writer.flush(appender);
    }
    writer.flush(appender);
  } finally {
    appender.close();
  }
}

/** What was seen of (name, type, rdata) elsewhere. */
export interface PassiveDelta {
  /** Folded, as `storedName` has it. */
  name: string;
  type: number;
  data: string;
  /** Octets where it is an address: `data` is not needed then. */
  address: Uint8Array | null;
  /** Aliases from the name to the record's owner. */
  cnames: readonly string[] | null;
  sensor: string;
  /** ms. */
  first: number;
  last: number;
  count: number;
}

/** What is imported, as rows of `passive_new`. */
export function appendPassive(connection: Connection, rows: readonly PassiveDelta[]): void {
  appendRows(connection, 'passive_new', PASSIVE_COLUMNS, passiveCells(rows));
}

/** One row at a time: all of them at once would take as much memory again. */
function* passiveCells(rows: readonly PassiveDelta[]): Generator<readonly Cell[]> {
  for (const { name, type, data, address, cnames, sensor, first, last, count } of rows) {
    const halves = address === null ? NO_ADDRESS : addressHalves(address);
    yield [
      reversedName(name),
      type,
      address === null ? data : '',
      halves.prefix,
      halves.suffix,
      cnames === null ? '' : cnames.join(' '),
      sensor,
      Math.floor(first),
      Math.floor(last),
      count,
    ];
  }
}

/** Sketches of different clients …, as rows of `distinct_counts` by minute and by hour. */
export function appendDistinct(
  connection: Connection,
  minutes: readonly { time: number; what: number; sketch: Cardinality }[],
): void {
  const hours = new Map<string, { time: number; what: number; sketch: Cardinality }>();
  for (const { time, what, sketch } of minutes) {
    const hour = Math.floor(time / 3_600_000) * 3_600_000;
    const key = `${hour} ${what}`;
    const sum = hours.get(key);
    if (sum === undefined) hours.set(key, { time: hour, what, sketch: sketchFrom(sketchOctets(sketch)) });
    else sum.sketch.merge(sketch);
  }
  const cells = (step: number) => (row: { time: number; what: number; sketch: Cardinality }) =>
    [row.time, step, row.what, sketchOctets(row.sketch)] as const;
  appendRows(connection, 'distinct_counts', DISTINCT_COLUMNS, [
    ...minutes.map(cells(60)),
    ...[...hours.values()].map(cells(3600)),
  ]);
}

/** Buckets whose sketches are merged at once: some 4 KB each. */
const MERGED_BUCKETS = 500;

/** Merges sketches of one bucket that several writes made; those of writes meanwhile are left for the next time. */
export async function mergeDistinct(connection: Connection): Promise<void> {
  const key = 'time, step, what';
  const several = `SELECT ${key} FROM distinct_counts GROUP BY ${key} HAVING count(*) > 1 LIMIT ${MERGED_BUCKETS}`;
  for (let count = MERGED_BUCKETS; count === MERGED_BUCKETS; ) {
    await transaction(connection, async () => {
      await connection.run(`CREATE OR REPLACE TEMP TABLE several AS ${several}`);
      const merged = await sketchesOf(connection, `SEMI JOIN several USING (${key})`);
      count = merged.length;
      if (count === 0) return;
      await connection.run(`DELETE FROM distinct_counts WHERE (${key}) IN (SELECT (${key}) FROM several)`);
      const cells = merged.map(({ time, step, what, sketch }) => [time, step, what, sketchOctets(sketch)]);
      appendRows(connection, 'distinct_counts', DISTINCT_COLUMNS, cells);
    });
  }
  await connection.run('DROP TABLE several');
}

interface Bucket {
  time: number;
  step: number;
  what: number;
  sketch: Cardinality;
}

/** One sketch for each bucket of what `of` leaves of the table. */
async function sketchesOf(connection: Connection, of: string): Promise<Bucket[]> {
  const merged = new Map<string, Bucket>();
  for await (const chunk of connection.chunks(`SELECT time, step, what, sketch FROM distinct_counts ${of}`)) {
    for (let i = 0; i < chunk.count; i++) {
      const row = chunk.row(i) as { time: number; step: number; what: number; sketch: Uint8Array };
      const bucket = `${row.time} ${row.step} ${row.what}`;
      const sum = merged.get(bucket);
      if (sum === undefined) merged.set(bucket, { ...row, sketch: sketchFrom(row.sketch) });
      else sum.sketch.merge(sketchFrom(row.sketch));
    }
  }
  return [...merged.values()];
}
