import { Worker } from 'node:worker_threads';
import { type ExitCode, UserError } from '../core/errors.ts';
import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import type { CapturedInterface, Damage } from '../core/frames.ts';
import { Ledger, type LedgerValue } from '../core/ledger.ts';
import { TransactionBatch } from '../core/transactions.ts';
import type { ReportOptions, ReportState } from '../report/report.ts';
import { type PacketRingCounts, ringSum } from '../sinks/packet-ring.ts';
import { planFilter, type RunHooks, type RunPlan, type RunResult, type RunState, stateSum } from './plan.ts';
import { LineSlots } from './line-slots.ts';
import type { RenderedRows, RenderPlan } from './rendered.ts';

/** What the workers of a run produce. */
export type Job = { mode: 'rows' } | { mode: 'lines'; output: RenderPlan } | { mode: 'report'; options: ReportOptions };

/** Data a worker starts with. */
export interface WorkerStart {
  plan: RunPlan;
  job: Job;
  shard: number;
  shards: number;
  /** Live: number of the fan-out group. */
  group: number;
  /** Live: counts the members of the group. */
  joined: Int32Array;
  /** How the program was called, for advice. */
  command: string[];
  /** Int32: 0 = posts not yet consumed, 1 = stop. */
  control: SharedArrayBuffer;
  /** Where rendered rows are left (`LineSlots`). */
  lines?: SharedArrayBuffer;
}

/** Messages from a worker. */
export type WorkerMessage =
  | { kind: 'opened' }
  /** All interfaces known by now; comes before the first row that refers to a new one. */
  | { kind: 'interfaces'; interfaces: CapturedInterface[] }
  | { kind: 'rows'; buffer: ArrayBuffer | null; seconds: number; nanos: number }
  /** Rendered rows, in memory of their own or in a slot. */
  | { kind: 'lines'; rows: RenderedRows | null; seconds: number; nanos: number }
  | { kind: 'slot'; slot: number; count: number; length: number; seconds: number; nanos: number }
  /** Come before the rows behind them. */
  | { kind: 'encrypted'; flows: EncryptedFlow[] }
  | { kind: 'progress'; readBytes: number; totalBytes: number; frames: number }
  | { kind: 'counts'; ledger: LedgerValue; state: RunState; packets?: PacketRingCounts }
  | { kind: 'report'; state: ReportState }
  | { kind: 'end'; ledger: LedgerValue; damage: Damage[]; packets?: PacketRingCounts }
  | { kind: 'failed'; message: string; exit: ExitCode };

export interface PoolListener {
  rows?(worker: number, batch: TransactionBatch | null, seconds: number, nanos: number): void;
  lines?(worker: number, rows: RenderedRows | null, seconds: number, nanos: number): void;
  report?(state: ReportState): void;
  ended?(worker: number): void;
}

/** Posts of a worker that may wait for the main thread. */
export const MAX_WAITING = 8;

/**
 * Runs a plan on worker threads. Each worker opens the input itself and takes the frames of its shard, so no captured
 * byte crosses a thread; only sealed batches and finished reports are transferred. Shards below `first` are the
 * caller's.
 */
export async function runWorkers(
  plan: RunPlan,
  job: Job,
  hooks: RunHooks,
  listener: PoolListener,
  first = 0,
): Promise<RunResult> {
  // A wrong filter is told here, once, and not by every worker.
  planFilter(plan);
  const pool = new Pool(plan.threads, hooks, listener);
  return pool.run(plan, job, first);
}

class Pool {
  readonly #hooks: RunHooks;
  readonly #listener: PoolListener;
  readonly #workers: Worker[] = [];
  readonly #damage: Damage[] = [];
  readonly #interfaces: CapturedInterface[] = [];
  /** What each worker has counted, as it last said. */
  readonly #ledgers: Ledger[];
  readonly #states: RunState[];
  readonly #packets: (PacketRingCounts | undefined)[] = [];
  #opened = 0;

  constructor(shards: number, hooks: RunHooks, listener: PoolListener) {
    this.#hooks = hooks;
    this.#listener = listener;
    this.#ledgers = Array.from({ length: shards }, () => new Ledger());
    this.#states = this.#ledgers.map(() => ({ open: 0, ring: null, oneIn: 1 }));
  }

  async run(plan: RunPlan, job: Job, first: number): Promise<RunResult> {
    const shards = this.#ledgers.length;
    const group = (process.pid ^ 0x6e74) & 0xffff;
    const joined = new Int32Array(new SharedArrayBuffer(4));
    this.#hooks.counting?.(() => this.#sum());
    this.#hooks.watching?.(() => stateSum(this.#states));
    if (plan.packets !== undefined) this.#hooks.keeping?.(() => ringSum(this.#packets));
    try {
      const starts = this.#ledgers.map((_, shard) => {
        const control = new SharedArrayBuffer(8);
        return { plan, job, shard, shards, group, joined, control, command: process.argv };
      });
      await Promise.all(starts.slice(first).map((start) => this.#start(start)));
    } finally {
      for (const worker of this.#workers) void worker.terminate();
    }
    return { ledger: this.#sum(), damage: this.#damage, unreadable: 0, interfaces: this.#interfaces };
  }

  #sum(): Ledger {
    return Ledger.sum(this.#ledgers);
  }

  #start(given: WorkerStart): Promise<void> {
    const slots = given.job.mode === 'lines' ? new LineSlots() : undefined;
    const start = { ...given, lines: slots?.memory };
    const flags = new Int32Array(start.control);
    // Worker files run from source in a checkout (.ts) and from dist (.js) in the package.
    const worker = new Worker(new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url), {
      workerData: start,
    });
    this.#workers.push(worker);
    const stop = () => {
      Atomics.store(flags, 1, 1);
      Atomics.notify(flags, 0);
    };
    if (this.#hooks.signal.aborted) stop();
    this.#hooks.signal.addEventListener('abort', stop, { once: true });
    return new Promise<void>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`worker ${start.shard} ended with ${code}`)),
      );
      worker.on('message', (message: WorkerMessage) => {
        try {
          this.#take(start.shard, message, slots);
        } catch (error) {
          reject(error);
        }
        if (message.kind !== 'rows' && message.kind !== 'lines' && message.kind !== 'slot') return;
        const goOn = () => {
          Atomics.sub(flags, 0, 1);
          Atomics.notify(flags, 0);
        };
        const behind = this.#hooks.ready?.();
        if (behind === undefined) goOn();
        else void behind.then(goOn).catch(reject);
      });
    });
  }

  #take(shard: number, message: WorkerMessage, slots: LineSlots | undefined): void {
    switch (message.kind) {
      case 'opened':
        if (++this.#opened === this.#ledgers.length) this.#hooks.opened?.({ interfaces: this.#interfaces });
        break;
      case 'interfaces':
        // Every worker finds the same interfaces in the same order.
        this.#interfaces.push(...message.interfaces.slice(this.#interfaces.length));
        break;
      case 'rows': {
        const batch = message.buffer === null ? null : TransactionBatch.from(message.buffer);
        this.#listener.rows?.(shard, batch, message.seconds, message.nanos);
        this.#hooks.batchDone?.();
        break;
      }
      case 'lines':
        this.#listener.lines?.(shard, message.rows, message.seconds, message.nanos);
        this.#hooks.batchDone?.();
        break;
      case 'slot': {
        const { slot, count, length, seconds, nanos } = message;
        if (slots !== undefined) this.#listener.lines?.(shard, slots.rows(slot, count, length), seconds, nanos);
        this.#hooks.batchDone?.();
        break;
      }
      case 'encrypted':
        for (const flow of message.flows) this.#hooks.encrypted?.(flow);
        break;
      case 'progress':
        this.#hooks.progress?.(message.readBytes, message.totalBytes, message.frames);
        break;
      case 'counts':
        this.#ledgers[shard] = Ledger.from(message.ledger);
        this.#states[shard] = message.state;
        this.#packets[shard] = message.packets;
        break;
      case 'report':
        this.#listener.report?.(message.state);
        break;
      case 'failed':
        throw new UserError(message.message, message.exit);
      case 'end':
        this.#ledgers[shard] = Ledger.from(message.ledger);
        this.#packets[shard] = message.packets;
        // Every worker of a file run sees the same damage.
        if (this.#damage.length === 0) this.#damage.push(...message.damage);
        this.#listener.ended?.(shard);
        this.#hooks.batchDone?.();
        break;
    }
  }
}
