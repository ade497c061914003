import { addressOctets } from './addresses.ts';
import type { EmbeddedStore } from './embedded.ts';
import { appendPassive } from './learning.ts';
import { storedName } from './passive-names.ts';
import { findPassiveIn, nameHistoryIn, type PassiveEngine, typeNumber } from './passive-query.ts';
import { transaction } from './sql-transaction.ts';
import type { NameHistoryRow, PassivePage, PassiveQuery, PassiveRow } from './store.ts';

const ALL = '(SELECT * FROM passive UNION ALL SELECT * FROM passive_new)';

function engineOf(store: EmbeddedStore): PassiveEngine {
  return {
    rows: () => ALL,
    missing: '(SELECT * FROM missing UNION ALL SELECT * FROM missing_new)',
    u64: 'UBIGINT',
    first: 'min(first)',
    sensor: 'arg_min(sensor, first)',
    count: 'sum(count)::BIGINT',
    endsWith: (text, end) => `ends_with(${text}, ${end})`,
    all: (sql, params, signal) => store.readers.use((session) => session.all(sql, params), signal),
  };
}

/** Looks passive DNS up. Order: name, type, rdata; `after` goes on behind a row. */
export function findPassive(store: EmbeddedStore, query: PassiveQuery, signal?: AbortSignal): Promise<PassivePage> {
  return findPassiveIn(engineOf(store), query, signal);
}

/** When a name had no answer, by type and kind. */
export function nameHistory(store: EmbeddedStore, name: string, limit?: number): Promise<NameHistoryRow[]> {
  return nameHistoryIn(engineOf(store), name, limit);
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
