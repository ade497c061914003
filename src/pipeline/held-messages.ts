import { Carrier } from '../core/carrier.ts';
import { MessageJoin } from '../core/join.ts';
import { TransactionBatch } from '../core/transactions.ts';
import type { MessagePredicate } from '../correlate/matcher.ts';
import { MessageView } from '../wire/message.ts';
import type { EngineOutputs } from './engine.ts';

/** Most memory of what is held; beyond it the oldest goes on without its fate. */
const HELD_BYTES = 384 << 20;
/** What a message held takes beside its bytes (measured 1.2 KB, with them): small ones must not fill the memory. */
const HELD_OVERHEAD_BYTES = 1152;
/** Most frames remembered until their row is written: of as many rows as may be open. */
const MAX_PASSED = 1 << 21;
const QR_OFFSET = 2;
const HEADER_BYTES = 12;
const UDP_HEADER_BYTES = 8;

interface Held {
  carrier: Carrier;
  join: MessageJoin;
  bytes: number;
  isKnown: boolean;
  passes: boolean;
}

/**
 * Holds queries until their fate is known, and all messages behind them, so that filters and fields of it
 * (`dns.response_in`, `dns.response_missing`) work while streaming and the order stays that of the capture.
 *
 * It stands between an engine without a filter and what the run is for: give the engine `outputs`, and call `finish`
 * when the engine has finished.
 */
export class HeldMessages {
  /** Messages that passed, and those that went on without their fate because too much was held. */
  shown = 0;
  givenUp = 0;
  readonly outputs: EngineOutputs;
  readonly #filter: MessagePredicate | null;
  readonly #to: EngineOutputs;
  readonly #limit: number;
  readonly #queue: Held[] = [];
  /** Index of the oldest message in the queue; what lies before it is gone. */
  #first = 0;
  #bytes = 0;
  readonly #waiting = new Map<string, Held>();
  /** Fates told before the query itself came (it was answered early, or is a mirror's copy). */
  readonly #early = new Map<string, number>();
  /** Frames with a message that passed, until their row is written. */
  readonly #passed = new Set<number>();
  readonly #view = new MessageView();

  constructor(filter: MessagePredicate | null, to: EngineOutputs, limitBytes: number = HELD_BYTES) {
    this.#limit = limitBytes;
    this.#filter = filter;
    this.#to = to;
    this.outputs = {
      message: (carrier, _view, join) => this.#message(carrier, join),
      closed: (number, inFrame, response) => this.#closed(number, inFrame, response),
      ...(to.frame && { frame: to.frame }),
      ...(to.rows && { rows: (batch) => this.#rows(batch) }),
    };
  }

  /** The engine has finished: nothing more becomes known. */
  finish(): void {
    for (let i = this.#first; i < this.#queue.length; i++) this.#judge(this.#queue[i]);
    this.#drain();
  }

  #message(carrier: Carrier, join: MessageJoin): void {
    const held: Held = {
      carrier: copyOf(carrier),
      join: Object.assign(new MessageJoin(), join),
      bytes: HELD_OVERHEAD_BYTES + carrier.capturedLength + carrier.length,
      isKnown: false,
      passes: false,
    };
    this.#queue.push(held);
    this.#bytes += held.bytes;
    const isQuery = carrier.length >= HEADER_BYTES && (carrier.bytes[carrier.at + QR_OFFSET] & 0x80) === 0;
    const key = keyOf(carrier.number, carrier.messageInFrame);
    const early = this.#early.get(key);
    if (!isQuery) this.#judge(held);
    else if (early === undefined) this.#waiting.set(key, held);
    else {
      this.#early.delete(key);
      this.#fate(held, early);
    }
    while (this.#bytes > this.#limit) {
      const oldest = this.#queue[this.#first];
      if (!oldest.isKnown) this.givenUp++;
      this.#waiting.delete(keyOf(oldest.carrier.number, oldest.carrier.messageInFrame));
      this.#judge(oldest);
      this.#drain();
    }
    this.#drain();
  }

  #closed(number: number, inFrame: number, response: number): void {
    const key = keyOf(number, inFrame);
    const held = this.#waiting.get(key);
    if (held === undefined) {
      // Of a query that was given up nothing is kept; of one still to come a fate, or the map would grow.
      if (this.#early.size < 4096) this.#early.set(key, response);
      return;
    }
    this.#waiting.delete(key);
    this.#fate(held, response);
    this.#drain();
  }

  #fate(held: Held, response: number): void {
    held.join.responseIn = response;
    held.join.responseMissing = response === 0;
    this.#judge(held);
  }

  #judge(held: Held): void {
    if (held.isKnown) return;
    held.isKnown = true;
    const { carrier, join } = held;
    held.passes = this.#filter === null || this.#filter.matches(carrier, this.#read(carrier), join);
    if (!held.passes || this.#to.rows === undefined) return;
    this.#passed.add(carrier.number);
    // Copies of a mirror are in no row.
    if (this.#passed.size > MAX_PASSED) this.#passed.delete(this.#passed.values().next().value ?? 0);
  }

  #read({ bytes, at, length, claimedLength }: Carrier): MessageView {
    this.#view.read(bytes, at, length, claimedLength);
    return this.#view;
  }

  #drain(): void {
    while (this.#first < this.#queue.length && this.#queue[this.#first].isKnown) {
      const { carrier, join, passes, bytes } = this.#queue[this.#first++];
      this.#bytes -= bytes;
      if (!passes) continue;
      this.shown++;
      this.#to.message?.(carrier, this.#read(carrier), join);
    }
    if (this.#first > 4096 && this.#first * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** Rows of which a message passed. */
  #rows(batch: TransactionBatch): void {
    const passed = TransactionBatch.create(batch.capacity, batch.arena.length);
    for (let i = 0; i < batch.count; i++) {
      const { query, response } = batch.frames(i);
      let passes = false;
      for (const number of query) passes = this.#passed.delete(number) || passes;
      for (const number of response) passes = this.#passed.delete(number) || passes;
      if (passes) passed.append(batch, i);
    }
    if (passed.count > 0) this.#to.rows?.(passed);
  }
}

function keyOf(number: number, inFrame: number): string {
  return `${number}.${inFrame}`;
}

/** A carrier with memory of its own. */
function copyOf(carrier: Carrier): Carrier {
  const copy = Object.assign(new Carrier(), carrier, {
    trail: carrier.trail.slice(0, 3 * carrier.trailLength),
    trailNanos: carrier.trailNanos.slice(0, 2 * carrier.trailLength),
  });
  const { frame, frameAt, capturedLength } = carrier;
  copy.frame = frame.slice(frameAt, frameAt + capturedLength);
  copy.frameAt = 0;
  for (const key of ['ethernetAt', 'vlanAt', 'ipAt', 'transportAt'] as const) {
    if (carrier[key] >= 0) copy[key] = carrier[key] - frameAt;
  }
  const inFrame =
    carrier.bytes === frame && carrier.at >= frameAt && carrier.at + carrier.length <= frameAt + capturedLength;
  if (inFrame) {
    copy.bytes = copy.frame;
    copy.at = carrier.at - frameAt;
  } else {
    // With what stands before it in a reassembly buffer: the UDP header, or the length of a message over TCP.
    copy.at = Math.min(carrier.at, UDP_HEADER_BYTES);
    copy.bytes = carrier.bytes.slice(carrier.at - copy.at, carrier.at + carrier.length);
  }
  return copy;
}
