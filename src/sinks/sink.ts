import type { CapturedInterface } from '../core/frames.ts';
import { optionalGroup, type Setting, size, span, text, whole } from '../core/settings.ts';
import type { TransactionBatch, Vantage } from '../core/transactions.ts';
import type { CircuitState } from './circuit.ts';
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

/** Settings of sinks with a receiver on the network. */
export const NETWORK = {
  spool: optionalGroup(
    'A queue on disk behind the one in memory: what waits for a receiver that is away survives the end of nametap, also a ' +
      'sudden one.',
    {
      size: size('What may wait on disk; beyond, new transactions are dropped and counted.', {
        default: '1GiB',
        least: 4 << 20,
      }),
      sync: span(
        'The disk is told to keep what was written so often; `always`: with every write. Only a crash of the machine can ' +
          'cost what came since.',
        { default: '1s', least: 10, most: 3_600_000, words: { always: 0 } },
      ),
    },
  ),
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
  /** Where the registrable domain of a name begins, in folded wire form; −1: it has none. */
  readonly registrableStart?: (name: Uint8Array, at?: number) => number;
  /** Name of a client by its address as four words; undefined without. */
  readonly clientName?: (family: number, words: readonly number[]) => string | undefined;
  /** Names of the rules behind each mark; may grow. */
  readonly marks?: readonly string[];
  /**
   * Tells what is read from all else that can be read, where reading it again gives the same transactions in the same order
   * (files): receivers know by it what they have already. Absent: what comes, comes once.
   */
  readonly epoch?: number | undefined;
  /** Whom files that are made belong to; absent: the one we are. */
  readonly owner?: FileOwner | undefined;
  /** A folder of its own, for what waits on disk and for dead letters; not there yet. */
  readonly folder: string;
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
  /**
   * Resolves when every transaction that came until now is safe: on disk in the spool, with the receiver, or counted as lost.
   * A source that can be asked again gives up its copy then, not before.
   */
  secured(): Promise<void>;
  status(): SinkStatus;
  /** Goes on in new files (SIGHUP). */
  reopen(): void;
  /** Hands over what waits, for at most so long, and ends. */
  close(patienceMs: number): Promise<void>;
}

/** Counters in transactions. What came in + restored = written + refused + Σ dropped + queue. */
export interface SinkStatus {
  written: number;
  queue: number;
  /** Found in the spool at the start: they came in an earlier run. */
  restored: number;
  /** Of those written, so many were handed over twice, to be sure, or were with the receiver already. */
  repeated: number;
  /** Dead letters: the receiver will never take them. */
  refused: number;
  dropped: Readonly<Record<DropCause, number>>;
  /** Attempts that failed. */
  failed: number;
  circuit: CircuitState;
  /** Bytes on disk and their bound; since when the oldest waits (ms since 1970). null without a spool. */
  spool: { bytes: number; most: number; oldest: number | null } | null;
  /** Why nothing is written now; null = all is well. */
  error: string | null;
}

/**
 * Why transactions were not written: no room in the queue, too long for the receiver, the end came before the receiver, the
 * disk gave back something else than was written.
 */
export const DROP_CAUSES = ['queue_full', 'too_long', 'closed', 'spool_damaged'] as const;
export type DropCause = (typeof DROP_CAUSES)[number];
export const NOTHING_DROPPED: Readonly<Record<DropCause, number>> = {
  queue_full: 0,
  too_long: 0,
  closed: 0,
  spool_damaged: 0,
};
export const NO_STATUS: SinkStatus = {
  written: 0,
  queue: 0,
  restored: 0,
  repeated: 0,
  refused: 0,
  dropped: NOTHING_DROPPED,
  failed: 0,
  circuit: 'closed',
  spool: null,
  error: null,
};
