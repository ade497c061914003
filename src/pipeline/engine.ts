import type { Carrier } from '../core/carrier.ts';
import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import type { CapturedInterface, FrameBatch } from '../core/frames.ts';
import { MessageJoin } from '../core/join.ts';
import { Ledger, OUTCOME } from '../core/ledger.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { type MatchOptions, Matcher, type MessagePredicate } from '../correlate/matcher.ts';
import { type DissectHandler, type DissectOptions, Dissector } from '../net/dissect.ts';
import type { SeenFlow } from '../net/encrypted-flows.ts';
import type { Unseal } from '../net/quic-initial.ts';
import { FAULT } from '../wire/fault.ts';
import { MessageView } from '../wire/message.ts';
import { BatchTimes } from './frame-times.ts';

/** What comes out of an engine. Carrier, view and join are filled again for the next message: copy what you keep. */
export interface EngineOutputs {
  /** Rows in order of closing time; the batch is the receiver's to keep or transfer, or (true) is filled again. */
  rows?(batch: TransactionBatch): unknown;
  /** Reads the messages of rows as they are written: batches hold none then. */
  reader?: MatchOptions['reader'];
  /** Every message that passes the filter, as it completes. */
  message?(carrier: Carrier, view: MessageView, join: MessageJoin): void;
  /** Every frame with its fate (FATE…). */
  frame?(carrier: Carrier, fate: number): void;
  /** When the fate of a query is known (see MatchOptions). */
  closed?: MatchOptions['closed'];
  /** Clients that speak encrypted DNS; `unseal` opens the first packets of QUIC. */
  encrypted?: { found(flow: EncryptedFlow): void; unseal?: Unseal };
}

export interface EngineOptions {
  dissect?: DissectOptions;
  match?: Omit<MatchOptions, 'closed' | 'reader'>;
  filter?: MessagePredicate | null;
  /** False where nothing asks how messages relate, and no rows are wanted: all messages stay `unpaired` then. */
  pairs?: boolean;
}

/**
 * Frames → messages → transactions, in one thread, pure: no I/O, no clock but the packets'.
 * Feed batches in capture order, then `finish()`; the ledger's equations then sum.
 */
export class Engine {
  readonly ledger = new Ledger();
  readonly #dissector: Dissector;
  readonly #matcher: Matcher;
  readonly #view = new MessageView();
  readonly #join = new MessageJoin();
  readonly #filter: MessagePredicate | null;
  readonly #outputs: EngineOutputs;
  readonly #pairs: boolean;
  // The highest frame time so far, also of frames that another worker takes.
  #seconds = Number.NEGATIVE_INFINITY;
  #nanos = 0;
  #batch: FrameBatch | null = null;
  readonly #times = new BatchTimes();
  /** Index of the next frame of the batch whose time has not been taken into account. */
  #seen = 0;

  constructor(options: EngineOptions, outputs: EngineOutputs) {
    this.#outputs = outputs;
    this.#join.times = this.#times;
    this.#filter = options.filter ?? null;
    this.#pairs = options.pairs !== false;
    this.#matcher = new Matcher(this.ledger, (batch) => outputs.rows?.(batch), {
      ...options.match,
      closed: outputs.closed,
      reader: outputs.reader,
    });
    const handler: DissectHandler = {
      message: (carrier) => this.message(carrier),
      unreachable: (carrier) => this.#unreachable(carrier),
    };
    if (outputs.frame) handler.frame = outputs.frame;
    const { encrypted } = outputs;
    if (encrypted) handler.encrypted = { found: (flow) => this.#flow(flow), unseal: encrypted.unseal };
    // Flow numbers are for people and filters: rows do not have them.
    const streams = outputs.message !== undefined || outputs.frame !== undefined || this.#filter !== null;
    this.#dissector = new Dissector(handler, this.ledger, { streams, ...options.dissect });
  }

  get openTransactions(): number {
    return this.#matcher.openTransactions;
  }

  /** Rows still to come close at or after this (`closeSeconds`, `closeNanos`). */
  get clock(): { seconds: number; nanos: number } {
    return this.#matcher.clock;
  }

  get sample(): number {
    return this.#dissector.sample;
  }

  /** Takes from here on the messages of one in so many clients. */
  set sample(rate: number) {
    this.#dissector.sample = rate;
  }

  /** The interfaces of the source that frames come from; the list may grow. */
  set interfaces(interfaces: readonly CapturedInterface[]) {
    this.#dissector.interfaces = interfaces;
  }

  /** Takes a batch of frames. */
  frames(batch: FrameBatch): void {
    this.#batch = batch;
    this.#seen = 0;
    this.#times.begin(batch);
    this.#dissector.frames(batch);
    this.#times.end();
    this.#advanceTo(batch.count);
    this.#batch = null;
  }

  /** Time passes without frames (idle live link): closes what timed out. */
  idle(seconds: number, nanos: number): void {
    if (seconds < this.#seconds || (seconds === this.#seconds && nanos <= this.#nanos)) return;
    this.#seconds = seconds;
    this.#nanos = nanos;
    this.#dissector.advance(seconds, nanos);
    this.#matcher.advance(seconds, nanos);
  }

  /** Hands over what is ready (live: after every read). */
  flush(): void {
    this.#matcher.flush();
  }

  /** The capture has ended. */
  finish(): void {
    this.#dissector.finish();
    this.#matcher.finish();
  }

  /** Takes one message (from the dissector, or from a source of messages such as dnstap). */
  message(carrier: Carrier): void {
    if (this.#pairs) {
      if (this.#batch !== null) this.#advanceFor(carrier.number);
      else this.#matcher.advance(carrier.seconds, carrier.nanos);
    }
    const ledger = this.ledger;
    const view = this.#view;
    ledger.decoded++;
    const fault = view.read(carrier.bytes, carrier.at, carrier.length, carrier.claimedLength);
    if (fault !== 0) {
      if (fault === FAULT.cut) ledger.cut++;
      else ledger.faults++;
    }
    if (this.#pairs) {
      if (!this.#matcher.add(carrier, view, this.#join, this.#filter)) return;
    } else {
      ledger.messages[OUTCOME.unpaired]++;
      if (this.#filter !== null && !this.#filter.matches(carrier, view, this.#join)) return;
    }
    ledger.shown++;
    this.#outputs.message?.(carrier, view, this.#join);
  }

  #unreachable(carrier: Carrier): void {
    if (!this.#pairs) return;
    this.#advanceFor(carrier.number);
    this.#view.read(carrier.bytes, carrier.at, carrier.length, carrier.claimedLength);
    this.#matcher.unreachable(carrier, this.#view);
  }

  /** An encrypted flow stands behind the rows that have closed by now, and before those that will. */
  #flow(flow: SeenFlow): void {
    if (this.#pairs) this.#advanceFor(flow.closeNumber);
    const { seconds, nanos } = this.#matcher.clock;
    this.#outputs.encrypted?.found({ ...flow, closeSeconds: seconds, closeNanos: nanos });
  }

  /** Moves the run clock to the frame of this number, over all frames before it. */
  #advanceFor(number: number): void {
    const batch = this.#batch;
    if (batch === null) return;
    let i = this.#seen;
    while (i < batch.count && batch.number[i] <= number) i++;
    this.#advanceTo(i);
  }

  #advanceTo(end: number): void {
    const batch = this.#batch as FrameBatch;
    const from = this.#seen;
    if (from >= end) return;
    const { seconds, nanos } = batch;
    let s = this.#seconds;
    let n = this.#nanos;
    for (let i = from; i < end; i++) {
      const t = seconds[i];
      if (t > s || (t === s && nanos[i] > n)) {
        s = t;
        n = nanos[i];
      } else if (t < s - 3600 && (t !== 0 || nanos[i] !== 0)) {
        // The clock was set back (a record without time has 0): the matcher has to see it.
        this.#matcher.advance(s, n);
        s = t;
        n = nanos[i];
        this.#matcher.advance(s, n);
      }
    }
    this.#seconds = s;
    this.#nanos = n;
    this.#seen = end;
    this.#matcher.advance(s, n);
  }
}
