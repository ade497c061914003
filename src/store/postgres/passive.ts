import { TYPES } from '../../wire/iana.ts';
import { addressHalves, addressOctets } from '../addresses.ts';
import { reversedName, storedName } from '../passive-names.ts';
import { findPassiveIn, typeNumber } from '../passive-query.ts';
import { MISSING_KINDS } from '../schema.ts';
import type { NameHistoryRow, PassivePage, PassiveQuery, PassiveRow } from '../store.ts';
import type { Cluster } from './cluster.ts';
import { storable } from './columns.ts';
import { insertRows } from './flush.ts';

const MOST = 10_000;
/** Rows of an import that are written at once. */
const IMPORTED = 5000;
const COLUMNS = 'reversed, type, data, prefix, suffix, cnames, sensor, first, last, count';

/** Looks passive DNS up. Order: name, type, rdata; `after` goes on behind a row. */
export function findPassive(cluster: Cluster, query: PassiveQuery, signal?: AbortSignal): Promise<PassivePage> {
  return findPassiveIn(
    {
      rows: () => `(SELECT ${COLUMNS} FROM passive UNION ALL SELECT ${COLUMNS} FROM passive_new) AS p`,
      u64: 'numeric',
      first: 'min(first)',
      sensor: '(array_agg(sensor ORDER BY first))[1]',
      count: 'sum(count)::bigint',
      endsWith: (text, end) => `starts_with(reverse(${text}), reverse(${end}::text))`,
      all: (sql, params, aborted) => cluster.read((session) => session.all(sql, params), aborted),
    },
    query,
    signal,
  );
}

/** Merges what was learnt elsewhere into passive DNS. */
export async function importPassive(cluster: Cluster, rows: readonly PassiveRow[]): Promise<number> {
  for (let from = 0; from < rows.length; from += IMPORTED) {
    const part = rows.slice(from, from + IMPORTED).map((row) => {
      const address = addressOctets(row.rdata);
      const { prefix, suffix } = address === undefined ? { prefix: 0n, suffix: 0n } : addressHalves(address);
      return {
        reversed: storable(reversedName(storedName(row.rrname))),
        type: Math.max(0, typeNumber(row.rrtype)),
        data: address === undefined ? storable(row.rdata) : '',
        prefix: String(prefix),
        suffix: String(suffix),
        cnames: storable(row.cnames?.join(' ') ?? ''),
        sensor: storable(row.sensor ?? ''),
        first: Math.floor(row.time_first),
        last: Math.floor(row.time_last),
        count: row.count,
      };
    });
    await cluster.write((session) => insertRows(session, 'passive_new', JSON.stringify(part)));
  }
  return rows.length;
}

/** When a name had no answer, by type and kind. */
export async function nameHistory(cluster: Cluster, name: string, limit = 100): Promise<NameHistoryRow[]> {
  const folded = storedName(name);
  const columns = 'name, type, kind, first, last, count';
  const rows = await cluster.read((session) =>
    session.all<{ type: number; kind: number; first: number; last: number; count: number }>(
      `SELECT type, kind, min(first) AS first, max(last) AS last, sum(count)::bigint AS count
       FROM (SELECT ${columns} FROM missing UNION ALL SELECT ${columns} FROM missing_new) AS m WHERE name = ? GROUP BY type, kind
       ORDER BY max(last) DESC, type, kind LIMIT ?`,
      [folded, Math.min(MOST, Math.max(1, limit))],
    ),
  );
  return rows.map(({ type, kind, first, last, count }) => ({
    name: folded,
    type: TYPES.name(type),
    kind: MISSING_KINDS[kind],
    time_first: first,
    time_last: last,
    count,
  }));
}
