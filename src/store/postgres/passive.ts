import { addressHalves, addressOctets } from '../addresses.ts';
import { reversedName, storedName } from '../passive-names.ts';
import { findPassiveIn, nameHistoryIn, type PassiveEngine, typeNumber } from '../passive-query.ts';
import type { NameHistoryRow, PassivePage, PassiveQuery, PassiveRow } from '../store.ts';
import type { Cluster } from './cluster.ts';
import { storable } from './columns.ts';
import { insertRows } from './flush.ts';

/** Rows of an import that are written at once. */
const IMPORTED = 5000;
const COLUMNS = 'reversed, type, data, prefix, suffix, cnames, sensor, first, last, count';
const MISSING = 'name, type, kind, first, last, count';

function engineOf(cluster: Cluster): PassiveEngine {
  return {
    rows: () => `(SELECT ${COLUMNS} FROM passive UNION ALL SELECT ${COLUMNS} FROM passive_new) AS p`,
    missing: `(SELECT ${MISSING} FROM missing UNION ALL SELECT ${MISSING} FROM missing_new) AS m`,
    u64: 'numeric',
    first: 'min(first)',
    sensor: '(array_agg(sensor ORDER BY first))[1]',
    count: 'sum(count)::bigint',
    endsWith: (text, end) => `starts_with(reverse(${text}), reverse(${end}::text))`,
    all: (sql, params, signal) => cluster.read((session) => session.all(sql, params), signal),
  };
}

/** Looks passive DNS up. Order: name, type, rdata; `after` goes on behind a row. */
export function findPassive(cluster: Cluster, query: PassiveQuery, signal?: AbortSignal): Promise<PassivePage> {
  return findPassiveIn(engineOf(cluster), query, signal);
}

/** When a name had no answer, by type and kind. */
export function nameHistory(cluster: Cluster, name: string, limit?: number): Promise<NameHistoryRow[]> {
  return nameHistoryIn(engineOf(cluster), name, limit);
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
