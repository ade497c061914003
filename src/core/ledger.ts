/**
 * The loss ledger: every frame that came in has exactly one fate, every decoded message exactly one outcome.
 *
 *   frames received = frames that carried message bytes + Σ frame drops by cause
 *   messages decoded = joined + orphan + late + duplicate + evicted + unjoinable + unpaired
 *
 * Both hold at the end of a run, always (CONTRACTS: Transactions). During a run frames may be `held` in reassembly.
 */
export const FRAME_FATES = [
  'carried', // gave bytes to at least one message
  'held', // waits in a reassembly buffer; 0 when the run has ended
  'kernel', // dropped by the kernel: the ring was full
  'interface', // dropped by the card or driver
  'sampled', // of a client that was left out, by --sample or because the ring was full
  'not_ip', // ARP, LLC, no packet at all
  'not_dns', // IP, but no transport/port/heuristic of ours
  'no_payload', // TCP segment of a DNS flow without data (SYN, ACK, FIN, RST)
  'icmp', // ICMP error about a DNS datagram
  'encrypted', // DoT, DoH, DoQ, DNSCrypt: recognised, not decoded
  'cut', // the snapshot length cut it before the message
  'malformed', // a header contradicts itself or is cut by its own length
  'unsupported_link', // a link type we do not know
  'fragment_evicted', // fragment buffer was full or its time was over
  'fragment_unfinished', // the run ended before the last fragment came
  'fragment_overlap', // overlapping or repeated fragment (RFC 5722)
  'stream_evicted', // TCP buffer was full
  'stream_gap', // bytes behind a hole in which no message start was found
  'stream_unfinished', // the run or the stream ended within a message
  'segment_repeated', // TCP retransmission: nothing new in it
] as const;
export type FrameFate = (typeof FRAME_FATES)[number];

export const MESSAGE_OUTCOMES = [
  'joined', // query, copy of a query, or response of a transaction row
  'orphan', // response without a query
  'late', // response after its transaction was closed as unanswered (an orphan row that says so)
  'duplicate', // copy by a mirror port, or a further response to an answered query
  'evicted', // query pushed out of the full table
  'unjoinable', // no header, quoted, or not paired by design
  'unpaired', // nothing that was asked for needs pairs: not looked for
] as const;
export type MessageOutcome = (typeof MESSAGE_OUTCOMES)[number];

/** Index of each fate and outcome, for the counting arrays. */
export const FATE = Object.fromEntries(FRAME_FATES.map((name, i) => [name, i])) as Record<FrameFate, number>;
export const OUTCOME = Object.fromEntries(MESSAGE_OUTCOMES.map((name, i) => [name, i])) as Record<
  MessageOutcome,
  number
>;

export class Ledger {
  /** Frames by fate, index = FATE[…]. */
  readonly frames = new Float64Array(FRAME_FATES.length);
  /** Messages by outcome, index = OUTCOME[…]. */
  readonly messages = new Float64Array(MESSAGE_OUTCOMES.length);
  /** Frames received, kernel and interface drops included. */
  received = 0;
  /** Stages of the funnel that are not fates: IP packets, transport segments/datagrams with a DNS port. */
  packets = 0;
  segments = 0;
  /** Messages decoded: handed to the matcher. */
  decoded = 0;
  /** Messages, rows that passed the display filter (equal to decoded without one). */
  shown = 0;
  /** Messages with a fault, and those cut by the snapshot length. */
  faults = 0;
  cut = 0;

  add(other: Ledger): void {
    for (let i = 0; i < this.frames.length; i++) this.frames[i] += other.frames[i];
    for (let i = 0; i < this.messages.length; i++) this.messages[i] += other.messages[i];
    this.received += other.received;
    this.packets += other.packets;
    this.segments += other.segments;
    this.decoded += other.decoded;
    this.shown += other.shown;
    this.faults += other.faults;
    this.cut += other.cut;
  }

  /** What is wrong with the two equations, in words; empty when both sum. */
  imbalance(): string[] {
    const wrong: string[] = [];
    const frames = this.frames.reduce((a, b) => a + b, 0);
    if (frames !== this.received) wrong.push(`frames: ${this.received} received, ${frames} accounted for`);
    const messages = this.messages.reduce((a, b) => a + b, 0);
    if (messages !== this.decoded) wrong.push(`messages: ${this.decoded} decoded, ${messages} accounted for`);
    return wrong;
  }

  /** Plain value for JSON: only causes that occurred, `carried` always. */
  toJSON(): LedgerValue {
    const frames: Partial<Record<FrameFate, number>> = { carried: this.frames[FATE.carried] };
    FRAME_FATES.forEach((name, i) => {
      if (this.frames[i] > 0) frames[name] = this.frames[i];
    });
    const messages: Partial<Record<MessageOutcome, number>> = { joined: this.messages[OUTCOME.joined] };
    MESSAGE_OUTCOMES.forEach((name, i) => {
      if (this.messages[i] > 0) messages[name] = this.messages[i];
    });
    return {
      received: this.received,
      frames,
      packets: this.packets,
      segments: this.segments,
      decoded: this.decoded,
      messages,
      shown: this.shown,
      faults: this.faults,
      cut: this.cut,
    };
  }

  /** The sum of several, none of them changed. */
  static sum(ledgers: readonly Ledger[]): Ledger {
    const sum = new Ledger();
    for (const ledger of ledgers) sum.add(ledger);
    return sum;
  }

  static from(value: LedgerValue): Ledger {
    const ledger = new Ledger();
    for (const [name, n] of Object.entries(value.frames)) ledger.frames[FATE[name as FrameFate]] = n;
    for (const [name, n] of Object.entries(value.messages)) ledger.messages[OUTCOME[name as MessageOutcome]] = n;
    ledger.received = value.received;
    ledger.packets = value.packets;
    ledger.segments = value.segments;
    ledger.decoded = value.decoded;
    ledger.shown = value.shown;
    ledger.faults = value.faults;
    ledger.cut = value.cut;
    return ledger;
  }
}

export interface LedgerValue {
  received: number;
  frames: Partial<Record<FrameFate, number>>;
  packets: number;
  segments: number;
  decoded: number;
  messages: Partial<Record<MessageOutcome, number>>;
  shown: number;
  faults: number;
  cut: number;
}
