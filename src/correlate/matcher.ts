import { type Carrier, DNS, MDNS, UDP } from '../core/carrier.ts';
import type { MessageJoin } from '../core/join.ts';
import { type Ledger, OUTCOME } from '../core/ledger.ts';
import type { Network } from '../core/network.ts';
import type { Vantage } from '../core/transactions.ts';
import { FAULT } from '../wire/fault.ts';
import { ANSWER, type MessageView } from '../wire/message.ts';
import { equalNames, hashName, mix, skipName } from '../wire/name.ts';
import { Words } from '../core/words.ts';
import { Legs } from './legs.ts';
import * as Slot from './open-slot.ts';
import { OpenTable } from './open-table.ts';
import { type Closed, Recent } from './recent.ts';
import { type BatchListener, type RowReader, RowWriter } from './rows.ts';

/** Says whether a message passes a filter (see filter/compile). */
export interface MessagePredicate {
  matches(carrier: Carrier, view: MessageView, join: MessageJoin): boolean;
}

export interface MatchOptions {
  /** Unanswered after this long since the last query copy (default 5 s). */
  timeoutNanos?: number;
  /** A response is late, not an orphan, up to this long after the last copy (default 30 s). */
  lateNanos?: number;
  /** A response may be stamped this much before its query (default 1 ms). */
  skewNanos?: number;
  /** The same datagram again within this time is a copy by a mirror port (default 20 ms). */
  mirrorNanos?: number;
  /** Most open transactions (default 2^20); the one nearest to its time-out is evicted and counted. */
  limit?: number;
  /** Most bytes of messages over 128 bytes kept while their transactions are open (default 64 MiB); else as `limit`. */
  keptBytes?: number;
  /** Where the sensor stands, and at a resolver its addresses: says which leg a row is of (default: unknown). */
  vantage?: Vantage;
  resolvers?: readonly Network[];
  /** Called when the fate of a query is known: its number and message in frame, and the response's frame (0 = none). */
  closed?: (queryNumber: number, queryInFrame: number, responseNumber: number) => void;
  /** Reads the messages of rows as they are written; rows hold none then. */
  reader?: RowReader;
}

// A copy of this module: the compiler knows its values, those of imported names it reads from memory (decision 10).
const T = { ...Slot };
const TYPE_SOA = 6;
const TYPE_IXFR = 251;
const TYPE_AXFR = 252;
/** A step back of the capture clock beyond this starts a new run clock. */
const CLOCK_STEP_NANOS = 3600e9;
/** Most open transactions with the same ends, ports and id; the oldest is evicted. */
const MAX_SAME_KEY = 32;
/** Chains of the table of truncated answers. */
const PAIR_CHAINS = 1 << 14;
/** `closeSeconds` grows by this each time the clock is set back: rows stay in the order in which they were closed. */
const ERA_SECONDS = 2 ** 40;
/** Added to the close number of rows closed because the capture ended or the clock was set back: they come last. */
const LAST_NUMBERS = 2 ** 52;

/** How a row was closed: index into OUTCOMES. */
const ANSWERED = 0;
const UNANSWERED = 1;
const CAPTURE_ENDED = 2;
const ORPHAN = 3;
const UNREACHABLE = 4;
const EVICTED = 5;

/**
 * Joins queries with responses (CONTRACTS: Transactions).
 *
 * Key: transport, both ends, id and the first question, case folded. A transaction closes with its first response (a
 * truncated UDP answer: with the TCP query that follows it; a zone transfer: with its last message) or when its
 * time-out passes on the run clock. The run clock is the highest packet time so far, so the rows are the same however
 * the frames arrive: live, from a file, or shared between workers. Every message gets exactly one outcome.
 */
export class Matcher {
  readonly #ledger: Ledger;
  readonly #rows: RowWriter;
  readonly #open: OpenTable;
  /** Truncated answers waiting for their TCP query, by hash of both addresses and the question. */
  readonly #pairs = new Uint32Array(PAIR_CHAINS);
  #truncated = 0;
  /** Transactions closed lately, by whether they had an answer. */
  readonly #answered: Recent;
  readonly #unanswered: Recent;
  readonly #timeout: number;
  readonly #skew: number;
  readonly #mirror: number;
  readonly #keptBytes: number;
  readonly #closed: MatchOptions['closed'];
  /** Message in frame of query copies, only kept for `closed`: slot → [number, message in frame] pairs. */
  readonly #copies = new Map<number, number[]>();
  readonly #words = new Words();
  readonly #seed = (Math.random() * 0x100000000) >>> 0;

  // The run clock in ns since `#base` seconds, and the deadline nearest to it.
  #clock = Number.NEGATIVE_INFINITY;
  #base = Number.NaN;
  #era = 0;
  /** Frame number of the message at hand. */
  #number = 0;
  #nearest = Number.POSITIVE_INFINITY;

  constructor(ledger: Ledger, onBatch: BatchListener, options: MatchOptions = {}) {
    this.#ledger = ledger;
    this.#rows = new RowWriter(onBatch, new Legs(options.vantage, options.resolvers), options.reader);
    this.#open = new OpenTable(options.limit ?? 1 << 20);
    this.#timeout = options.timeoutNanos ?? 5e9;
    const late = options.lateNanos ?? 30e9;
    this.#answered = new Recent(late);
    this.#unanswered = new Recent(late);
    this.#skew = options.skewNanos ?? 1e6;
    this.#mirror = options.mirrorNanos ?? 20e6;
    this.#keptBytes = options.keptBytes ?? 64 << 20;
    this.#closed = options.closed;
  }

  /** Transactions open now. */
  get openTransactions(): number {
    return this.#open.size;
  }

  /** Rows still to come close at or after this (`closeSeconds`, `closeNanos`). */
  get clock(): { seconds: number; nanos: number } {
    if (Number.isNaN(this.#base)) return { seconds: Number.NEGATIVE_INFINITY, nanos: 0 };
    const { seconds, nanos } = this.#closing(this.#clock, 0);
    return { seconds, nanos };
  }

  /** Packet time has reached this (also of frames that are not ours): closes what timed out. */
  advance(seconds: number, nanos: number): void {
    if (Number.isNaN(this.#base)) this.#base = seconds;
    const clock = (seconds - this.#base) * 1e9 + nanos;
    if (clock > this.#clock) this.#clock = clock;
    else if (clock < this.#clock - CLOCK_STEP_NANOS) this.#stepBack(seconds, nanos);
    if (this.#nearest <= this.#clock) this.#expire();
  }

  /** Hands over the rows written so far (live: after every read). */
  flush(): void {
    this.#rows.flush();
  }

  /** The capture has ended: closes everything. Rows that had their time are unanswered, the rest say capture_ended. */
  finish(): void {
    this.#closeAll(CAPTURE_ENDED);
    this.#rows.flush();
  }

  /**
   * Takes one message; `join` is filled with what is known of its relations. Returns whether it passes `filter`.
   * `advance` must have been called with the message's time.
   */
  add(carrier: Carrier, view: MessageView, join: MessageJoin, filter: MessagePredicate | null): boolean {
    join.clear();
    this.#number = carrier.number;
    if (view.end - view.start < 12) {
      this.#ledger.messages[OUTCOME.unjoinable]++;
      return filter === null || filter.matches(carrier, view, join);
    }
    return view.isResponse ? this.#response(carrier, view, join, filter) : this.#query(carrier, view, join, filter);
  }

  /** An ICMP error quoted this query: its transaction, if open, is unreachable. */
  unreachable(carrier: Carrier, view: MessageView): void {
    if (view.end - view.start < 12 || view.isResponse) return;
    this.#number = carrier.number;
    const slot = this.#find(this.#hash(carrier, view, true), carrier, view, true);
    if (slot < 0 || this.#open.words[slot * T.WORDS + T.STATE] !== T.OPEN) return;
    this.#close(slot, UNREACHABLE, null, this.#clock, this.#number);
  }

  #query(carrier: Carrier, view: MessageView, join: MessageJoin, filter: MessagePredicate | null): boolean {
    const hash = this.#hash(carrier, view, true);
    const slot = this.#find(hash, carrier, view, true);
    if (slot >= 0) {
      const state = this.#open.words[slot * T.WORDS + T.STATE];
      if (state === T.EARLY) return this.#queryOfEarly(slot, carrier, view, join, filter);
      return this.#queryAgain(slot, carrier, view, join, filter);
    }
    const copied = this.#copyOfAnswered(hash, carrier, view, join);
    if (copied >= 0) {
      const passed = filter === null || filter.matches(carrier, view, join);
      this.#closed?.(carrier.number, carrier.messageInFrame, this.#answered.answerNumber(copied));
      return passed;
    }
    const passed = filter === null || filter.matches(carrier, view, join);
    const opened = this.#openSlot(hash, carrier, view);
    const w = opened * T.WORDS;
    this.#open.words[w + T.PASSED] = passed ? 1 : 0;
    this.#schedule(opened, T.OPEN, this.#timeout);
    if (carrier.transport !== UDP && this.#truncated > 0) this.#linkRetry(opened, carrier, view);
    return passed;
  }

  /** A mirror's copy of a query whose answer has been seen already is counted: the answered entry, else −1. */
  #copyOfAnswered(hash: number, carrier: Carrier, view: MessageView, join: MessageJoin): number {
    const answered = this.#answered;
    const since = this.#clock - this.#mirror;
    if (!answered.mayHaveSince(hash, since)) return -1;
    const entry = answered.find(hash, this.#keyB(carrier, view), this.#clock);
    if (entry < 0) return -1;
    if (!answered.wasAsked(entry, asked(view.flags, carrier.claimedLength), carrier.ipId, since)) return -1;
    join.retransmission = true;
    join.retransmitRequestIn = answered.queryNumber(entry);
    this.#ledger.messages[OUTCOME.duplicate]++;
    return entry;
  }

  /** A further copy of an open query: a retransmission, or the same datagram seen twice. */
  #queryAgain(
    slot: number,
    carrier: Carrier,
    view: MessageView,
    join: MessageJoin,
    filter: MessagePredicate | null,
  ): boolean {
    const { words, doubles } = this.#open;
    const w = slot * T.WORDS;
    const d = slot * T.DOUBLES;
    join.retransmission = true;
    join.retransmitRequestIn = doubles[d + T.OPEN_NUMBER];
    this.#noteCopy(slot, carrier);
    const passed = filter === null || filter.matches(carrier, view, join);
    if (passed) words[w + T.PASSED] = 1;
    if (this.#clock - doubles[d + T.LAST_CLOCK] <= this.#mirror && this.#sameQuery(slot, carrier, view)) {
      words[w + T.DUPLICATES]++;
      this.#ledger.messages[OUTCOME.duplicate]++;
      return passed;
    }
    words[w + T.QUERIES]++;
    doubles[d + T.LAST_SECONDS] = carrier.seconds;
    words[w + T.LAST_NANOS] = carrier.nanos;
    words[w + T.QUERY_FLAGS] = (words[w + T.QUERY_FLAGS] & 0xffff) | (carrier.ipId << 16);
    doubles[d + T.LAST_CLOCK] = this.#clock;
    this.#open.keepNumber(this.#open.moreQueries, slot, carrier.number);
    if (words[w + T.STATE] === T.OPEN) {
      this.#open.unschedule(slot);
      this.#schedule(slot, T.OPEN, this.#timeout);
    }
    return passed;
  }

  /** The query of a response that was seen (slightly) before it. */
  #queryOfEarly(
    slot: number,
    carrier: Carrier,
    view: MessageView,
    join: MessageJoin,
    filter: MessagePredicate | null,
  ): boolean {
    const { words, doubles } = this.#open;
    const w = slot * T.WORDS;
    const passed = filter === null || filter.matches(carrier, view, join);
    if (passed) words[w + T.PASSED] = 1;
    this.#fillQuery(slot, carrier, view);
    this.#noteCopy(slot, carrier);
    doubles[slot * T.DOUBLES + T.LAST_CLOCK] = this.#clock;
    this.#close(slot, ANSWERED, null, this.#clock, this.#number);
    return passed;
  }

  #response(carrier: Carrier, view: MessageView, join: MessageJoin, filter: MessagePredicate | null): boolean {
    const hash = this.#hash(carrier, view, false);
    const slot = this.#find(hash, carrier, view, false);
    if (slot < 0) return this.#strayResponse(hash, carrier, view, join, filter);
    const { words, doubles } = this.#open;
    const w = slot * T.WORDS;
    const d = slot * T.DOUBLES;
    const state = words[w + T.STATE];
    if (state === T.EARLY || state === T.TRUNCATED) {
      // A second response while the first one waits.
      return this.#furtherResponse(slot, carrier, view, join, filter);
    }
    join.responseTo = doubles[d + T.OPEN_NUMBER];
    join.latencyNanos = spanNanos(carrier, doubles[d + T.OPEN_SECONDS], words[w + T.OPEN_NANOS]);
    join.latencyLastNanos = spanNanos(carrier, doubles[d + T.LAST_SECONDS], words[w + T.LAST_NANOS]);
    const passed = filter === null || filter.matches(carrier, view, join);
    if (passed) words[w + T.PASSED] = 1;
    words[w + T.RESPONSES]++;
    if (state === T.TRANSFER) {
      this.#open.keepNumber(this.#open.moreResponses, slot, carrier.number);
      words[w + T.RESPONSE_BYTES] += carrier.claimedLength;
      if (transferEnds(view, words, w)) this.#close(slot, ANSWERED, null, this.#clock, this.#number);
      else {
        this.#open.unschedule(slot);
        this.#schedule(slot, T.TRANSFER, this.#timeout);
      }
      return passed;
    }
    this.#fillAnswer(slot, carrier);
    const type = words[w + T.ID_TYPE] & 0xffff;
    if ((type === TYPE_AXFR || type === TYPE_IXFR) && carrier.transport !== UDP && !transferEnds(view, words, w)) {
      this.#open.keepResponse(slot, view.bytes, view.start, view.end);
      this.#open.unschedule(slot);
      this.#schedule(slot, T.TRANSFER, this.#timeout);
      return passed;
    }
    if (view.truncated && carrier.transport === UDP && carrier.protocol === DNS) {
      this.#open.keepResponse(slot, view.bytes, view.start, view.end);
      this.#open.unschedule(slot);
      this.#schedule(slot, T.TRUNCATED, this.#timeout);
      this.#addPair(slot);
      return passed;
    }
    this.#close(slot, ANSWERED, view, this.#clock, this.#number);
    return passed;
  }

  /** A response to a slot that already has one. */
  #furtherResponse(
    slot: number,
    carrier: Carrier,
    view: MessageView,
    join: MessageJoin,
    filter: MessagePredicate | null,
  ): boolean {
    const { words, doubles } = this.#open;
    const w = slot * T.WORDS;
    join.retransmission = true;
    join.retransmitResponseIn = doubles[slot * T.DOUBLES + T.ANSWER_NUMBER];
    const passed = filter === null || filter.matches(carrier, view, join);
    if (passed) words[w + T.PASSED] = 1;
    words[w + T.DUPLICATES]++;
    this.#ledger.messages[OUTCOME.duplicate]++;
    return passed;
  }

  /** A response without an open query: late, repeated, early or an orphan. */
  #strayResponse(
    hash: number,
    carrier: Carrier,
    view: MessageView,
    join: MessageJoin,
    filter: MessagePredicate | null,
  ): boolean {
    const keyB = view.questions > 0 || carrier.protocol === MDNS ? this.#keyB(carrier, view) : 0;
    const before = this.#answered.find(hash, keyB, this.#clock);
    if (before >= 0) return this.#answeredBefore(before, hash, carrier, view, join, filter);
    const late = this.#unanswered.find(hash, keyB, this.#clock);
    if (late >= 0) {
      join.responseTo = this.#unanswered.queryNumber(late);
      const passed = filter === null || filter.matches(carrier, view, join);
      this.#ledger.messages[OUTCOME.late]++;
      this.#strayRow(hash, carrier, view, passed, 0, 1);
      return passed;
    }
    join.unsolicited = true;
    const passed = filter === null || filter.matches(carrier, view, join);
    const slot = this.#openSlot(hash, carrier, view);
    this.#open.words[slot * T.WORDS + T.PASSED] = passed ? 1 : 0;
    this.#open.keepResponse(slot, view.bytes, view.start, view.end);
    // One more: exactly `skewNanos` is still in time.
    this.#schedule(slot, T.EARLY, this.#skew + 1);
    return passed;
  }

  /** A further response to an answered query; one that is no mirror's copy gets a row of its own. */
  #answeredBefore(
    entry: number,
    hash: number,
    carrier: Carrier,
    view: MessageView,
    join: MessageJoin,
    filter: MessagePredicate | null,
  ): boolean {
    const answered = this.#answered;
    join.responseTo = answered.queryNumber(entry);
    join.retransmission = true;
    join.retransmitResponseIn = answered.answerNumber(entry);
    const passed = filter === null || filter.matches(carrier, view, join);
    this.#ledger.messages[OUTCOME.duplicate]++;
    if (!answered.wasAnswered(entry, this.#digest(view), this.#clock - this.#mirror))
      this.#strayRow(hash, carrier, view, passed, 1, 0);
    return passed;
  }

  /** A row of its own for a response that came again or too late. */
  #strayRow(
    hash: number,
    carrier: Carrier,
    view: MessageView,
    passed: boolean,
    duplicates: number,
    late: number,
  ): void {
    const slot = this.#openSlot(hash, carrier, view);
    const words = this.#open.words;
    words[slot * T.WORDS + T.DUPLICATES] = duplicates;
    if (passed) this.#rows.write(this.#open, slot, ORPHAN, view, this.#closing(this.#clock, this.#number), late);
    this.#open.schedule(slot, T.EARLY, this.#clock);
    this.#open.release(slot);
  }

  // ---- slots ----

  /** A new slot filled from a message (query, or response without one). */
  #openSlot(hash: number, carrier: Carrier, view: MessageView): number {
    const open = this.#open;
    if (this.#same >= MAX_SAME_KEY) this.#evict(this.#oldest);
    this.#same = 0;
    while (open.full || (open.aside > this.#keptBytes && open.size > 0)) this.#evict(open.nearest() - 1);
    const slot = open.take(hash);
    const words = open.words;
    const w = slot * T.WORDS;
    const query = !view.isResponse;
    if (query) setEnds(words, w, carrier, T.CLIENT, T.SERVER, carrier.sourcePort, carrier.destinationPort);
    else setEnds(words, w, carrier, T.SERVER, T.CLIENT, carrier.destinationPort, carrier.sourcePort);
    const question = this.#question(carrier, view);
    words[w + T.ID_TYPE] = (view.id << 16) | question.type;
    words[w + T.CLASS_KIND] =
      (question.class << 16) | (carrier.transport << 8) | (carrier.protocol << 4) | carrier.family;
    words[w + T.NAME_HASH] = question.hash;
    words[w + T.CAPTURED_ON] = (carrier.interfaceId << 16) | (carrier.vlan & 0xffff);
    if (query) this.#fillQuery(slot, carrier, view);
    else {
      words[w + T.RESPONSES] = 1;
      this.#fillAnswer(slot, carrier);
    }
    open.doubles[slot * T.DOUBLES + T.LAST_CLOCK] = this.#clock;
    if (query) this.#noteCopy(slot, carrier);
    return slot;
  }

  #evict(slot: number): void {
    this.#close(slot, EVICTED, null, this.#clock, this.#number);
  }

  #fillQuery(slot: number, carrier: Carrier, view: MessageView): void {
    const { words, doubles } = this.#open;
    const w = slot * T.WORDS;
    const d = slot * T.DOUBLES;
    words[w + T.QUERIES] = 1;
    words[w + T.OPEN_NANOS] = words[w + T.LAST_NANOS] = carrier.nanos;
    doubles[d + T.OPEN_SECONDS] = doubles[d + T.LAST_SECONDS] = carrier.seconds;
    doubles[d + T.OPEN_NUMBER] = carrier.number;
    words[w + T.QUERY_BYTES] = carrier.claimedLength;
    words[w + T.QUERY_FLAGS] = view.flags | (carrier.ipId << 16);
    words[w + T.QUERY_FAULT] = (view.fault << 24) | (view.faultIn << 20) | Math.min(view.faultAt, 0xfffff);
    this.#open.keepQuery(slot, view.bytes, view.start, view.end - view.start, this.#words);
    const setup = carrier.setupNanos;
    if (setup === setup && carrier.setupIsNew && carrier.messageInFrame === 1) this.#open.setup.set(slot, setup);
  }

  #fillAnswer(slot: number, carrier: Carrier): void {
    const { words, doubles } = this.#open;
    const w = slot * T.WORDS;
    const d = slot * T.DOUBLES;
    words[w + T.ANSWER_NANOS] = carrier.nanos;
    doubles[d + T.ANSWER_SECONDS] = carrier.seconds;
    doubles[d + T.ANSWER_NUMBER] = carrier.number;
    const isFragmented = carrier.fragmented && carrier.transport === UDP;
    words[w + T.RESPONSE_BYTES] = carrier.claimedLength | (isFragmented ? T.FRAGMENTED : 0);
    // Multicast and broadcast queries: the server is who answered.
    if (carrier.protocol !== DNS && words[w + T.QUERIES] > 0) {
      words[w + T.SERVER] = carrier.source0;
      words[w + T.SERVER + 1] = carrier.source1;
      words[w + T.SERVER + 2] = carrier.source2;
      words[w + T.SERVER + 3] = carrier.source3;
    }
  }

  /** Slots met by the last `#find` that have the hash looked for, and the oldest of them. */
  #same = 0;
  #oldest = 0;

  /** The slot of this message's key, or −1. A response without a question matches by ends and id alone. */
  #find(hash: number, carrier: Carrier, view: MessageView, query: boolean): number {
    const open = this.#open;
    const words = open.words;
    const ports = query
      ? (carrier.sourcePort << 16) | carrier.destinationPort
      : (carrier.destinationPort << 16) | carrier.sourcePort;
    const kind = (carrier.transport << 8) | (carrier.protocol << 4) | carrier.family;
    let found = -1;
    this.#same = 0;
    for (let next = open.head(hash); next !== 0; next = words[(next - 1) * T.WORDS + T.NEXT]) {
      const w = (next - 1) * T.WORDS;
      if (words[w + T.HASH] !== hash) continue;
      this.#same++;
      this.#oldest = next - 1;
      if ((words[w + T.CLASS_KIND] & 0xffff) !== kind) continue;
      if (carrier.protocol === DNS) {
        if (words[w + T.PORTS] !== ports >>> 0 || words[w + T.ID_TYPE] >>> 16 !== view.id) continue;
        if (!sameEnds(words, w, carrier, query)) continue;
      } else if (carrier.protocol !== MDNS) {
        if (words[w + T.PORTS] >>> 16 !== ports >>> 16 || words[w + T.ID_TYPE] >>> 16 !== view.id) continue;
      }
      if (!this.#sameQuestion(next - 1, carrier, view)) continue;
      found = next - 1;
      // Without a question several may fit: the oldest is meant.
      if (view.questions > 0) return found;
    }
    return found;
  }

  #sameQuestion(slot: number, carrier: Carrier, view: MessageView): boolean {
    const open = this.#open;
    const words = open.words;
    const w = slot * T.WORDS;
    if (this.#isRepeated(slot, view)) return true;
    const question = this.#question(carrier, view);
    if (question.at < 0) return view.isResponse || carrier.quoted || words[w + T.NAME_HASH] === 0;
    if (words[w + T.NAME_HASH] === 0) {
      return words[w + T.QUERIES] === 0 || words[w + T.QUERY_FAULT] >>> 24 === FAULT.cut;
    }
    if (words[w + T.NAME_HASH] !== question.hash || (words[w + T.ID_TYPE] & 0xffff) !== question.type) return false;
    if (words[w + T.CLASS_KIND] >>> 16 !== question.class) return false;
    // The hash is not a proof: compare the names themselves where the query's bytes are at hand.
    const length = words[w + T.QUERY_LENGTH];
    if (length === 0 || carrier.protocol === MDNS) return true;
    const bytes = length <= T.INLINE_BYTES ? open.inline : (open.long.get(slot) as Uint8Array);
    const start = length <= T.INLINE_BYTES ? slot * T.INLINE_BYTES : 0;
    return equalNames(bytes, start + 12, start, view.bytes, question.at, view.start);
  }

  /** True when a message's first question is, octet by octet, that of a short query: nearly every response's is. */
  #isRepeated(slot: number, view: MessageView): boolean {
    const open = this.#open;
    const { bytes, start, questionEnd: end } = view;
    const w = slot * T.WORDS;
    const length = end - start;
    if (length < 17 || length > T.INLINE_BYTES || length > open.words[w + T.QUERY_LENGTH]) return false;
    if (open.words[w + T.NAME_HASH] === 0 || open.words[w + T.QUERY_LENGTH] > T.INLINE_BYTES) return false;
    // A name that ends with a pointer is another one in another message.
    if (bytes[end - 5] !== 0 || bytes[end - 6] >= 0xc0) return false;
    const words = this.#words.of(bytes);
    const query = open.inlineWords;
    const from = (slot * T.INLINE_BYTES) >> 2;
    let at = 12;
    for (; at + 4 <= length; at += 4) if (query[from + (at >> 2)] !== words.getInt32(start + at, true)) return false;
    for (; at < length; at++) if (open.inline[slot * T.INLINE_BYTES + at] !== bytes[start + at]) return false;
    return true;
  }

  /** The question a message is about; of an mDNS response its first answer. `at` −1 = none. Reused object. */
  readonly #asked = { at: -1, type: 0, class: 0, hash: 0 };
  #question(carrier: Carrier, view: MessageView): { at: number; type: number; class: number; hash: number } {
    const asked = this.#asked;
    if (view.questions > 0) {
      asked.at = view.questionName[0];
      asked.type = view.questionType[0];
      asked.class = carrier.protocol === MDNS ? view.questionClass[0] & 0x7fff : view.questionClass[0];
      asked.hash = view.questionHash;
    } else if (carrier.protocol === MDNS && view.records > 0) {
      asked.at = view.owner[0];
      asked.type = view.type[0];
      asked.class = view.class[0] & 0x7fff;
      asked.hash = hashName(view.bytes, view.owner[0], view.start);
    } else {
      asked.at = -1;
      asked.type = asked.class = asked.hash = 0;
    }
    return asked;
  }

  /** True when the last copy was this very datagram. */
  #sameQuery(slot: number, carrier: Carrier, view: MessageView): boolean {
    const open = this.#open;
    if (open.words[slot * T.WORDS + T.QUERY_FLAGS] >>> 16 !== carrier.ipId) return false;
    const length = open.words[slot * T.WORDS + T.QUERY_LENGTH];
    if (length !== view.end - view.start) return false;
    const bytes = length <= T.INLINE_BYTES ? open.inline : (open.long.get(slot) as Uint8Array);
    const from = length <= T.INLINE_BYTES ? slot * T.INLINE_BYTES : 0;
    for (let i = 0; i < length; i++) if (bytes[from + i] !== view.bytes[view.start + i]) return false;
    return true;
  }

  // ---- keys ----

  #hash(carrier: Carrier, view: MessageView, query: boolean): number {
    let h = this.#seed ^ ((carrier.transport << 8) | carrier.protocol);
    if (carrier.protocol === MDNS) {
      const question = this.#question(carrier, view);
      return mix(Math.imul(h ^ question.hash, 0x9e3779b1) ^ question.type);
    }
    if (carrier.family === 6) h = query ? foldSource(h, carrier) : foldDestination(h, carrier);
    h = fold(h, query ? carrier.source3 : carrier.destination3);
    if (carrier.protocol === DNS) {
      if (carrier.family === 6) h = query ? foldDestination(h, carrier) : foldSource(h, carrier);
      h = fold(h, query ? carrier.destination3 : carrier.source3);
      h = fold(h, query ? carrier.destinationPort : carrier.sourcePort);
    }
    h = fold(h, ((query ? carrier.sourcePort : carrier.destinationPort) << 16) | view.id);
    return mix(h);
  }

  /** Second half of a recent entry's key: the question. Never 0. */
  #keyB(carrier: Carrier, view: MessageView): number {
    const question = this.#question(carrier, view);
    return questionKey(question.hash, question.type);
  }

  // ---- truncated answers and their TCP retry ----

  #pairBucket(w: number): number {
    const words = this.#open.words;
    let h = this.#seed ^ words[w + T.NAME_HASH] ^ (words[w + T.ID_TYPE] & 0xffff);
    for (let i = 0; i < 8; i++) h = fold(h, words[w + T.CLIENT + i]);
    return mix(h) & (PAIR_CHAINS - 1);
  }

  #addPair(slot: number): void {
    const words = this.#open.words;
    const w = slot * T.WORDS;
    const bucket = this.#pairBucket(w);
    const next = this.#pairs[bucket];
    words[w + T.PAIR_EARLIER] = 0;
    words[w + T.PAIR_NEXT] = next;
    if (next !== 0) words[(next - 1) * T.WORDS + T.PAIR_EARLIER] = slot + 1;
    this.#pairs[bucket] = slot + 1;
    this.#truncated++;
  }

  #dropPair(slot: number): void {
    const words = this.#open.words;
    const w = slot * T.WORDS;
    const earlier = words[w + T.PAIR_EARLIER];
    const next = words[w + T.PAIR_NEXT];
    if (earlier === 0) this.#pairs[this.#pairBucket(w)] = next;
    else words[(earlier - 1) * T.WORDS + T.PAIR_NEXT] = next;
    if (next !== 0) words[(next - 1) * T.WORDS + T.PAIR_EARLIER] = earlier;
    this.#truncated--;
  }

  /** A TCP query has come: the truncated UDP answer to the same question between the same two is followed. */
  #linkRetry(tcp: number, carrier: Carrier, view: MessageView): void {
    const words = this.#open.words;
    const t = tcp * T.WORDS;
    // The newest lie first; a stranger's choice of ids must not make the walk long.
    let looked = 0;
    for (let next = this.#pairs[this.#pairBucket(t)]; next !== 0 && looked < MAX_SAME_KEY; looked++) {
      const w = (next - 1) * T.WORDS;
      const slot = next - 1;
      next = words[w + T.PAIR_NEXT];
      let same = words[w + T.ID_TYPE] << 16 === words[t + T.ID_TYPE] << 16;
      for (let i = 0; i < 8 && same; i++) same = words[w + T.CLIENT + i] === words[t + T.CLIENT + i];
      if (!same || !this.#sameQuestion(slot, carrier, view)) continue;
      this.#rows.retry(this.#open, tcp);
      this.#close(slot, ANSWERED, null, this.#clock, this.#number);
      return;
    }
  }

  // ---- closing ----

  #schedule(slot: number, state: number, afterNanos: number): void {
    const deadline = this.#clock + afterNanos;
    this.#open.schedule(slot, state, deadline);
    this.#open.doubles[slot * T.DOUBLES + T.ORDER_NUMBER] = this.#number;
    if (deadline < this.#nearest) this.#nearest = deadline;
  }

  #expire(): void {
    const open = this.#open;
    for (;;) {
      const first = open.nearest();
      if (first === 0) {
        this.#nearest = Number.POSITIVE_INFINITY;
        return;
      }
      const slot = first - 1;
      const deadline = open.doubles[slot * T.DOUBLES + T.DEADLINE];
      if (deadline > this.#clock) {
        this.#nearest = deadline;
        return;
      }
      const state = open.words[slot * T.WORDS + T.STATE];
      const number = open.doubles[slot * T.DOUBLES + T.ORDER_NUMBER];
      this.#close(slot, outcomeOf(state, UNANSWERED), null, deadline, number);
    }
  }

  /** The capture clock was set back by more than an hour: what is open had its time, what is closed is forgotten. */
  #stepBack(seconds: number, nanos: number): void {
    this.#closeAll(UNANSWERED);
    this.#answered.clear();
    this.#unanswered.clear();
    this.#era++;
    this.#base = seconds;
    this.#clock = nanos;
    this.#nearest = Number.POSITIVE_INFINITY;
  }

  /** Closes everything that is open, in order of frames; those without any response as `outcome`. */
  #closeAll(outcome: number): void {
    const open = this.#open;
    const { words, doubles } = open;
    const slots = open.scheduled();
    slots.sort((a, b) => doubles[a * T.DOUBLES + T.ORDER_NUMBER] - doubles[b * T.DOUBLES + T.ORDER_NUMBER]);
    for (const slot of slots) {
      const number = LAST_NUMBERS + doubles[slot * T.DOUBLES + T.ORDER_NUMBER];
      this.#close(slot, outcomeOf(words[slot * T.WORDS + T.STATE], outcome), null, this.#clock, number);
    }
  }

  /** Run-clock time and frame number by which rows are ordered. */
  readonly #order = { seconds: 0, nanos: 0, number: 0 };
  #closing(clock: number, number: number): { seconds: number; nanos: number; number: number } {
    const order = this.#order;
    const whole = Math.floor(clock / 1e9);
    order.seconds = this.#era * ERA_SECONDS + Math.min(this.#base + whole, ERA_SECONDS - 1);
    order.nanos = clock - whole * 1e9;
    order.number = number;
    return order;
  }

  /**
   * Writes the row of a slot, remembers it and gives the slot back. `view` holds the response when it is the message
   * at hand; else the slot's kept response is read. `clock` (the run clock) and `number` order the row.
   */
  #close(slot: number, outcome: number, view: MessageView | null, clock: number, number: number): void {
    const open = this.#open;
    const { words, doubles } = open;
    const w = slot * T.WORDS;
    const d = slot * T.DOUBLES;
    const state = words[w + T.STATE];
    const queries = words[w + T.QUERIES];
    const responses = words[w + T.RESPONSES];
    const counts = this.#ledger.messages;
    if (queries === 0) counts[OUTCOME.orphan] += responses;
    else counts[outcome === EVICTED ? OUTCOME.evicted : OUTCOME.joined] += queries + responses;
    if (state === T.TRUNCATED) this.#dropPair(slot);
    if (this.#closed !== undefined) this.#reportCopies(slot, responses > 0 ? doubles[d + T.ANSWER_NUMBER] : 0);
    const final = queries === 0 ? ORPHAN : outcome;
    let kept: MessageView | null = view;
    if (kept === null && responses > 0) kept = this.#rows.readKept(open.response.get(slot));
    if (words[w + T.PASSED] !== 0) {
      this.#rows.write(open, slot, final, kept, this.#closing(clock, number), 0);
    } else this.#rows.forget();
    if (queries > 0 && outcome !== EVICTED) this.#remember(slot, kept);
    open.release(slot);
  }

  /** What `#remember` fills. */
  readonly #last: Closed = { digest: 0, asked: 0, ipId: 0, queryClock: 0.5, queryNumber: 0, answerNumber: 0 };
  #remember(slot: number, response: MessageView | null): void {
    const { words, doubles } = this.#open;
    const w = slot * T.WORDS;
    const d = slot * T.DOUBLES;
    const last = this.#last;
    last.digest = response === null ? 0 : this.#digest(response);
    last.asked = asked(words[w + T.QUERY_FLAGS], words[w + T.QUERY_BYTES]);
    last.ipId = words[w + T.QUERY_FLAGS] >>> 16;
    last.queryClock = doubles[d + T.LAST_CLOCK];
    last.queryNumber = doubles[d + T.OPEN_NUMBER];
    last.answerNumber = doubles[d + T.ANSWER_NUMBER];
    const question = questionKey(words[w + T.NAME_HASH], words[w + T.ID_TYPE] & 0xffff);
    const recent = response === null ? this.#unanswered : this.#answered;
    recent.add(words[w + T.HASH], question, this.#clock, last);
  }

  /** Digest of a response's bytes, never 0: tells a copy from another answer. */
  #digest({ bytes, start, end }: MessageView): number {
    const words = this.#words.of(bytes);
    // Two chains side by side: a multiplication need not wait for the one before it.
    let a = end - start;
    let b = 0x811c9dc5;
    let at = start;
    for (const stop = end - 7; at < stop; at += 8) {
      a = Math.imul(a ^ words.getInt32(at, true), 0x9e3779b1);
      b = Math.imul(b ^ words.getInt32(at + 4, true), 0x85ebca6b);
      a ^= a >>> 15;
      b ^= b >>> 15;
    }
    for (; at < end; at++) a = Math.imul(a ^ bytes[at], 0x01000193);
    return mix(a ^ mix(b)) || 1;
  }

  #noteCopy(slot: number, carrier: Carrier): void {
    if (this.#closed === undefined) return;
    const copies = this.#copies.get(slot);
    if (copies === undefined) this.#copies.set(slot, [carrier.number, carrier.messageInFrame]);
    else copies.push(carrier.number, carrier.messageInFrame);
  }

  #reportCopies(slot: number, responseNumber: number): void {
    const copies = this.#copies.get(slot);
    if (copies === undefined) return;
    this.#copies.delete(slot);
    for (let i = 0; i < copies.length; i += 2) this.#closed?.(copies[i], copies[i + 1], responseNumber);
  }
}

/** Outcome of a slot whose time is over: `unanswered` = what to call it without a response. */
function outcomeOf(state: number, unanswered: number): number {
  return state === T.OPEN ? unanswered : state === T.EARLY ? ORPHAN : ANSWERED;
}

/** What tells questions between the same ends with the same id apart; never 0. */
function questionKey(nameHash: number, type: number): number {
  return nameHash === 0 ? 1 : (mix(nameHash ^ Math.imul(type + 1, 0x9e3779b1)) | 1) >>> 0;
}

/** Flags and length of a query: what its copies have in common beside the question. */
function asked(flags: number, length: number): number {
  return ((flags << 16) | (length & 0xffff)) >>> 0;
}

/** All of the source address but its last word. */
function foldSource(h: number, carrier: Carrier): number {
  return fold(fold(fold(h, carrier.source0), carrier.source1), carrier.source2);
}

function foldDestination(h: number, carrier: Carrier): number {
  return fold(fold(fold(h, carrier.destination0), carrier.destination1), carrier.destination2);
}

function fold(h: number, value: number): number {
  h = Math.imul(h ^ value, 0x9e3779b1);
  return (h << 13) | (h >>> 19);
}

function spanNanos(carrier: Carrier, seconds: number, nanos: number): number {
  return (carrier.seconds - seconds) * 1e9 + (carrier.nanos - nanos);
}

function setEnds(
  words: Uint32Array,
  w: number,
  carrier: Carrier,
  source: number,
  destination: number,
  clientPort: number,
  serverPort: number,
): void {
  words[w + source] = carrier.source0;
  words[w + source + 1] = carrier.source1;
  words[w + source + 2] = carrier.source2;
  words[w + source + 3] = carrier.source3;
  words[w + destination] = carrier.destination0;
  words[w + destination + 1] = carrier.destination1;
  words[w + destination + 2] = carrier.destination2;
  words[w + destination + 3] = carrier.destination3;
  words[w + T.PORTS] = (clientPort << 16) | serverPort;
}

function sameEnds(words: Uint32Array, w: number, carrier: Carrier, query: boolean): boolean {
  const s = w + (query ? T.CLIENT : T.SERVER);
  const t = w + (query ? T.SERVER : T.CLIENT);
  return (
    words[s + 3] === carrier.source3 >>> 0 &&
    words[t + 3] === carrier.destination3 >>> 0 &&
    words[s + 2] === carrier.source2 >>> 0 &&
    words[t + 2] === carrier.destination2 >>> 0 &&
    words[s + 1] === carrier.source1 >>> 0 &&
    words[t + 1] === carrier.destination1 >>> 0 &&
    words[s] === carrier.source0 >>> 0 &&
    words[t] === carrier.destination0 >>> 0
  );
}

/**
 * Counts the SOA records of a zone transfer's message; true when it is the last one (RFC 5936 §2.2, RFC 1995 §4).
 * AXFR: the second SOA. IXFR: one lone SOA (nothing new), the second one when the first is not followed by an SOA (a
 * whole zone), else the third with the new serial.
 */
function transferEnds(view: MessageView, words: Uint32Array, w: number): boolean {
  if (view.rcode !== 0 || view.records === 0 || view.fault === FAULT.cut) return true;
  const seen = words[w + T.SOA_SEEN];
  let count = seen & 0xff;
  let whole = (seen & 0x100) !== 0;
  let serial = 0;
  const first = (seen & 0x200) === 0;
  let answers = 0;
  for (let i = 0; i < view.records; i++) {
    if (view.section[i] !== ANSWER) continue;
    answers++;
    if (view.type[i] === TYPE_SOA) {
      const value = soaSerial(view, i);
      if (first && answers === 1) {
        serial = value;
        words[w + T.SERIAL] = value;
      } else serial = words[w + T.SERIAL];
      if (value === serial && count < 255) count++;
    } else if (first && answers === 2) whole = true;
  }
  words[w + T.SOA_SEEN] = count | (whole ? 0x100 : 0) | 0x200;
  if (first && answers === 1 && (words[w + T.ID_TYPE] & 0xffff) === TYPE_IXFR) return count === 1;
  const type = words[w + T.ID_TYPE] & 0xffff;
  return count >= (type === TYPE_AXFR || whole ? 2 : 3);
}

/** Serial of an SOA record; 0 when its names are unsound. */
function soaSerial(view: MessageView, i: number): number {
  const mname = skipName(view.bytes, view.rdata[i], view.start, view.end);
  if (mname < 0) return 0;
  const at = skipName(view.bytes, mname, view.start, view.end);
  if (at < 0 || at + 4 > view.end) return 0;
  return ((view.bytes[at] << 24) | (view.bytes[at + 1] << 16) | (view.bytes[at + 2] << 8) | view.bytes[at + 3]) >>> 0;
}
