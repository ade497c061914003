import type { AlertBook } from '../alerts/book.ts';
import type { OutputStatus } from '../alerts/outputs/delivery.ts';
import type { CacheStatus } from '../cache/cache.ts';
import type { Blocks } from '../core/block.ts';
import type { Probes } from '../core/probe.ts';
import type { Baselines } from '../core/usual.ts';
import type { Ledger } from '../core/ledger.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import type { Transaction } from '../rr/transaction.ts';
import type { Store } from '../store/store.ts';
import type { Said } from './said.ts';
import type { Role } from './schema/meta.ts';
import type { Privacy } from './schema/overview.ts';
import type { SinkState, Stage, Table } from './schema/sensors.ts';
import type { TraceAnswer } from './schema/trace.ts';
import type { Packet, TreeNode } from './schema/transactions.ts';

/** Everything the server needs, given by whoever starts it: it opens nothing itself but its socket. */
export interface ServerServices {
  readonly version: string;
  readonly options: ServerOptions;
  readonly store: Store;
  readonly live: LiveRows;
  readonly log: ServerLog;
  readonly privacy: Privacy;
  /** What a demo says about itself, and the command that ends it. */
  readonly demo: { banner: string; said: Said; command: string } | null;
  /** Captured frames, where a raw ring is kept; null at privacy levels above 0, and without a ring. */
  readonly packets: PacketSource | null;
  /** Folder of the built page; null without one. */
  readonly page: string | null;
  /** The configuration as people wrote it, secrets masked. */
  configuration(): { file: string | null; value: Record<string, unknown> };
  sensors(): SensorReading[];
  sinks(): SinkState[];
  /** What is blocked; null where nobody serves. */
  readonly blocks: Blocks | null;
  /** What is usual; null where nothing was learnt. */
  readonly baselines: Baselines | null;
  /** Checks of names, services and hosts; null where nothing is checked. */
  readonly probes: Probes | null;
  /** Traces from the root, for operators; null where they are off. */
  readonly traces: Traces | null;
  /** Incidents, and what people do with them. */
  readonly alerts: AlertBook;
  /** Who is told of them. */
  outputs(): OutputStatus[];
  /** Tables with a bound: how full they are, and what they gave up. */
  tables(): Table[];
  /** What is read of a bus; absent where nothing is. */
  bus?(): BusReading;
  /** What is kept of answers; null or absent where nothing is. */
  cache?(): CacheStatus | null;
  /** What has to be there before the server is ready. */
  checks(): Check[];
  /** A message field by field, with offsets into it (`protocol` = PROTOCOL_NAMES index). */
  decode(message: Uint8Array, protocol: number): TreeNode[];
  /** Registrable domain of a name; null where there is none. */
  registrableDomain(name: string): string | null;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Follows names from the root; throws `UserError` for what cannot be asked. */
export interface Traces {
  trace(wanted: { name: string; type: string; all: boolean }, signal: AbortSignal): Promise<TraceAnswer>;
}

export interface ServerOptions {
  /** Address to listen on. Beyond loopback only with users, or a token that was chosen by someone. */
  address: string;
  /** 0 = any free one. */
  port: number;
  /** Names by which the page may be reached, besides localhost and addresses. */
  hosts: readonly string[];
  /** Signs in as operator; null = only users can. `chosen`: set by a person, not made up at the start. */
  token: { value: string; chosen: boolean } | null;
  users: readonly User[];
  tls: { certificate: string; key: string } | null;
  /** Who may read /metrics: everyone, those on this machine, or those with a token. */
  metrics: 'open' | 'loopback' | 'token';
  /** Hours until a session has to be renewed. */
  sessionHours: number;
}

export interface User {
  name: string;
  role: Role;
  /** As `hashPassword` writes it. */
  password: string;
}

/** Transactions as they come, on the thread of the server, privacy applied. */
export interface LiveRows {
  /** Calls for rows [from, to) of each batch, which are to be read in place; gives the function that ends it. */
  subscribe(listener: (batch: TransactionBatch, from: number, to: number) => void): () => void;
  /** A display filter over rows. Throws FilterError, also where a row does not hold what it asks for. */
  filter(text: string): (batch: TransactionBatch, row: number) => boolean;
  value(batch: TransactionBatch, row: number): Transaction;
}

/** A sensor's counters at this moment. */
export interface SensorReading {
  name: string;
  source: { text: string; said: Said };
  interface: string | null;
  privacy: Privacy;
  /** Frames and messages. */
  ledger: Ledger;
  /** Rows that came out of the matcher, and what became of them on the way into the store. */
  transactions: number;
  stages: Stage[];
  /** Transactions and frames a second, over the last seconds. */
  rate: number;
  framesRate: number;
  lagSeconds: number | null;
  ring: number | null;
  openTransactions: number | null;
  /** One in so many clients is looked at; 1 = all. */
  oneIn: number;
  uptimeSeconds: number;
  running: boolean;
}

/** What is read of a bus, and what became of it; counts grow. */
export interface BusReading {
  /** Ours: offset of the next record, and how many are behind it. */
  partitions: readonly { topic: string; partition: number; next: number | null; lag: number | null }[];
  records: number;
  rows: number;
  /** Transactions that came before, batches that never came, records that are none. */
  repeated: number;
  missing: number;
  unreadable: number;
  /** Why nothing is read now; null while all is well. */
  error: string | null;
}

export interface PacketSource {
  /** The frames of a transaction that are still held, oldest first; null when none is. */
  of(transaction: Transaction): Promise<Packet[] | null>;
  /** True where every frame since then (ms) is still held. */
  covers(from: number): boolean;
  /** History that only frames can tell: filters on their layers, which the store has no columns for. */
  transactions: Store['transactions'];
  /** A pcapng file of exactly the frames of these transactions. */
  export(transactions: AsyncIterable<readonly Transaction[]>): AsyncIterable<Uint8Array>;
}

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
  /** False: it is ready without, only not as good. */
  isVital?: false;
}

export interface ServerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
