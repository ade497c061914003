import { getRecordIn, listRecordsIn, newId, type RecordsEngine } from '../records.ts';
import type { RecordKind, RecordsQuery, StoreRecord } from '../store.ts';
import type { Cluster } from './cluster.ts';

function engineOf(cluster: Cluster): RecordsEngine {
  return {
    rows: 'records WHERE',
    all: (sql, params) => cluster.read((session) => session.all(sql, params)),
  };
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

export function getRecord(cluster: Cluster, kind: RecordKind, id: string): Promise<StoreRecord | null> {
  return getRecordIn(engineOf(cluster), kind, id);
}

/** Newest first. */
export function listRecords(cluster: Cluster, kind: RecordKind, query?: RecordsQuery): Promise<StoreRecord[]> {
  return listRecordsIn(engineOf(cluster), kind, query);
}

export async function deleteRecord(cluster: Cluster, kind: RecordKind, id: string): Promise<boolean> {
  return cluster.write(async (session) => {
    return (await session.run('DELETE FROM records WHERE kind = ? AND id = ?', [kind, id])) > 0;
  });
}
