import { batch, type Signal, signal } from '@preact/signals';
import type { Transaction } from '../../../../src/server/schema/transactions.ts';
import { type ApiError, toApiError } from '../../api.ts';
import type { RowSource } from './source.ts';

export interface LogScope {
  from: string;
  to: string;
  f: string;
}
export interface Search {
  running: boolean;
  /** Part of what is left of the range that was looked at, 0 … 1. */
  share: number;
  /** How far back was looked, RFC 3339. */
  scannedTo: string | null;
  /** Rows looked at. */
  scanned: number;
  /** Where the next page begins; null = there is no more. */
  next: string | null;
  /** Stopped by the user before its end. */
  cancelled: boolean;
  error: ApiError | null;
}

const FIRST_PAGE = 100;
const NEXT_PAGE = 500;
/** Rows of the history kept; beyond it the search goes no further by itself. */
export const MOST_ROWS = 50_000;
const IDLE: Search = {
  running: false,
  share: 0,
  scannedTo: null,
  scanned: 0,
  next: null,
  cancelled: false,
  error: null,
};

/** The log of a scope: pages as they are asked for, streamed, newest first. */
export class Log {
  readonly rows: Signal<readonly Transaction[]> = signal([]);
  readonly search: Signal<Search> = signal(IDLE);
  readonly #source: RowSource;
  readonly #scope: LogScope;
  readonly #known = new Set<string>();
  /** Rows that searches found, and the time of the oldest of them. */
  reached = { found: 0, oldest: '' };
  #abort: AbortController | null = null;

  constructor(source: RowSource, scope: LogScope) {
    this.#source = source;
    this.#scope = scope;
  }

  start(): void {
    void this.#page(undefined, FIRST_PAGE);
  }

  /** Goes on where the last page ended. */
  more(): void {
    const { running, next, error } = this.search.value;
    if (running || next === null || error !== null || this.rows.value.length >= MOST_ROWS) return;
    void this.#page(next, NEXT_PAGE);
  }

  /** Looks again from where the user stopped, or an error did. */
  resume(): void {
    if (this.search.value.running) return;
    void this.#page(this.search.value.next ?? undefined, NEXT_PAGE);
  }

  /** Stops looking; what was found stays. */
  cancel(): void {
    this.#abort?.abort();
    this.search.value = { ...this.search.value, running: false, cancelled: true };
  }

  close(): void {
    this.#abort?.abort();
  }

  /** Rows of the live tail, newest first, in front of the others; those that are known are left out. */
  prepend(rows: readonly Transaction[], most: number): void {
    const fresh = rows.filter(({ transaction }) => !this.#known.has(transaction));
    if (fresh.length === 0) return;
    for (const { transaction } of fresh) this.#known.add(transaction);
    const all = [...fresh, ...this.rows.value];
    // A tail that runs for hours holds no more than this: what falls off the end is found again by searching.
    for (const { transaction } of all.splice(most)) this.#known.delete(transaction);
    this.rows.value = all;
  }

  async #page(after: string | undefined, limit: number): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.search.value = { ...this.search.value, running: true, share: 0, cancelled: false, error: null };
    try {
      await this.#source.page({ ...this.#scope, limit, after }, this.#listener(abort.signal), abort.signal);
      if (this.search.value.running) this.search.value = { ...this.search.value, running: false };
    } catch (thrown) {
      if (abort.signal.aborted) return;
      this.search.value = { ...this.search.value, running: false, error: toApiError(thrown) };
    }
  }

  #listener(stopped: AbortSignal): Parameters<RowSource['page']>[1] {
    return {
      rows: (rows) => {
        if (stopped.aborted) return;
        const fresh = rows.filter(({ transaction }) => !this.#known.has(transaction));
        for (const { transaction } of fresh) this.#known.add(transaction);
        this.reached = { found: this.reached.found + rows.length, oldest: rows.at(-1)?.time ?? this.reached.oldest };
        this.rows.value = [...this.rows.value, ...fresh];
      },
      progress: ({ scanned_to, scanned, share }) => {
        if (!stopped.aborted) this.search.value = { ...this.search.value, scannedTo: scanned_to, scanned, share };
      },
      end: ({ next, scanned_to }) => {
        if (stopped.aborted) return;
        batch(() => {
          this.search.value = { ...this.search.value, running: false, share: 1, scannedTo: scanned_to, next };
        });
      },
    };
  }
}

/**
 * How many rows pass of `all`, when `found` of the `looked` newest do: as many further back as until now. Null = nothing to
 * judge by.
 */
export function estimate(found: number, looked: number, all: number): number | null {
  if (found === 0 || looked <= 0) return null;
  const about = (found * all) / Math.max(found, looked);
  // No more digits than are known.
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(about)) - 1);
  return Math.max(found, Math.round(about / unit) * unit);
}
