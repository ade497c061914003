import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import { TransactionBatch, WORTH_MOVING } from '../core/transactions.ts';
import { type Privacy, keepsTransactions } from '../enrich/privacy.ts';
import { isOwnFlow, ownRows } from './own-rows.ts';
import type { Origin, Store } from '../store/store.ts';

/** Rows wait this long for more, so that the store gets few full batches and not many small ones. */
const GATHER_MS = 200;
/** Batches of a file that may wait for the store before reading stops. */
const MOST_WAITING = 2;

/** Added to closing times whenever the clock was set back (see TransactionBatch). */
const ERA = 2 ** 40;

/** Takes rows [from, to) of a batch, in place, in order. */
export interface RowTaker {
  /** `own`: rows that nametap's own client made; null = none. */
  rows(batch: TransactionBatch, from: number, to: number, own?: ReadonlySet<number> | null): void;
  /** Clients that speak encrypted DNS, in order among the rows. */
  encrypted?(flow: EncryptedFlow): void;
}

export interface IntakeOptions {
  store: Pick<Store, 'append'>;
  origin: Origin;
  /** Hides what must not be kept or shown; null = nothing. */
  privacy: Privacy | null;
  /** Who reads rows in place: the live tail, sinks. */
  takers: readonly RowTaker[];
  /** True where the source can wait (files); a live capture drops what the store cannot take. */
  waits: boolean;
  /** Sockets of nametap's commands on this machine, read before rows are told apart; null = none. */
  register?: { read(): void } | null;
  /** What to do with an error of the store; its rows are counted. */
  failed(error: unknown): void;
}

/**
 * What every transaction passes between the engine and what is kept of it: privacy first, then live tail and sinks in
 * place, then the store. Counts what became of each row: `received = stored + waiting + Σ lost`.
 */
export class Intake {
  /** Rows that came from the engine, those the store took, and those lost, by cause. */
  received = 0;
  stored = 0;
  readonly lost: Record<'store_queue' | 'store_failed', number> = { store_queue: 0, store_failed: 0 };
  /** Rows that nametap's own client made: kept, but left out of baselines and detectors. */
  own = 0;
  /** Milliseconds from the packet that closed the last row until it was here (live captures). */
  lagMs = 0;
  /** Seconds since 1970 of the oldest and the newest transaction; Infinity and -Infinity before the first. */
  oldest = Number.POSITIVE_INFINITY;
  newest = Number.NEGATIVE_INFINITY;
  privacy: Privacy | null;
  takers: readonly RowTaker[];
  readonly #options: IntakeOptions;
  /** Rows that wait for more of them; a batch that is whole enough goes on as it is. */
  #gathered = TransactionBatch.create();
  #timer: NodeJS.Timeout | undefined;
  /** The appends under way, in order. */
  #appending: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.privacy = options.privacy;
    this.takers = options.takers;
  }

  /** Rows on their way into the store. */
  get waiting(): number {
    return this.received - this.stored - this.lost.store_queue - this.lost.store_failed;
  }

  /** Takes rows [from, to) in order (a `RowsListener`). A batch that comes whole is kept. */
  rows(batch: TransactionBatch, from: number, to: number): void {
    if (to <= from) return;
    this.received += to - from;
    const { closeSeconds, closeNanos } = batch.col;
    this.lagMs = Math.max(0, Date.now() - (closeSeconds[to - 1] % ERA) * 1000 - closeNanos[to - 1] / 1e6);
    const { openSeconds } = batch.col;
    for (let i = from; i < to; i++) {
      if (openSeconds[i] < this.oldest) this.oldest = openSeconds[i];
      if (openSeconds[i] > this.newest) this.newest = openSeconds[i];
    }
    this.#options.register?.read();
    const own = ownRows(batch, from, to);
    if (own !== null) this.own += own.size;
    this.privacy?.apply(batch, from, to);
    // At the level that keeps only counts nobody sees a single transaction.
    if (this.privacy === null || keepsTransactions(this.privacy.settings)) {
      for (const taker of this.takers) taker.rows(batch, from, to, own);
    }
    if (from === 0 && to === batch.count && to >= WORTH_MOVING) {
      this.flush();
      this.#append(batch);
      return;
    }
    for (let at = from; at < to; ) {
      const taken = this.#gathered.appendRange(batch, at, to);
      at += taken;
      if (taken === 0) this.flush();
    }
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  /** Takes an encrypted flow, in order among the rows; it is not kept. */
  encrypted(flow: EncryptedFlow): void {
    this.#options.register?.read();
    if (isOwnFlow(flow)) return;
    const shown = this.privacy === null ? flow : this.privacy.flow(flow);
    if (this.privacy !== null && !keepsTransactions(this.privacy.settings)) return;
    for (const taker of this.takers) taker.encrypted?.(shown);
  }

  /** What has to happen before more is read (`RunHooks.ready`). */
  ready(): Promise<void> | undefined {
    return this.#options.waits && this.#waiting > MOST_WAITING ? this.#appending : undefined;
  }

  /** Sends what was gathered on its way. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#gathered.count === 0) return;
    const batch = this.#gathered;
    if (batch.count >= WORTH_MOVING) {
      this.#gathered = TransactionBatch.create();
      this.#append(batch);
      return;
    }
    this.#append(TransactionBatch.copyOf(batch));
    batch.count = 0;
    batch.used = 0;
  }

  /** Resolves when every row that came is with the store, or counted as lost. */
  async settle(): Promise<void> {
    this.flush();
    await this.#appending;
  }

  #append(batch: TransactionBatch): void {
    this.#waiting++;
    this.#appending = this.#hand(batch, this.#appending);
  }

  /** Gives a batch to the store once the one before is there. */
  async #hand(batch: TransactionBatch, before: Promise<void>): Promise<void> {
    const { store, origin, waits, failed } = this.#options;
    // Its buffer is another thread's afterwards.
    const { count } = batch;
    await before;
    try {
      if (await store.append(batch, origin, waits)) this.stored += count;
      else this.lost.store_queue += count;
    } catch (error) {
      this.lost.store_failed += count;
      failed(error);
    } finally {
      this.#waiting--;
    }
  }
}
