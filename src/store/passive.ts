import { TYPES } from '../wire/iana.ts';
import { addressOctets } from './addresses.ts';
import type { EmbeddedStore } from './embedded.ts';
import { appendPassive } from './learning.ts';
import { storedName } from './passive-names.ts';
import { findPassiveIn, typeNumber } from './passive-query.ts';
import { MISSING_KINDS } from './schema.ts';
import { transaction } from './sql-transaction.ts';
import type { NameHistoryRow, PassivePage, PassiveQuery, PassiveRow } from './store.ts';

const MOST = 10_000;
const ALL = '(SELECT * FROM passive UNION ALL SELECT * FROM passive_new)';

/** Looks passive DNS up. Order: name, type, rdata; `after` goes on behind a row. */
export function findPassive(store: EmbeddedStore, query: PassiveQuery, signal?: AbortSignal): Promise<PassivePage> {
  return findPassiveIn(
    {
      rows: () => ALL,
      u64: 'UBIGINT',
      first: 'min(first)',
      sensor: 'arg_min(sensor, first)',
      count: 'sum(count)::BIGINT',
      endsWith: (text, end) => `ends_with(${text}, ${end})`,
      all: (sql, params, aborted) => store.readers.use((session) => session.all(sql, params), aborted),
    },
    query,
    signal,
  );
}

/** Merges what was learnt elsewhere into passive DNS. */
export async function importPassive(store: EmbeddedStore, rows: readonly PassiveRow[]): Promise<number> {
  // Not while passive DNS is merged.
  await store.work((connection) =>
    transaction(connection, async () => {
      const deltas = rows.map((row) => ({
        name: storedName(row.rrname),
        type: Math.max(0, typeNumber(row.rrtype)),
        data: row.rdata,
        address: addressOctets(row.rdata) ?? null,
        cnames: row.cnames ?? null,
        sensor: row.sensor ?? '',
        first: row.time_first,
        last: row.time_last,
        count: row.count,
      }));
      appendPassive(connection, deltas);
    }),
  );
  return rows.length;
}

/** When a name had no answer, by type and kind. */
export async function nameHistory(store: EmbeddedStore, name: string, limit = 100): Promise<NameHistoryRow[]> {
  const folded = storedName(name);
  const rows = await store.readers.use((connection) =>
    connection.all<{ type: number; kind: number; first: number; last: number; count: number }>(
      `SELECT type, kind, min(first) AS first, max(last) AS last, sum(count)::BIGINT AS count
       FROM (SELECT * FROM missing UNION ALL SELECT * FROM missing_new) WHERE name = ? GROUP BY type, kind
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
