import { registrable } from '../enrich/public-suffix.ts';
import { type FrameInput, inputOf, openInput } from '../app/input.ts';
import { addLoss } from '../app/plan.ts';
import { UserError } from '../core/errors.ts';
import type { CapturedInterface, Damage, Source } from '../core/frames.ts';
import type { LedgerValue } from '../core/ledger.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { PathLinker } from '../correlate/path.ts';
import { compileFilter } from '../filter/compile.ts';
import { Engine, type EngineOptions } from '../pipeline/engine.ts';
import { type Transaction, type TransactionExtra, transactionValue } from '../rr/transaction.ts';
import type { CaptureOptions, ReadCaptureOptions } from './index.ts';

/** When a query counts as unanswered, a response as late. */
export interface MatchTimes {
  /** Unanswered this long after the last copy of the query, milliseconds; 5000 unless told. */
  timeoutMs?: number;
  /** A response is late, no orphan, up to this long after the last copy, milliseconds; 30,000 unless told. */
  lateMs?: number;
  /** A response may be stamped this much before its query, milliseconds; 1 unless told. */
  skewMs?: number;
}

/** The matcher's options of these times. */
export function matchOptions({ timeoutMs, lateMs, skewMs }: MatchTimes): NonNullable<EngineOptions['match']> {
  return {
    ...(timeoutMs !== undefined && { timeoutNanos: timeoutMs * 1e6 }),
    ...(lateMs !== undefined && { lateNanos: lateMs * 1e6 }),
    ...(skewMs !== undefined && { skewNanos: skewMs * 1e6 }),
  };
}

/** A running read: its transactions by `for await` (once), and what is known of the frames so far. */
export class Transactions implements AsyncIterable<Transaction> {
  readonly #input: FrameInput | readonly string[];
  readonly #options: ReadCaptureOptions;
  readonly #engine: Engine;
  readonly #paths: PathLinker;
  readonly #closed: { batch: TransactionBatch; from: number; to: number }[] = [];
  #source: Source | undefined;
  #told = 0;

  /** `input`: interfaces, or the paths of files or of a folder. */
  constructor(input: FrameInput | readonly string[], options: CaptureOptions) {
    const { filter, compat, udpPorts, tcpPorts, heuristic = !('kind' in input) } = options;
    this.#input = input;
    this.#options = options;
    this.#paths = new PathLinker((batch, from, to) => this.#closed.push({ batch, from, to }));
    this.#engine = new Engine(
      {
        dissect: { udpPorts, tcpPorts, heuristic },
        match: matchOptions(options),
        filter: filter === undefined ? null : compileFilter(filter, { compat }),
      },
      { rows: (batch) => this.#paths.add(batch) },
    );
  }

  /** What became of every frame and message so far. Both equations sum once the reading has ended. */
  get ledger(): LedgerValue {
    return this.#engine.ledger.toJSON();
  }

  /** Files that were cut or corrupt so far, with the byte offset. */
  get damage(): readonly Damage[] {
    return this.#source?.damage ?? [];
  }

  /** Interfaces known so far. */
  get interfaces(): readonly CapturedInterface[] {
    return this.#source?.interfaces ?? [];
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Transaction> {
    if (this.#source !== undefined) throw new Error('A capture is read once: call readCapture again.');
    const signal = this.#options.signal ?? new AbortController().signal;
    const source = await openInput('kind' in this.#input ? this.#input : framesOf(this.#input));
    this.#source = source;
    const engine = this.#engine;
    for await (const batch of source.batches(signal)) {
      if (batch.count > 0) engine.frames(batch);
      if (source.live) {
        if (batch.count === 0) idle(engine);
        engine.flush();
        if (batch.count === 0) this.#paths.advance(engine.clock.seconds, engine.clock.nanos);
      }
      yield* this.#take(source);
      if (signal.aborted) break;
    }
    engine.finish();
    this.#paths.end();
    addLoss(engine.ledger, source.loss());
    yield* this.#take(source);
  }

  /** The rows closed so far, as values. */
  *#take(source: Source): Generator<Transaction> {
    for (; this.#told < source.damage.length; this.#told++) this.#options.onDamage?.(source.damage[this.#told]);
    const extra: TransactionExtra = { registrableDomain: registrable };
    for (const { batch, from, to } of this.#closed.splice(0)) {
      for (let i = from; i < to; i++) {
        extra.interfaceName = source.interfaces[batch.col.interfaceId[i]]?.name;
        yield transactionValue(batch, i, extra);
      }
    }
  }
}

function framesOf(paths: readonly string[]): FrameInput {
  const input = inputOf(paths);
  if (input.kind !== 'dnstap') return input;
  throw new UserError(`${paths.join(', ')} holds dnstap messages, no frames: 'nametap read' reads it.`);
}

/** Without frames the wall clock moves the run clock, one second behind: packets may still be on their way. */
function idle(engine: Engine): void {
  const now = Date.now() - 1000;
  engine.idle(Math.floor(now / 1000), (now % 1000) * 1e6);
}
