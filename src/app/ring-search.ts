import { setTimeout as sleep } from 'node:timers/promises';
import type { TransactionBatch } from '../core/transactions.ts';
import { registrable } from '../enrich/public-suffix.ts';
import { type Transaction, transactionValue } from '../rr/transaction.ts';
import type { TransactionsPage, TransactionsQuery } from '../store/store.ts';
import { safeText } from '../rr/value.ts';
import type { RunPlan } from './plan.ts';
import type { RingReader } from './ring-reader.ts';
import { runInline } from './run.ts';

const MILLION = 1_000_000n;
/** Rows close up to so much later than they begin. */
const OPEN = 40_000_000_000n;
/** How often a search says how far it is. */
const PROGRESS_MS = 250;
const DEFAULT_LIMIT = 100;

/** How packets become transactions, as the capture that wrote the ring does it. */
export type RingPlan = Pick<RunPlan, 'dissect' | 'match'> & { sensor?: string };

/**
 * Answers what only packets can, filters on fields of frames and their layers, by reading a ring again: as
 * `Store.transactions`, newest first. All packets of the range are read for every page.
 */
export async function* searchRing(
  ring: RingReader,
  plan: RingPlan,
  query: TransactionsQuery,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<TransactionsPage, void, undefined> {
  const { from, to, filter, limit = DEFAULT_LIMIT } = query;
  const paths = ring.pathsFor({ from: nanos(from), to: nanos(to) + OPEN });
  const newest = new Newest(query, limit);
  let share = 0;
  let isDone = paths.length === 0;
  const run = async (): Promise<void> => {
    const hooks = {
      signal,
      progress: (readBytes: number, totalBytes: number) => {
        share = totalBytes === 0 ? 0 : readBytes / totalBytes;
      },
    };
    let names: readonly { name?: string }[] = [];
    const opened = (source: { interfaces: typeof names }) => {
      names = source.interfaces;
    };
    const rows = (batch: TransactionBatch): true => {
      for (let i = 0; i < batch.count; i++) newest.add(batch, i, { name: names[batch.col.interfaceId[i]]?.name, plan });
      return true;
    };
    const { dissect, match } = plan;
    await runInline(
      { input: { kind: 'files', paths }, threads: 0, filter, dissect, match },
      { ...hooks, opened },
      { rows },
    );
    isDone = true;
  };
  const running = isDone ? Promise.resolve() : run();
  const ended = running.then(
    () => true,
    () => true,
  );
  // Files are read in the order of time: the newest rows are known last, and until then only how far the search is.
  while (!(await Promise.race([ended, sleep(PROGRESS_MS, false)]))) {
    yield { rows: [], scannedTo: to, scanned: newest.scanned, found: newest.found, share, next: null, done: false };
  }
  await running;
  signal.throwIfAborted();
  const rows = newest.take();
  const last = rows.at(-1);
  const next = newest.found > limit && last !== undefined ? cursorOf(last) : null;
  const scannedTo = next === null || last === undefined ? from : Date.parse(last.time);
  yield { rows, scannedTo, scanned: newest.scanned, found: rows.length, share: 1, next, done: true };
}

function nanos(ms: number): bigint {
  return BigInt(Math.floor(ms)) * MILLION;
}

/** The order of rows: time (of one length), then id. */
function cursorOf({ time, transaction }: Transaction): string {
  return `${time} ${transaction}`;
}

/** The newest rows of a range before a cursor. */
class Newest {
  scanned = 0;
  found = 0;
  readonly #query: TransactionsQuery;
  readonly #limit: number;
  #rows: Transaction[] = [];

  constructor(query: TransactionsQuery, limit: number) {
    this.#query = query;
    this.#limit = limit;
  }

  add(batch: TransactionBatch, i: number, { name, plan }: { name: string | undefined; plan: RingPlan }): void {
    const { from, to, after } = this.#query;
    const { openSeconds, openNanos } = batch.col;
    const ms = openSeconds[i] * 1000 + openNanos[i] / 1e6;
    this.scanned++;
    if (ms < from || ms >= to) return;
    const row = transactionValue(batch, i, {
      registrableDomain: registrable,
      ...(name !== undefined && { interfaceName: safeText(name) }),
      ...(plan.sensor !== undefined && { sensor: plan.sensor }),
    });
    if (after !== undefined && cursorOf(row) >= after) return;
    this.found++;
    this.#rows.push(row);
    if (this.#rows.length >= 4 * this.#limit + 1024) this.#rows = this.take();
  }

  /** Newest first. */
  take(): Transaction[] {
    return this.#rows.sort((a, b) => (cursorOf(a) < cursorOf(b) ? 1 : -1)).slice(0, this.#limit);
  }
}
