import type { Cardinality } from '../sketch/cardinality.ts';
import { addressHalves } from './addresses.ts';
import { sketchFrom, sketchOctets } from './distinct.ts';
import { ChunkWriter } from './chunk-writer.ts';
import type { Connection } from './duckdb.ts';
import { reversedName } from './passive-names.ts';
import { type ColumnType, DISTINCT_COLUMNS, PASSIVE_COLUMNS } from './schema.ts';

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
