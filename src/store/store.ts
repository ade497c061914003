import type { TransactionBatch } from '../core/transactions.ts';
import type { Transaction } from '../rr/transaction.ts';
import type { Summary } from '../sketch/summary.ts';
import type { PostgresOptions, PostgresStatus } from './postgres/options.ts';

/** Folder of a store's folder for what need not outlive the process: emptied at every start. */
export const TEMPORARY_FOLDER = 'tmp';

/**
 * What nametap remembers: transactions, rollups, passive DNS, and small records of the other parts.
 *
 * Times are milliseconds since 1970 unless said otherwise; filters are texts of the language of `read -Y` (an error is
 * thrown as `FilterError` before anything runs). Implementations share one contract suite (`test/store/contract.ts`).
 */
export interface Store {
  /**
   * Takes a batch (its buffer is transferred: it is empty afterwards). Resolves true once there is room for the next
   * one: a file replay waits for it, a live capture does not. False = the queue was full and `wait` was false; the rows
   * are counted under `store_queue`, the batch is still the caller's.
   */
  append(batch: TransactionBatch, origin: Origin, wait: boolean): Promise<boolean>;
  statistics(query: StatisticsQuery, signal?: AbortSignal): Promise<StatisticsResult>;
  /** Newest first. A page comes at least every 300 ms, also without rows; the last one is `done`. */
  transactions(query: TransactionsQuery, signal?: AbortSignal): AsyncIterable<TransactionsPage>;
  /** By its stable id (16 hex digits); null when it is not (any more) here. */
  transaction(id: string): Promise<StoredTransaction | null>;
  /** What belongs to a transaction. */
  related(id: string): Promise<RelatedTransactions>;
  passive(query: PassiveQuery, signal?: AbortSignal): Promise<PassivePage>;
  /** Merges what was learnt elsewhere; how many rows. */
  importPassive(rows: readonly PassiveRow[]): Promise<number>;
  /** When a name had no answer: by type and kind, the last seen first. */
  nameHistory(name: string, limit?: number): Promise<NameHistoryRow[]>;
  /** Writes what a query finds to a file (made or replaced). */
  export(query: ExportQuery, path: string, signal?: AbortSignal): Promise<{ rows: number; bytes: number }>;
  readonly records: Records;
  status(): Promise<StoreStatus>;
  /** What was appended until now is on the disk and visible. */
  flush(): Promise<void>;
  /** Merges parts, ages old rows, applies retention, checkpoints. Runs by itself too. */
  compact(): Promise<void>;
  /** Changes how long things are kept; holds from the next upkeep on. */
  keep(retention: Retention): Promise<void>;
  close(): Promise<void>;
}

/** Where the rows of a batch come from. */
export interface Origin {
  sensor?: string;
  /** Names of the interfaces, by `interfaceId`; empty: rows have none. */
  interfaces?: readonly (string | undefined)[];
  /** Names of the rules behind each number of `mark`; `, ` between several. */
  marks?: readonly string[];
  /**
   * Identity of what is written: `LINE/NUMBER` (topic/partition/offset), with numbers of a line that rise. Consecutive
   * batches of one token are one write, which the database takes once, however often it comes. `flush` then says that it is
   * kept.
   */
  token?: string;
}

/** What transactions can be grouped by. */
export const DIMENSIONS = [
  'domain',
  'name',
  'client',
  'server',
  'type',
  'rcode',
  'opcode',
  'transport',
  'outcome',
  'answer_kind',
  'role',
  'leg',
  'sensor',
  /** log2 of the latency in ms: the lower edge of the bucket in ms, as text. (`latency` is the distribution.) */
  'latency_bucket',
  /** 0 … 167, UTC, from Monday 00:00. */
  'hour_of_week',
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Measures that are one number; clients, names, domains and servers are distinct counts, off by about 2 % where there are many. */
export const COUNTS = [
  'transactions',
  'queries',
  'responses',
  'unanswered',
  'nxdomain',
  'nodata',
  'servfail',
  'refused',
  'errors',
  'retransmissions',
  'duplicates',
  'late',
  'truncated',
  'malformed',
  'suspicious',
  'query_bytes',
  'response_bytes',
] as const;
export const DISTINCTS = ['clients', 'names', 'domains', 'servers'] as const;
/** Measures that are a distribution: latency (ms), size of responses (bytes), smallest TTL (s), number of answers. */
export const DISTRIBUTIONS = ['latency', 'size', 'ttl', 'answers'] as const;
export type Count = (typeof COUNTS)[number];
export type Distinct = (typeof DISTINCTS)[number];
export type DistributionName = (typeof DISTRIBUTIONS)[number];
export type Measure = Count | Distinct | DistributionName;
/** [from, to) of the time of the first query copy. */
export interface Scope {
  from: number;
  to: number;
  filter?: string;
}

export interface StatisticsQuery extends Scope {
  /** Seconds of a time bucket; absent = the whole range is one. */
  step?: number;
  /** At most two. */
  group?: readonly Dimension[];
  measures: readonly Measure[];
  /** Distributions order by their mean. Default: `transactions`, descending; with a step and no group: time. */
  order?: { by: Measure; descending: boolean };
  /** Rows, or with a step groups (each with all of its buckets). Default 20, at most 1000. */
  limit?: number;
}

/** Dimensions as text (null: the transactions without one), `time` = begin of the bucket, and the measures asked for. */
export type StatisticsRow = { time?: number } & { [K in Dimension]?: string | null } & {
  [K in Count | Distinct]?: number;
} & { [K in DistributionName]?: Summary };

export interface StatisticsResult {
  rows: StatisticsRow[];
  source: 'minutes' | 'hours' | 'transactions';
  /** False when the range reaches beyond what is kept, or rarer groups were summed up as others. */
  complete: boolean;
}

export interface TransactionsQuery extends Scope {
  /** Default 100, at most 10 000. */
  limit?: number;
  /** `next` of the page before. */
  after?: string;
}

export interface TransactionsPage {
  /** Rows found since the page before. */
  rows: Transaction[];
  /** Everything from here to the end of the range has been looked at. */
  scannedTo: number;
  scanned: number;
  /** All rows found so far. */
  found: number;
  /** Part of the range, 0 … 1. */
  share: number;
  /** On the last page: where the next query goes on; null when there is nothing more. */
  next: string | null;
  done: boolean;
}

/** A transaction with the bytes of its messages (first query copy, first response), as captured. */
export interface StoredTransaction {
  record: Transaction;
  query: Uint8Array | null;
  response: Uint8Array | null;
  /** Frame numbers and time span in ms, for whoever looks the frames up. */
  from: number;
  to: number;
}

export interface RelatedTransactions {
  parent: Transaction | null;
  children: Transaction[];
  tcp_retry: Transaction | null;
  /** Same client and name within five seconds. */
  siblings: Transaction[];
}

/** What to look for in passive DNS; names as text, addresses as text. `passiveMatch(text)` reads what people type. */
export type PassiveMatch =
  /** The name itself, and what its aliases lead to. */
  | { kind: 'name'; name: string }
  /** `*.x`: names below `name`; `x.*`: names that begin with `name`'s labels. */
  | { kind: 'below' | 'beginning'; name: string }
  /** Rdata that is an address in [low, high] (one family). */
  | { kind: 'addresses'; low: string; high: string }
  /** Rdata that is this text (a name, or any other presentation form). */
  | { kind: 'rdata'; text: string };

export interface PassiveQuery {
  match: PassiveMatch;
  /** Mnemonic; absent = all. */
  type?: string;
  /** First seen at or after. */
  firstAfter?: number;
  /** Last seen at or before. */
  lastBefore?: number;
  /** Default 200, at most 10 000. */
  limit?: number;
  after?: string;
}

/** What was seen of (name, type, rdata). Names folded, without trailing dot. */
export interface PassiveRow {
  rrname: string;
  rrtype: string;
  rdata: string;
  time_first: number;
  time_last: number;
  count: number;
  sensor?: string;
  /** The aliases between `rrname` and the owner of the record, when it is not its own. */
  cnames?: string[];
  /** Few names share this rdata: a good place to go on from. */
  rare?: boolean;
}

export interface PassivePage {
  rows: PassiveRow[];
  next: string | null;
}

export interface NameHistoryRow {
  name: string;
  type: string;
  kind: 'nxdomain' | 'nodata' | 'servfail' | 'refused' | 'error' | 'unanswered';
  time_first: number;
  time_last: number;
  count: number;
}

export const EXPORT_FORMATS = ['parquet', 'csv', 'ndjson'] as const;
export interface ExportQuery extends Scope {
  format: (typeof EXPORT_FORMATS)[number];
  /** Most rows; default all. */
  limit?: number;
}

/** Tables of small JSON values that other parts keep: the latest value per id, or a log with ids that the store gives. */
export const RECORD_KINDS = ['alerts', 'probes', 'views', 'users', 'audit', 'ledger', 'settings'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];
export interface StoreRecord<T = unknown> {
  id: string;
  /** ms since 1970. */
  time: number;
  value: T;
}
export interface Records {
  /** Writes a value (JSON) under its id, or as a new entry; the id. It is on the disk when this resolves. */
  put(kind: RecordKind, value: unknown, options?: { id?: string; time?: number }): Promise<string>;
  get<T = unknown>(kind: RecordKind, id: string): Promise<StoreRecord<T> | null>;
  /** Newest first; [from, to); `after` = the id of the last one had. */
  list<T = unknown>(kind: RecordKind, options?: RecordsQuery): Promise<StoreRecord<T>[]>;
  delete(kind: RecordKind, id: string): Promise<boolean>;
}
export interface RecordsQuery {
  from?: number;
  to?: number;
  limit?: number;
  after?: string;
}

export interface StoreStatus {
  engine: string;
  /** Folder; null in memory. */
  path: string | null;
  schema: number;
  /** Bytes of all files. */
  bytes: number;
  tables: { name: string; rows: number; bytes: number | null }[];
  /** Of the transactions kept, ms. */
  oldest: number | null;
  newest: number | null;
  /** Seconds between a row being taken and being on the disk, of the last flush. */
  lag_s: number | null;
  /** In rows. */
  queue: { length: number; capacity: number };
  /** Rows taken since the start. */
  appended: number;
  /** Rows that were given up, by cause: `store_queue`, `store_disk`, `retention` … */
  dropped: Record<string, number>;
  /** What does not work, in words; null = all does. */
  degraded: string | null;
  /** What was found at the start, such as what a crash cost; null = nothing. */
  remark: string | null;
  /** Of PostgreSQL: its servers, leaks and slow statements. */
  postgres?: PostgresStatus;
}

/** Databases that the role is implemented on. */
export const STORE_ENGINES = ['duckdb', 'clickhouse', 'postgres'] as const;
export type StoreEngine = (typeof STORE_ENGINES)[number];

/** Where a ClickHouse server is, and how its tables are made. */
export interface ClickHouseOptions {
  /** Of its HTTP interface: `https://clickhouse.example:8443`. */
  url: string;
  user: string;
  password?: string | undefined;
  database: string;
  /** Name of a cluster of the server's configuration: tables are replicated and distributed over it. */
  cluster?: string | undefined;
  /** Storage policy of the tables of transactions. */
  policy?: string | undefined;
  /** Volume of that policy which transactions move to, and after how many days. */
  coldVolume?: string | undefined;
  coldDays?: number | undefined;
  /** Ports, ids and messages of transactions are emptied after so many days; 0 or absent: they stay. */
  detailDays?: number | undefined;
}

/** How a store is set up (layer `store` of the configuration). */
export interface StoreOptions {
  /** The database; default `duckdb`, embedded. */
  engine?: StoreEngine;
  clickhouse?: ClickHouseOptions;
  postgres?: PostgresOptions;
  /** Folder of its files; null = in memory. Of other databases than the embedded one: of what is kept beside them. */
  path: string | null;
  /** Opens for looking only; nothing is written. */
  readOnly?: boolean;
  /** Milliseconds between two writes: what a crash costs at most. Default 1000. */
  flushMs?: number;
  /** Rows that may wait for the store. Default 262 144. */
  queueRows?: number;
  memoryMb?: number;
  threads?: number;
  /** How long things are kept, in days, and how many bytes all files may take. 0 = without bound. */
  retention?: Retention;
  /** Ranges of up to so many transactions are counted one by one, longer ones from rollups. Default 3 000 000. */
  countedRows?: number;
  /** Transactions are moved to Parquet files once they are this old, hours. Default 24; 0 = never. */
  ageHours?: number;
}
export interface Retention {
  transactionsDays?: number;
  minutesDays?: number;
  hoursDays?: number;
  passiveDays?: number;
  recordsDays?: number;
  /** Transactions go once their hour is counted: rollups are all that is kept. */
  countsOnly?: boolean;
  maxBytes?: number;
}
