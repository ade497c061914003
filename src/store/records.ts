import { randomBytes } from 'node:crypto';
import type { EmbeddedStore } from './embedded.ts';
import { transaction } from './sql-transaction.ts';
import type { SqlValue } from './session.ts';
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

/** Where an engine keeps records: the table, up to its WHERE, and who reads it. Placeholders are `?`. */
export interface RecordsEngine {
  readonly rows: string;
  all<T>(sql: string, params: readonly SqlValue[]): Promise<T[]>;
}

export async function getRecordIn(engine: RecordsEngine, kind: RecordKind, id: string): Promise<StoreRecord | null> {
  const sql = `SELECT id, time, value FROM ${engine.rows} kind = ? AND id = ?`;
  const rows = await engine.all<Row>(sql, [kind, id]);
  return rows.length === 0 ? null : recordOf(rows[0]);
}

/** Newest first. */
export async function listRecordsIn(
  engine: RecordsEngine,
  kind: RecordKind,
  { from, to, limit = DEFAULT_LIMIT, after }: RecordsQuery = {},
): Promise<StoreRecord[]> {
  const conditions = ['kind = ?'];
  const params: SqlValue[] = [kind];
  // Times of records are whole.
  if (from !== undefined) {
    conditions.push('time >= ?');
    params.push(Math.ceil(from));
  }
  if (to !== undefined) {
    conditions.push('time < ?');
    params.push(Math.ceil(to));
  }
  if (after !== undefined) {
    const last = await getRecordIn(engine, kind, after);
    if (last === null) return [];
    conditions.push('(time, id) < (?, ?)');
    params.push(BigInt(last.time), last.id);
  }
  const rows = await engine.all<Row>(
    `SELECT id, time, value FROM ${engine.rows} ${conditions.join(' AND ')}
     ORDER BY time DESC, id DESC LIMIT ${Math.max(0, Math.floor(limit))}`,
    params,
  );
  return rows.map(recordOf);
}

function engineOf(store: EmbeddedStore): RecordsEngine {
  return {
    rows: 'records WHERE',
    all: (sql, params) => store.readers.use((connection) => connection.all(sql, params)),
  };
}

export function getRecord(store: EmbeddedStore, kind: RecordKind, id: string): Promise<StoreRecord | null> {
  return getRecordIn(engineOf(store), kind, id);
}

/** Newest first. */
export function listRecords(store: EmbeddedStore, kind: RecordKind, query?: RecordsQuery): Promise<StoreRecord[]> {
  return listRecordsIn(engineOf(store), kind, query);
}

export async function deleteRecord(store: EmbeddedStore, kind: RecordKind, id: string): Promise<boolean> {
  return store.alone(() =>
    store.readers.use(async (connection) => {
      const found = await connection.all('DELETE FROM records WHERE kind = ? AND id = ? RETURNING id', [kind, id]);
      return found.length > 0;
    }),
  );
}
