import { newId } from '../records.ts';
import type { RecordKind, RecordsQuery, StoreRecord } from '../store.ts';
import type { Connection } from './connection.ts';
import { nativeRows } from './native-writer.ts';
import type { SqlValue } from '../session.ts';

const DEFAULT_LIMIT = 1000;
const COLUMNS = [
  { name: 'kind', type: 'VARCHAR' },
  { name: 'id', type: 'VARCHAR' },
  { name: 'time', type: 'BIGINT' },
  { name: 'value', type: 'VARCHAR' },
  { name: 'version', type: 'UBIGINT' },
  { name: 'gone', type: 'UTINYINT' },
] as const;

interface Row {
  id: string;
  time: number;
  value: string;
}

/** Small values by kind and id: the latest version counts, whoever wrote it (`ReplacingMergeTree`). */
export class ClickHouseRecords {
  readonly #connection: Connection;
  #version = 0n;

  constructor(connection: Connection) {
    this.#connection = connection;
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

  async get(kind: RecordKind, id: string): Promise<StoreRecord | null> {
    const row = await this.#connection.one<Row>(
      'SELECT id, time, value FROM records FINAL WHERE kind = ? AND id = ? AND gone = 0',
      [kind, id],
    );
    return row === undefined ? null : recordOf(row);
  }

  /** Newest first. */
  async list(kind: RecordKind, { from, to, limit = DEFAULT_LIMIT, after }: RecordsQuery = {}): Promise<StoreRecord[]> {
    const conditions = ['kind = ?', 'gone = 0'];
    const values: SqlValue[] = [kind];
    if (from !== undefined) {
      conditions.push('time >= ?');
      values.push(from);
    }
    if (to !== undefined) {
      conditions.push('time < ?');
      values.push(to);
    }
    if (after !== undefined) {
      const last = await this.get(kind, after);
      if (last === null) return [];
      conditions.push('(time, id) < (?, ?)');
      values.push(BigInt(last.time), last.id);
    }
    const rows = await this.#connection.all<Row>(
      `SELECT id, time, value FROM records FINAL WHERE ${conditions.join(' AND ')} ORDER BY time DESC, id DESC LIMIT ${Math.max(0, Math.floor(limit))}`,
      values,
    );
    return rows.map(recordOf);
  }

  async delete(kind: RecordKind, id: string): Promise<boolean> {
    const record = await this.get(kind, id);
    if (record === null) return false;
    await this.#write(kind, id, record.time, 'null', 1);
    return true;
  }
}

function recordOf({ id, time, value }: Row): StoreRecord {
  return { id, time, value: JSON.parse(value) as unknown };
}
