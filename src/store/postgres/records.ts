import { newId } from '../records.ts';
import type { SqlValue } from '../session.ts';
import type { RecordKind, RecordsQuery, StoreRecord } from '../store.ts';
import type { Cluster } from './cluster.ts';

const DEFAULT_LIMIT = 1000;

interface Row {
  id: string;
  time: number;
  value: string;
}

function recordOf({ id, time, value }: Row): StoreRecord {
  return { id, time, value: JSON.parse(value) as unknown };
}

/** Writes a value under its id, or as a new entry; the id. */
export async function putRecord(
  cluster: Cluster,
  kind: RecordKind,
  value: unknown,
  { id = newId(), time = Date.now() }: { id?: string; time?: number } = {},
): Promise<string> {
  await cluster.write((session) =>
    session.run(
      `INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET time = excluded.time, value = excluded.value`,
      [kind, id, Math.floor(time), JSON.stringify(value ?? null)],
    ),
  );
  return id;
}

export async function getRecord(cluster: Cluster, kind: RecordKind, id: string): Promise<StoreRecord | null> {
  const row = await cluster.read((session) =>
    session.one<Row>('SELECT id, time, value FROM records WHERE kind = ? AND id = ?', [kind, id]),
  );
  return row === undefined ? null : recordOf(row);
}

/** Newest first. */
export async function listRecords(
  cluster: Cluster,
  kind: RecordKind,
  { from, to, limit = DEFAULT_LIMIT, after }: RecordsQuery = {},
): Promise<StoreRecord[]> {
  const conditions = ['kind = ?'];
  const params: SqlValue[] = [kind];
  if (from !== undefined) {
    conditions.push('time >= ?');
    params.push(Math.ceil(from));
  }
  if (to !== undefined) {
    conditions.push('time < ?');
    params.push(Math.ceil(to));
  }
  if (after !== undefined) {
    conditions.push('(time, id) < (SELECT time, id FROM records WHERE kind = ? AND id = ?)');
    params.push(kind, after);
  }
  const sql = `SELECT id, time, value FROM records WHERE ${conditions.join(' AND ')} ORDER BY time DESC, id DESC LIMIT ?`;
  const rows = await cluster.read((session) => session.all<Row>(sql, [...params, Math.max(0, limit)]));
  return rows.map(recordOf);
}

export async function deleteRecord(cluster: Cluster, kind: RecordKind, id: string): Promise<boolean> {
  return cluster.write(async (session) => {
    return (await session.run('DELETE FROM records WHERE kind = ? AND id = ?', [kind, id])) > 0;
  });
}
