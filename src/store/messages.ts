import type { ExitCode } from '../core/errors.ts';
import type { Condition } from './condition.ts';
import type {
  ExportQuery,
  Origin,
  PassiveQuery,
  PassiveRow,
  RecordKind,
  RecordsQuery,
  Retention,
  StatisticsQuery,
  StoreOptions,
  TransactionsPage,
  TransactionsQuery,
} from './store.ts';

/** What goes between the store's thread and its face. */
export interface WorkerStart {
  options: StoreOptions;
  /** Path of the journal; null without. */
  journal: string | null;
}

export type Call =
  | { name: 'statistics'; query: StatisticsQuery; condition: Condition }
  | { name: 'transactions'; query: TransactionsQuery; condition: Condition }
  | { name: 'transaction' | 'related'; id: string }
  | { name: 'passive'; query: PassiveQuery }
  | { name: 'importPassive'; rows: readonly PassiveRow[] }
  | { name: 'nameHistory'; of: string; limit?: number }
  | { name: 'export'; query: ExportQuery; condition: Condition; path: string }
  | { name: 'putRecord'; kind: RecordKind; value: unknown; options?: { id?: string; time?: number } }
  | { name: 'getRecord' | 'deleteRecord'; kind: RecordKind; id: string }
  | { name: 'listRecords'; kind: RecordKind; query?: RecordsQuery }
  | { name: 'keep'; retention: Retention }
  | { name: 'status' | 'flush' | 'compact' | 'close' };

export interface Ask {
  id: number;
  call: Call;
}
export type ToWorker = Ask | { id: number; buffer: ArrayBuffer; origin: Origin } | { abort: number };

/** `id` 0: the store is open, or could not be opened. */
export type Reply =
  | { id: number; value: unknown }
  | { id: number; page: TransactionsPage }
  | { id: number; error: { name: string; message: string; exit?: ExitCode } };
