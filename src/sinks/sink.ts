import type { CapturedInterface } from '../core/frames.ts';
import { type Setting, size, text, whole } from '../core/settings.ts';
import type { TransactionBatch, Vantage } from '../core/transactions.ts';
import type { Registrable } from './output.ts';
import type { FileOwner } from './rotating-file.ts';

/**
 * Where transactions go while nametap runs, besides the store. A kind of sink is one definition, registered by one line in
 * `sinks.ts`; its place in configuration, reference and example, queue, retry and counters come with it.
 */
export interface SinkDefinition<T extends SinkSettings = SinkSettings> {
  /** A group; `COMMON` is part of it. */
  readonly settings: Setting<T>;
  open(settings: T, context: SinkContext): Sink;
}

/** Settings that all sinks have. */
export const COMMON = {
  filter: text('Display filter: only transactions that pass.', { example: 'dns.flags.rcode == 3' }),
  queue: size('What may wait while the sink cannot take it; beyond, transactions are dropped and counted.', {
    default: '16MiB',
    least: 65_536,
  }),
} as const;

/** How files are renamed and removed. */
export const ROTATION = {
  size: size('A new file beyond so many bytes.', { default: '256MiB', least: 4096 }),
  keep: whole('Old files that are kept.', { default: 14, most: 100_000 }),
} as const;

export interface SinkSettings {
  filter: string | undefined;
}

/** What a sink is given besides its settings. */
export interface SinkContext {
  /** Its name in the configuration. */
  readonly name: string;
  /** Its filter. */
  readonly passes: (batch: TransactionBatch, row: number) => boolean;
  readonly sensor?: string;
  readonly version: string;
  /** Interfaces of the run; may grow. */
  readonly interfaces: readonly CapturedInterface[];
  readonly registrable: (name: string) => Registrable;
  /** Name of a client by its address as four words; undefined without. */
  readonly clientName?: (family: number, words: readonly number[]) => string | undefined;
  /** Names of the rules behind each mark; may grow. */
  readonly marks?: readonly string[];
  /** Whom files that are made belong to; absent: the one we are. */
  readonly owner?: FileOwner | undefined;
  /** Who stands where: what dnstap calls the messages. */
  readonly vantage: Vantage;
  /** Writes transactions of the store to a file; null without a store. */
  readonly exporter: SinkExporter | null;
  /** Says that something went wrong, or works again. */
  notice(level: 'info' | 'warn', message: string): void;
}

export interface SinkExporter {
  /** What came until now can be exported. */
  flush(): Promise<void>;
  export(
    query: { from: number; to: number; filter?: string; format: 'parquet' },
    path: string,
  ): Promise<{ rows: number; bytes: number }>;
}

export interface Sink {
  /** Takes rows [from, to) in place, at once, in order. */
  rows(batch: TransactionBatch, from: number, to: number): void;
  /** What a source that can wait waits for; undefined when there is room. */
  ready(): Promise<void> | undefined;
  status(): SinkStatus;
  /** Goes on in new files (SIGHUP). */
  reopen(): void;
  /** Hands over what waits, for at most so long, and ends. */
  close(patienceMs: number): Promise<void>;
}

/** Counters in transactions. What came in = written + Σ dropped + queue. */
export interface SinkStatus {
  written: number;
  queue: number;
  /** Of those written, so many were handed over twice, to be sure. */
  repeated: number;
  dropped: Readonly<Record<DropCause, number>>;
  /** Attempts that failed. */
  failed: number;
  /** Why nothing is written now; null = all is well. */
  error: string | null;
}

/** Why transactions were not written: no room in the queue, too long for the receiver, the end came before the receiver. */
export const DROP_CAUSES = ['queue_full', 'too_long', 'closed'] as const;
export type DropCause = (typeof DROP_CAUSES)[number];
