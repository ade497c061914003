import { csvCell } from '../core/csv.ts';
import { MAP_COLUMNS, type MapPair, type MapRow } from './address-map.ts';

export type MapFormat = 'text' | 'csv' | 'ndjson' | 'json';

/** How many pairs there are, and how many were given up because the map was full. */
export interface MapSize {
  pairs: number;
  capacity: number;
  evicted: number;
  exact: boolean;
}

/**
 * The map in pieces of text: TSV (`text`), CSV, NDJSON, or one JSON object. Pairs that were given up are said in the
 * output itself, except in CSV, which has no place for it.
 */
export function* mapText(rows: Iterable<MapRow>, size: MapSize, format: MapFormat): Generator<string> {
  if (format === 'json') {
    const head = JSON.stringify(size);
    yield `${head.slice(0, -1)},"rows":[\n`;
    let first = true;
    for (const row of rows) {
      yield (first ? '' : ',\n') + JSON.stringify(row);
      first = false;
    }
    yield '\n]}\n';
    return;
  }
  if (format === 'ndjson') {
    for (const row of rows) yield `${JSON.stringify(row)}\n`;
    if (size.evicted > 0) yield `${JSON.stringify({ evicted: size.evicted, capacity: size.capacity })}\n`;
    return;
  }
  const cell = format === 'csv' ? csvCell : (text: string) => text;
  const separator = format === 'csv' ? ',' : '\t';
  yield `${MAP_COLUMNS.join(separator)}\n`;
  for (const row of rows) {
    yield `${MAP_COLUMNS.map((column) => cell(columnText(row[column]))).join(separator)}\n`;
  }
  if (size.evicted > 0 && format === 'text') {
    yield `# ${size.evicted} pairs were given up: more than ${size.capacity} came\n`;
  }
}

// Names are escaped already (RFC 1035 §5.1), so neither TAB nor line end can be in them.
function columnText(value: MapRow[keyof MapRow]): string {
  return Array.isArray(value) ? value.join(' ') : String(value);
}

/** One pair seen twice (in two runs of a map that spilled to disk). */
export function joinPairs(a: MapPair, b: MapPair): MapPair {
  const [first, other] = a.row.first_seen <= b.row.first_seen ? [a.row, b.row] : [b.row, a.row];
  return {
    key: a.key,
    row: {
      ...first,
      ttl_min: Math.min(first.ttl_min, other.ttl_min),
      ttl_max: Math.max(first.ttl_max, other.ttl_max),
      last_seen: first.last_seen >= other.last_seen ? first.last_seen : other.last_seen,
      count: first.count + other.count,
      authoritative: first.authoritative || other.authoritative,
    },
  };
}
