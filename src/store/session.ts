import type { Row, SqlValue } from './duckdb.ts';
import type { RowChunk } from './rows.ts';

export type { Row, SqlValue } from './duckdb.ts';

/** A session of some database: statements with a `?` for each value, one after the other. */
export interface Session {
  all<T = Row>(sql: string, params?: readonly SqlValue[]): Promise<T[]>;
  one<T = Row>(sql: string, params?: readonly SqlValue[]): Promise<T | undefined>;
  /** Many rows, as they are found. */
  chunks(sql: string, params?: readonly SqlValue[]): AsyncIterable<RowChunk & { row(i: number): Row }>;
}

/** Rows that lie together, and their times in ms. */
export interface Stretch {
  readonly rows: number;
  readonly first: number;
  readonly last: number;
}

/** What questions about transactions need of an engine; `source`: SQL of their columns as declared, in that order. */
export interface RowStore {
  readonly parts: {
    readonly list: readonly Stretch[];
    between(from: number, to: number): readonly Stretch[];
    rowsBetween(from: number, to: number): number;
    source(parts: readonly Stretch[]): string;
  };
  readonly readers: {
    use<T>(run: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T>;
  };
  /** An id as the engine keeps it; absent: as it is. */
  idOf?(id: bigint): bigint;
}
