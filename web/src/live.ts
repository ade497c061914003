import { signal } from '@preact/signals';
import type { TailGap, TailRows, TailState } from '../../src/server/schema/overview.ts';
import type { Transaction } from '../../src/server/schema/transactions.ts';
import { call, readEvents, toApiError, type ApiError } from './api.ts';

/** A line of the tail: a transaction, or how many are not shown here (null = not known). */
export type TailEntry =
  | { key: string; row: Transaction; gap?: undefined }
  | { key: string; gap: number | null; row?: undefined };

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** The server says how it is each second. */
const SILENCE_MS = 15_000;

/**
 * Transactions as they come, newest first, bounded: the server sends at most `rate` a second and says of how many. While
 * paused, rows wait (the same bound; what does not fit becomes a gap) and nothing on the screen moves. Reconnects by itself
 * and resumes by event id; what was missed is a gap.
 */
export class Tail {
  /** Newest first. */
  readonly entries = signal<readonly TailEntry[]>([]);
  /** Rows that wait while paused. */
  readonly waiting = signal(0);
  readonly paused = signal(false);
  /** `open`: rows come; `waiting`: will be tried again. */
  readonly status = signal<'connecting' | 'open' | 'waiting'>('connecting');
  readonly error = signal<ApiError | null>(null);
  /** Part of the transactions that is shown, 0 … 1; null before the first. */
  readonly shown = signal<number | null>(null);
  private readonly capacity: number;
  private readonly onState: (state: TailState) => void;
  private readonly abort = new AbortController();
  private pending: TailEntry[] = [];
  private frame = 0;
  private keys = 0;

  constructor({ f, rate, capacity = 200, onState = () => undefined }: TailOptions) {
    this.capacity = capacity;
    this.onState = onState;
    void this.follow(call('/tail', { f, rate }).url);
  }

  pause(): void {
    this.paused.value = true;
  }

  resume(): void {
    this.paused.value = false;
    this.schedule();
  }

  close(): void {
    this.abort.abort();
    cancelAnimationFrame(this.frame);
  }

  private async follow(url: string): Promise<void> {
    const { signal } = this.abort;
    let lastId = '';
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      this.status.value = 'connecting';
      try {
        lastId = await readEvents(url, (event) => this.take(event.event, event.data), {
          signal,
          lastId,
          silenceMs: SILENCE_MS,
          onOpen: () => {
            this.status.value = 'open';
            this.error.value = null;
            wait = FIRST_WAIT_MS;
          },
        });
      } catch (thrown) {
        if (signal.aborted) return;
        this.error.value = toApiError(thrown);
        const { status } = this.error.value.problem;
        // A wrong filter stays wrong, and the session is asked for elsewhere.
        if (status >= 400 && status < 500 && status !== 429) return;
      }
      this.status.value = 'waiting';
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(LONGEST_WAIT_MS, wait * 2);
    }
  }

  private take(event: string, data: string): void {
    if (event === 'state') this.onState(JSON.parse(data) as TailState);
    else if (event === 'gap') this.addGap((JSON.parse(data) as TailGap).missed);
    else if (event === 'rows') {
      const { rows, shown, of } = JSON.parse(data) as TailRows;
      for (const row of rows) this.pending.push({ key: `${++this.keys}`, row });
      if (of > 0) this.shown.value = shown / of;
    } else return;
    this.bound();
    if (this.paused.value) this.waiting.value = this.pending.length;
    else this.schedule();
  }

  private addGap(missed: number | null): void {
    if (missed !== 0) this.pending.push({ key: `${++this.keys}`, gap: missed });
  }

  /** What waits is bounded like what is shown: the oldest become one gap. */
  private bound(): void {
    const over = this.pending.length - this.capacity;
    if (over <= 0) return;
    let missed = 0;
    for (const entry of this.pending.splice(0, over + 1)) missed += entry.gap ?? 1;
    this.pending.unshift({ key: `${++this.keys}`, gap: missed });
  }

  /** At most once a frame; a page out of sight draws nothing. */
  private schedule(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.paused.value || this.pending.length === 0) return;
      const fresh = this.pending.reverse();
      this.pending = [];
      this.waiting.value = 0;
      this.entries.value = [...fresh, ...this.entries.value].slice(0, this.capacity);
    });
  }
}

export interface TailOptions {
  /** A filter, run on the server. */
  f?: string | undefined;
  /** Most rows a second. */
  rate: number;
  /** Most rows kept. */
  capacity?: number;
  /** State of the system, once a second. */
  onState?: (state: TailState) => void;
}
