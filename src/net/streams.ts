import type { Carrier } from '../core/carrier.ts';
import { FATE, type Ledger } from '../core/ledger.ts';
import { FlowClock } from './flow-clock.ts';
import { Flows, NEW_DIRECTION, NEW_FLOW } from './flows.ts';
import { CELL_BYTES } from './pieces.ts';
import { IN_STEP, LOST, Reassembly, type Segment, UNKNOWN } from './reassembly.ts';
import { TcpNumbers } from './tcp-numbers.ts';
import { wider } from './wider.ts';

export { Segment } from './reassembly.ts';

export interface StreamOptions {
  /** Most bytes held in all (default 48 MiB), most flows remembered (default 65,536). */
  bytes?: number;
  flows?: number;
}

const SYN = 2;
const RST = 4;
const ACK = 16;
/** A message that did not go on for so long never will. */
const IDLE_SECONDS = 120;
/** Numbers further away than any window are another connection, whose SYN was not seen. */
const FAR_BYTES = 1 << 24;

// Lists of flows: those that hold nothing, those that hold bytes.
const IDLE = 0;
const HOLDING = 1;

/**
 * TCP segments of DNS flows → messages behind their 2-byte length prefix (RFC 7766 §8).
 *
 * `segment` returns the fate of the segment's frame, to be counted by the caller (`frames[fate] += segment.frames`).
 * Messages it completes are delivered before it returns, with the same carrier: `bytes`, `at`, `length`,
 * `claimedLength`, `messageInFrame`, `segmented`, `stream`, `setupNanos` are set here, all else is the caller's. What is
 * held and given up later is moved in the ledger here.
 */
export class TcpStreams {
  readonly #flows: Flows;
  readonly #others: Flows;
  readonly #reassembly: Reassembly;
  readonly #clock = new FlowClock();
  readonly #numbers = new TcpNumbers();
  #streams = 0;
  // Columns by flow.
  #number = new Float64Array(64);
  #otherNumber = new Float64Array(64);
  #touched = new Float64Array(64);
  #synSeconds = new Float64Array(64);
  #synNanos = new Uint32Array(64);
  #synSide = new Uint8Array(64);
  // Nanoseconds, NaN unknown; −1 − nanoseconds once a message of the connection was delivered.
  #setup = new Float64Array(64);

  constructor(deliver: (carrier: Carrier) => void, ledger: Ledger, options: StreamOptions = {}) {
    this.#flows = new Flows(options.flows ?? 65_536, 2);
    this.#others = new Flows(options.flows ?? 65_536);
    this.#reassembly = new Reassembly(deliver, ledger, options.bytes ?? 48 << 20);
  }

  /** Flows remembered, and bytes held for them. */
  get size(): { flows: number; bytes: number } {
    return { flows: this.#flows.table.count, bytes: this.#reassembly.pieces.used * CELL_BYTES };
  }

  segment(carrier: Carrier, segment: Segment): number {
    const reassembly = this.#reassembly;
    this.advance(carrier.seconds, carrier.nanos);
    const flow = this.#flow(carrier, segment);
    const d = flow * 2 + this.#flows.side;
    let { sequence } = segment;
    if ((segment.flags & SYN) !== 0) {
      sequence = (sequence + 1) >>> 0;
      if (reassembly.state(d) === UNKNOWN) reassembly.start(d, sequence, IN_STEP);
      else reassembly.opened(d, sequence);
    }
    // What a RST carries is a remark, not part of the stream (RFC 9293 §3.5.2).
    if (segment.claimed === 0 || (segment.flags & RST) !== 0) return FATE.no_payload;
    if (!reassembly.pieces.fits(segment.length)) this.#makeRoom(flow, d, segment.length);
    if (reassembly.state(d) === UNKNOWN || Math.abs(reassembly.ahead(d, sequence)) > FAR_BYTES) {
      reassembly.drop(d);
      reassembly.start(d, sequence, LOST);
    }
    carrier.stream = this.#number[flow];
    const setup = this.#setup[flow];
    carrier.setupIsNew = setup >= 0;
    carrier.setupNanos = carrier.setupIsNew ? setup : -1 - setup;
    const fate = reassembly.take(carrier, d, segment, sequence);
    this.#flows.table.move(flow, reassembly.holds(d) || reassembly.holds(d ^ 1) ? HOLDING : IDLE);
    carrier.setupNanos = Number.NaN;
    // A connection is set up once, however many messages it carries.
    if (carrier.setupIsNew && reassembly.delivered > 0) this.#setup[flow] = -1 - setup;
    return fate;
  }

  /** Number of a TCP flow that is not ours, so that numbers count as tshark's tcp.stream does. */
  other(carrier: Carrier, segment: Segment): number {
    const { table } = this.#others;
    let slot = this.#others.find(carrier, segment);
    if (slot < 0) {
      table.remove(table.oldest());
      slot = this.#others.find(carrier, segment);
    }
    if (slot >= this.#otherNumber.length) {
      this.#otherNumber = wider(this.#otherNumber, new Float64Array(table.capacity));
    }
    if (this.#others.change === NEW_FLOW) this.#otherNumber[slot] = this.#streams++;
    table.move(slot);
    return this.#otherNumber[slot];
  }

  /** Packet time has reached this: flows that hold bytes and were silent for two minutes let go of them. */
  advance(seconds: number, nanos: number): void {
    const now = seconds + nanos / 1e9;
    const { table } = this.#flows;
    for (let flow = table.oldest(HOLDING); flow >= 0; flow = table.oldest(HOLDING)) {
      const age = now - this.#touched[flow];
      if (age <= IDLE_SECONDS && age > -3600) break;
      this.#drop(flow, 0);
      table.move(flow, IDLE);
    }
  }

  /** The run has ended: what is held is counted as unfinished, or as lost behind a hole. */
  finish(): void {
    const { table } = this.#flows;
    for (let flow = table.oldest(HOLDING); flow >= 0; flow = table.oldest(HOLDING)) this.#forget(flow, 0);
    for (let flow = table.oldest(IDLE); flow >= 0; flow = table.oldest(IDLE)) this.#forget(flow, 0);
  }

  /** The segment's flow; what it begins is set up, what it ends is given up. */
  #flow(carrier: Carrier, segment: Segment): number {
    const flows = this.#flows;
    let flow = flows.find(carrier, segment);
    if (flow < 0) {
      const idle = flows.table.oldest(IDLE);
      this.#forget(idle >= 0 ? idle : flows.table.oldest(HOLDING), FATE.stream_evicted);
      flow = flows.find(carrier, segment);
    }
    if (flow >= this.#number.length) this.#grow();
    if (flows.change === NEW_FLOW) {
      this.#drop(flow, 0);
      this.#clock.begin(flow, carrier);
      this.#numbers.begin(flow);
      this.#number[flow] = this.#streams++;
      this.#synSeconds[flow] = -1;
      this.#setup[flow] = Number.NaN;
    } else if (flows.change === NEW_DIRECTION) this.#reassembly.drop(flow * 2 + flows.side);
    this.#touched[flow] = carrier.seconds + carrier.nanos / 1e9;
    this.#clock.tick(flow, carrier);
    if (segment.headerAt >= 0) this.#numbers.see(carrier, segment, flow * 2 + flows.side);
    if (Number.isNaN(this.#setup[flow])) this.#handshake(carrier, segment.flags, flow);
    return flow;
  }

  /** Set-up time: from the first SYN to the client's first ACK, which is the same from every place on the path. */
  #handshake(carrier: Carrier, flags: number, flow: number): void {
    if ((flags & (SYN | ACK)) === SYN) {
      if (this.#synSeconds[flow] >= 0) return;
      this.#synSeconds[flow] = carrier.seconds;
      this.#synNanos[flow] = carrier.nanos;
      this.#synSide[flow] = this.#flows.side;
    } else if ((flags & (SYN | RST | ACK)) === ACK && this.#synSeconds[flow] >= 0) {
      if (this.#synSide[flow] !== this.#flows.side) return;
      const nanos = (carrier.seconds - this.#synSeconds[flow]) * 1e9 + carrier.nanos - this.#synNanos[flow];
      if (nanos >= 0) this.#setup[flow] = nanos;
    }
  }

  /** Makes room for a segment's bytes: flows that hold bytes and are silent longest lose them, this one its own last. */
  #makeRoom(flow: number, d: number, bytes: number): void {
    const { table } = this.#flows;
    const { pieces } = this.#reassembly;
    table.move(flow, HOLDING);
    while (!pieces.fits(bytes)) {
      const oldest = table.oldest(HOLDING);
      if (oldest !== flow) {
        this.#drop(oldest, FATE.stream_evicted);
        table.move(oldest, IDLE);
      } else if (this.#reassembly.holds(d ^ 1)) this.#reassembly.drop(d ^ 1, FATE.stream_evicted);
      else this.#reassembly.abandon(d, FATE.stream_evicted);
    }
  }

  #drop(flow: number, fate: number): void {
    this.#reassembly.drop(flow * 2, fate);
    this.#reassembly.drop(flow * 2 + 1, fate);
  }

  #forget(flow: number, fate: number): void {
    this.#drop(flow, fate);
    this.#flows.table.remove(flow);
  }

  #grow(): void {
    const { capacity } = this.#flows.table;
    this.#number = wider(this.#number, new Float64Array(capacity));
    this.#touched = wider(this.#touched, new Float64Array(capacity));
    this.#synSeconds = wider(this.#synSeconds, new Float64Array(capacity));
    this.#synNanos = wider(this.#synNanos, new Uint32Array(capacity));
    this.#synSide = wider(this.#synSide, new Uint8Array(capacity));
    this.#setup = wider(this.#setup, new Float64Array(capacity));
    this.#clock.grow(capacity);
    this.#numbers.grow(capacity * 2);
    this.#reassembly.grow(capacity * 2);
  }
}
