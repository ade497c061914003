import { randomBytes } from 'node:crypto';
import type { TransactionBatch } from '../core/transactions.ts';
import type { Transaction } from '../rr/transaction.ts';
import { type EventSink, eventStream } from './event-stream.ts';
import { ProblemError } from './problem.ts';
import type { TailState } from './schema/overview.ts';
import type { LiveRows } from './services.ts';

/** Tails at a time, those whose client is away included. */
const MOST_TAILS = 64;
/** How often rows go out. */
const FLUSH_MS = 200;
const STATE_MS = 1000;
/** How long a tail waits for its client to come back, and how many transactions it keeps for it. */
const AWAY_MS = 60_000;
const MOST_KEPT = 2000;

type RowFilter = (batch: TransactionBatch, row: number) => boolean;

/** Rows of one event, kept until they are too old to be asked for again. */
interface Sent {
  number: number;
  rows: Transaction[];
  shown: number;
  of: number;
  /** Of all events up to this one. */
  total: number;
}

export interface TailOptions {
  f: string;
  /** Most transactions a second. */
  rate: number;
  /** `Last-Event-ID` of a client that comes back. */
  lastEvent: string | undefined;
}

/** Live transactions for everyone who looks: filtered here, limited in rate, resumable, bounded. */
export class Tails {
  /** Clients dropped because they were too slow, and those that found no place. */
  slow = 0;
  refused = 0;
  /** Transactions sent. */
  shown = 0;
  readonly #live: LiveRows;
  readonly #state: () => Promise<TailState>;
  readonly #now: () => number;
  readonly #failed: (error: unknown) => void;
  readonly #tails = new Map<string, Tail>();
  #unsubscribe: (() => void) | null = null;
  #timer: NodeJS.Timeout | undefined;
  #stateAt = 0;
  #isAsking = false;
  #hasFailed = false;

  /** `state` is asked once a second for all of them; `failed` is told when it cannot be had, once until it can again. */
  constructor(live: LiveRows, state: () => Promise<TailState>, now: () => number, failed: (error: unknown) => void) {
    this.#live = live;
    this.#state = state;
    this.#now = now;
    this.#failed = failed;
  }

  /** Tails that are open, their clients there or away for a moment. */
  get open(): number {
    return this.#tails.size;
  }

  /** A stream of events. Throws FilterError, ProblemError when there are too many. */
  stream({ f, rate, lastEvent }: TailOptions): Response {
    const filter = f === '' ? null : this.#live.filter(f);
    const [key, number, total] = lastEvent?.split('-') ?? [];
    const known = key === undefined ? undefined : this.#tails.get(key);
    if (known !== undefined && known.f === f && known.rate === rate) {
      return this.#attach(known, { number: Number(number), total: Number(total) });
    }
    if (this.#tails.size >= MOST_TAILS && !this.#forgetAway()) {
      this.refused++;
      throw new ProblemError(503, `${MOST_TAILS} live tails are open: close one, or try again in a minute.`, {}, RETRY);
    }
    const tail = new Tail({ key: randomBytes(8).toString('hex'), f, rate, filter }, this.#live);
    this.#tails.set(tail.key, tail);
    this.#start();
    return this.#attach(tail, lastEvent === undefined ? { number: 0, total: 0 } : null);
  }

  /** Ends all of them. */
  close(): void {
    for (const tail of this.#tails.values()) tail.sink?.close();
    this.#tails.clear();
    this.#stop();
  }

  /** `last`: the event that the client has seen; null when we do not know it. */
  #attach(tail: Tail, last: Seen | null): Response {
    tail.sink?.close();
    return eventStream((sink) => {
      tail.resume(sink, last, this.#now());
      return () => {
        if (tail.sink !== sink) return;
        tail.sink = null;
        tail.awaySince = this.#now();
      };
    });
  }

  #start(): void {
    if (this.#unsubscribe !== null) return;
    this.#unsubscribe = this.#live.subscribe((batch, from, to) => {
      for (const tail of this.#tails.values()) tail.take(batch, from, to);
    });
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS);
    this.#timer.unref();
  }

  #stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    clearInterval(this.#timer);
  }

  #flush(): void {
    const now = this.#now();
    for (const tail of this.#tails.values()) {
      if (tail.sink === null && now - tail.awaySince > AWAY_MS) this.#tails.delete(tail.key);
      else {
        const wasThere = tail.sink !== null;
        this.shown += tail.flush(now);
        if (wasThere && tail.sink === null) this.slow++;
      }
    }
    if (this.#tails.size === 0) this.#stop();
    else if (now - this.#stateAt >= STATE_MS && !this.#isAsking) void this.#tell(now);
  }

  async #tell(now: number): Promise<void> {
    this.#stateAt = now;
    this.#isAsking = true;
    try {
      const state = await this.#state();
      for (const tail of this.#tails.values()) tail.sink?.send('state', state);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#failed(error);
      this.#hasFailed = true;
    } finally {
      this.#isAsking = false;
    }
  }

  /** Gives the place of a client that is away to another. */
  #forgetAway(): boolean {
    for (const [key, { sink }] of this.#tails) {
      if (sink === null) return this.#tails.delete(key);
    }
    return false;
  }
}

/** Number of an event, and of the transactions up to it. */
interface Seen {
  number: number;
  total: number;
}

const RETRY = { 'Retry-After': '60' };

class Tail {
  readonly key: string;
  readonly f: string;
  readonly rate: number;
  sink: EventSink | null = null;
  awaySince = 0;
  readonly #filter: RowFilter | null;
  readonly #live: LiveRows;
  readonly #sent: Sent[] = [];
  #kept = 0;
  #number = 0;
  #total = 0;
  /** What came since the last flush. */
  #rows: Transaction[] = [];
  #of = 0;
  /** Transactions that may still be shown, filled up by time. */
  #allowance: number;
  #filledAt = 0;

  constructor(
    { key, f, rate, filter }: { key: string; f: string; rate: number; filter: RowFilter | null },
    live: LiveRows,
  ) {
    this.key = key;
    this.f = f;
    this.rate = rate;
    this.#filter = filter;
    this.#live = live;
    this.#allowance = rate;
  }

  /** Takes what passes; what does not fit the rate is only counted. */
  take(batch: TransactionBatch, from: number, to: number): void {
    for (let row = from; row < to; row++) {
      if (this.#filter !== null && !this.#filter(batch, row)) continue;
      this.#of++;
      if (this.#allowance < 1) continue;
      this.#allowance--;
      this.#rows.push(this.#live.value(batch, row));
    }
  }

  /** Sends what came; how many were sent. */
  flush(now: number): number {
    const passed = Math.min(1000, Math.max(0, now - this.#filledAt));
    this.#filledAt = now;
    this.#allowance = Math.min(Math.max(1, this.rate / 4), this.#allowance + (this.rate * passed) / 1000);
    if (this.#of === 0) return 0;
    this.#total += this.#of;
    const event = {
      number: ++this.#number,
      rows: this.#rows,
      shown: this.#rows.length,
      of: this.#of,
      total: this.#total,
    };
    this.#rows = [];
    this.#of = 0;
    this.#sent.push(event);
    this.#kept += event.rows.length;
    while (this.#kept > MOST_KEPT && this.#sent.length > 1) this.#kept -= this.#sent.shift()?.rows.length ?? 0;
    return this.#send(event) ? event.shown : 0;
  }

  /** Goes on behind event `last`, and says what is gone. */
  resume(sink: EventSink, last: Seen | null, now: number): void {
    this.sink = sink;
    if (this.#filledAt === 0) this.#filledAt = now;
    const isKnown = last !== null && last.number >= 0 && last.number <= this.#number && last.total >= 0;
    const oldest = this.#sent[0];
    if (!isKnown) sink.send('gap', { missed: null });
    else if (oldest !== undefined && last.number + 1 < oldest.number) {
      sink.send('gap', { missed: Math.max(0, oldest.total - oldest.of - last.total) });
    }
    for (const event of this.#sent) {
      if ((!isKnown || event.number > last.number) && !this.#send(event)) return;
    }
  }

  #send({ number, rows, shown, of, total }: Sent): boolean {
    if (this.sink === null) return false;
    if (this.sink.send('rows', { rows, shown, of }, `${this.key}-${number}-${total}`)) return true;
    this.sink = null;
    return false;
  }
}
