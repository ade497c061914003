import type { Damage } from '../core/frames.ts';
import type { Ledger } from '../core/ledger.ts';
import type { SinkState } from '../server/schema/sensors.ts';
import type { ServerLog } from '../server/services.ts';
import type { StoreStatus } from '../store/store.ts';
import type { MetricReading } from '../tracing/metric-values.ts';
import type { LoadedConfig } from './config.ts';
import type { Demo } from './demo.ts';

/** A nametap that serves: where, what, and as whom. */
export interface Served {
  /** Where the page is, and the same with what signs in. */
  url: string;
  signIn: string;
  /** What is read, in words. */
  source: string;
  demo: Demo | null;
  /** The user it has become; undefined where nothing changed. */
  user: string | undefined;
}

export interface ServeHooks {
  signal: AbortSignal;
  version: string;
  log: ServerLog;
  /** `ship`: nothing is kept, everything goes to the sinks, and the end of files is the end. Absent: it serves. */
  role?: 'ship';
  /** The words that start it without a demo, for advice. */
  command: readonly string[];
  /** Called once, when page and input are open. */
  started(served: Served): void;
  /** Called when files were read to their end: how many transactions, and seconds since 1970 of the first and the last. */
  inputEnded?(transactions: number, from: number, to: number): void;
  /** Called once: what to do with a configuration that was read again. */
  reloading?(apply: (next: LoadedConfig) => void): void;
  counting?(counts: () => Ledger): void;
  /** Called once: what reads the metrics. */
  measure?(read: () => Promise<readonly MetricReading[]>): void;
}

export interface ServeResult {
  ledger: Ledger;
  damage: Damage[];
  /** Transactions that came, those that were kept, and those lost by cause. */
  received: number;
  stored: number;
  lost: Readonly<Record<string, number>>;
  store: StoreStatus;
  /** Sinks when they had ended. */
  sinks: readonly SinkState[];
}
