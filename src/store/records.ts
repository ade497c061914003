import { randomBytes } from 'node:crypto';
import type { SqlValue } from './duckdb.ts';
import type { EmbeddedStore } from './embedded.ts';
import { transaction } from './sql-transaction.ts';
import type { RecordKind, RecordsQuery, StoreRecord } from './store.ts';

const DEFAULT_LIMIT = 1000;
let last = 0;

/** An id for a new entry: ids made later sort later. */
export function newId(): string {
  last = Math.max(last + 1, Date.now() * 1000);
  return `${last.toString(36)}${randomBytes(4).toString('hex')}`;
}

/** Writes a value under its id, or as a new entry; the id. */
export async function putRecord(
  store: EmbeddedStore,
  kind: RecordKind,
  value: unknown,
  { id = newId(), time = Date.now() }: { id?: string; time?: number } = {},
): Promise<string> {
  const text = JSON.stringify(value ?? null);
  // One writer of records at a time: two of one id would both be kept.
  await store.alone(() =>
    store.readers.use((connection) =>
      transaction(connection, async () => {
        await connection.run('DELETE FROM records WHERE kind = ? AND id = ?', [kind, id]);
        await connection.run('INSERT INTO records VALUES (?, ?, ?, ?)', [kind, id, Math.floor(time), text]);
      }),
    ),
  );
  return id;
}

interface Row {
  id: string;
  time: number;
  value: string;
}

function recordOf({ id, time, value }: Row): StoreRecord {
  return { id, time, value: JSON.parse(value) as unknown };
}

export async function getRecord(store: EmbeddedStore, kind: RecordKind, id: string): Promise<StoreRecord | null> {
  const row = await store.readers.use((connection) =>
    connection.one<Row>('SELECT id, time, value FROM records WHERE kind = ? AND id = ?', [kind, id]),
  );
  return row === undefined ? null : recordOf(row);
}

/** Newest first. */
export async function listRecords(
  store: EmbeddedStore,
  kind: RecordKind,
  { from, to, limit = DEFAULT_LIMIT, after }: RecordsQuery = {},
): Promise<StoreRecord[]> {
  const conditions = ['kind = ?'];
  const params: SqlValue[] = [kind];
  if (from !== undefined) {
    conditions.push('time >= ?');
    params.push(from);
  }
  if (to !== undefined) {
    conditions.push('time < ?');
    params.push(to);
  }
  if (after !== undefined) {
    conditions.push('(time, id) < (SELECT (time, id) FROM records WHERE kind = ? AND id = ?)');
    params.push(kind, after);
  }
  const sql = `SELECT id, time, value FROM records WHERE ${conditions.join(' AND ')} ORDER BY time DESC, id DESC LIMIT ?`;
  const rows = await store.readers.use((connection) => connection.all<Row>(sql, [...params, Math.max(0, limit)]));
  return rows.map(recordOf);
}

export async function deleteRecord(store: EmbeddedStore, kind: RecordKind, id: string): Promise<boolean> {
  return store.alone(() =>
    store.readers.use(async (connection) => {
      const found = await connection.all('DELETE FROM records WHERE kind = ? AND id = ? RETURNING id', [kind, id]);
      return found.length > 0;
    }),
  );
}
