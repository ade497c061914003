import { getRecordIn, listRecordsIn, newId, type RecordsEngine } from '../records.ts';
import type { RecordKind, RecordsQuery, StoreRecord } from '../store.ts';
import type { Connection } from './connection.ts';
import { nativeRows } from './native-writer.ts';

const COLUMNS = [
  { name: 'kind', type: 'VARCHAR' },
  { name: 'id', type: 'VARCHAR' },
  { name: 'time', type: 'BIGINT' },
  { name: 'value', type: 'VARCHAR' },
  { name: 'version', type: 'UBIGINT' },
  { name: 'gone', type: 'UTINYINT' },
] as const;

/** Small values by kind and id: the latest version counts, whoever wrote it (`ReplacingMergeTree`). */
export class ClickHouseRecords {
  readonly #connection: Connection;
  readonly #engine: RecordsEngine;
  #version = 0n;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#engine = {
      rows: 'records FINAL WHERE gone = 0 AND',
      all: (sql, params) => connection.all(sql, params),
    };
  }

  /** Later ones are higher, over all processes as far as their clocks agree. */
  #next(): bigint {
    const now = BigInt(Date.now()) * 1_000_000n;
    this.#version = now > this.#version ? now : this.#version + 1n;
    return this.#version;
  }

  async #write(kind: RecordKind, id: string, time: number, value: string, gone: number): Promise<void> {
    const row = [kind, id, Math.floor(time), value, this.#next(), gone];
    await this.#connection.insert('records', COLUMNS, nativeRows(COLUMNS, [row]));
  }

  async put(
    kind: RecordKind,
    value: unknown,
    { id = newId(), time = Date.now() }: { id?: string; time?: number } = {},
  ): Promise<string> {
    await this.#write(kind, id, time, JSON.stringify(value ?? null), 0);
    return id;
  }

  get(kind: RecordKind, id: string): Promise<StoreRecord | null> {
    return getRecordIn(this.#engine, kind, id);
  }

  /** Newest first. */
  list(kind: RecordKind, query?: RecordsQuery): Promise<StoreRecord[]> {
    return listRecordsIn(this.#engine, kind, query);
  }

  async delete(kind: RecordKind, id: string): Promise<boolean> {
    const record = await this.get(kind, id);
    if (record === null) return false;
    await this.#write(kind, id, record.time, 'null', 1);
    return true;
  }
}
