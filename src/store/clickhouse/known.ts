import type { ClickHouseOptions, StoreStatus } from '../store.ts';
import type { Connection } from './connection.ts';
import { TABLE_NAMES } from './ddl.ts';

/** What a server says of the store. */
export interface Known {
  version: string;
  /** On a cluster: of one replica of each shard. */
  tables: StoreStatus['tables'];
  /** Times of transactions, ms. */
  oldest: number | null;
  newest: number | null;
}

/** Asks the server. */
export async function knownOf(connection: Connection, { cluster }: ClickHouseOptions): Promise<Known> {
  const parts = cluster === undefined ? 'system.parts' : 'cluster(?, system.parts)';
  const sizes = await connection.all<{ name: string; n: number; b: number }>(
    `SELECT replaceRegexpOne(table, '_local$', '') AS name, toInt64(sum(rows)) AS n, toInt64(sum(bytes_on_disk)) AS b
     FROM ${parts} WHERE active AND database = currentDatabase() GROUP BY table`,
    cluster === undefined ? [] : [cluster],
  );
  const { version = '' } = (await connection.one<{ version: string }>('SELECT version() AS version')) ?? {};
  const seen = await connection.one<{ n: number; oldest: number; newest: number }>(
    `SELECT toInt64(count()) AS n, intDiv(min(time), 1000000) AS oldest, intDiv(max(time), 1000000) AS newest FROM transactions`,
  );
  const isEmpty = seen === undefined || seen.n === 0;
  const rows = new Map(sizes.map((size) => [size.name, size]));
  return {
    version,
    tables: TABLE_NAMES.map((name) => ({ name, rows: rows.get(name)?.n ?? 0, bytes: rows.get(name)?.b ?? 0 })),
    oldest: isEmpty ? null : seen.oldest,
    newest: isEmpty ? null : seen.newest,
  };
}
