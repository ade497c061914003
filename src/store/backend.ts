import type { TransactionBatch } from '../core/transactions.ts';
import type { Condition } from './condition.ts';
import type {
  ExportQuery,
  NameHistoryRow,
  Origin,
  PassivePage,
  PassiveQuery,
  PassiveRow,
  RecordKind,
  RecordsQuery,
  RelatedTransactions,
  Retention,
  StatisticsQuery,
  StatisticsResult,
  StoredTransaction,
  StoreRecord,
  StoreStatus,
  TransactionsPage,
  TransactionsQuery,
} from './store.ts';

/**
 * A database behind the `Store` role, as its thread asks it: the same words, filters compiled to conditions. Queue, aborts,
 * pages and the journal are those of the face (`open.ts`) and of the thread (`serve-thread.ts`).
 */
export interface Backend {
  /** Takes all rows of a batch; resolves when there is room for the next. Rows that are given up are counted in `status`. */
  append(batch: TransactionBatch, origin: Origin): Promise<void>;
  statistics(query: StatisticsQuery, condition: Condition, signal: AbortSignal): Promise<StatisticsResult>;
  transactions(query: TransactionsQuery, condition: Condition, signal: AbortSignal): AsyncIterable<TransactionsPage>;
  transaction(id: string): Promise<StoredTransaction | null>;
  related(id: string): Promise<RelatedTransactions>;
  passive(query: PassiveQuery, signal: AbortSignal): Promise<PassivePage>;
  importPassive(rows: readonly PassiveRow[]): Promise<number>;
  nameHistory(name: string, limit?: number): Promise<NameHistoryRow[]>;
  export(
    query: ExportQuery,
    condition: Condition,
    path: string,
    signal: AbortSignal,
  ): Promise<{ rows: number; bytes: number }>;
  putRecord(kind: RecordKind, value: unknown, options?: { id?: string; time?: number }): Promise<string>;
  getRecord(kind: RecordKind, id: string): Promise<StoreRecord | null>;
  listRecords(kind: RecordKind, query?: RecordsQuery): Promise<StoreRecord[]>;
  deleteRecord(kind: RecordKind, id: string): Promise<boolean>;
  keep(retention: Retention): Promise<void>;
  status(): Promise<Omit<StoreStatus, 'queue' | 'remark'>>;
  flush(): Promise<void>;
  compact(): Promise<void>;
  close(): Promise<void>;
}
