import type { Carrier } from '../core/carrier.ts';
import { FATE, type Ledger } from '../core/ledger.ts';
import { PREFIXED_HEADER_BYTES, plausible, sound } from './framing.ts';
import { Origins } from './origins.ts';
import { BOUNDARY, CELL_BYTES, CONSUMED, Pieces, WAITING } from './pieces.ts';
import { wider } from './wider.ts';

/** One TCP segment. The dissector fills the same one again and again; addresses, ports, time come from the carrier. */
export class Segment {
  /** The flag byte (FIN 1, SYN 2, RST 4, PSH 8, ACK 16). */
  flags = 0;
  /** TCP header in `bytes`; −1 unknown. */
  headerAt = -1;
  /** Sequence number of the header (unsigned 32 bits). */
  sequence = 0;
  /** Payload. */
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  at = 0;
  length = 0;
  /** Payload bytes on the wire by the IP header (> length when the capture cut the frame). */
  claimed = 0;
  /** Captured frames it stands for: 1, or those of the datagram when it came in IP fragments. */
  frames = 1;
}

/** Cells one direction may hold (1 MiB), and how long bytes behind a hole wait for what is missing (packet time). */
const DIRECTION_CELLS = 2048;
const HOLE_SECONDS = 10;
/** Before the first segment seen of a stream, others may come that left earlier. */
const EARLIER_BYTES = 1 << 16;
const MAX_PREFIXED_BYTES = 65_537;
/** Position of the first byte: far from zero, so that earlier bytes have positions too. */
const ORIGIN = 0x1_0000_0000;
/** The longest part of a message that `plausible` looks at. */
const LOOK_BYTES = PREFIXED_HEADER_BYTES + 260;

/** What is known of a direction: nothing; where it is but not where messages begin; that one begins at `base`. */
export const UNKNOWN = 0;
export const LOST = 1;
export const IN_STEP = 2;

/**
 * Directions of TCP connections, by number: segments in, messages out.
 *
 * A segment in order that holds whole messages is read where it lies. Others become pieces of a sorted list. Where a
 * message begins is known behind a SYN and behind every message delivered; behind a hole, or when the capture began
 * in the middle, it is where a whole message without any fault lies (`sound`).
 */
export class Reassembly {
  readonly pieces: Pieces;
  readonly #deliver: (carrier: Carrier) => void;
  readonly #ledger: Ledger;
  readonly #message = new Uint8Array(MAX_PREFIXED_BYTES);
  readonly #window = new Uint8Array(CELL_BYTES + LOOK_BYTES);
  readonly #origins = new Origins();
  /** Messages delivered from the segment at hand. */
  delivered = 0;
  /** Whether any of its bytes belong to a message. */
  #took = false;
  // Columns by direction. Everything before `base` is done with; `top` is behind the last byte seen, whose sequence
  // number is `topSequence`; `floor` is the first byte seen: while it is above `base`, nothing was done with.
  #state = new Uint8Array(128);
  #base = new Float64Array(128);
  #floor = new Float64Array(128);
  #top = new Float64Array(128);
  #topSequence = new Int32Array(128);

  constructor(deliver: (carrier: Carrier) => void, ledger: Ledger, bytes: number) {
    this.#deliver = deliver;
    this.#ledger = ledger;
    this.pieces = new Pieces(bytes);
    this.pieces.lists(128);
  }

  /** Makes place for directions 0 … count − 1. */
  grow(count: number): void {
    this.#state = wider(this.#state, new Uint8Array(count));
    this.#base = wider(this.#base, new Float64Array(count));
    this.#floor = wider(this.#floor, new Float64Array(count));
    this.#top = wider(this.#top, new Float64Array(count));
    this.#topSequence = wider(this.#topSequence, new Int32Array(count));
    this.pieces.lists(count);
  }

  state(d: number): number {
    return this.#state[d];
  }

  /** True while bytes are held. */
  holds(d: number): boolean {
    return this.pieces.head[d] >= 0;
  }

  /** Bytes between the highest seen and a sequence number (negative: before). */
  ahead(d: number, sequence: number): number {
    return (sequence - this.#topSequence[d]) | 0;
  }

  /** Begins a direction at a sequence number: `IN_STEP` behind a SYN, else `LOST`. */
  start(d: number, sequence: number, state: number): void {
    this.#state[d] = state;
    this.#base[d] = state === IN_STEP ? ORIGIN : ORIGIN - EARLIER_BYTES;
    this.#floor[d] = state === IN_STEP ? 0 : ORIGIN;
    this.#top[d] = ORIGIN;
    this.#topSequence[d] = sequence;
  }

  /** A SYN that comes behind the bytes it opened: now it is known where they begin. */
  opened(d: number, sequence: number): void {
    const position = this.#top[d] + this.ahead(d, sequence);
    if (this.#base[d] >= this.#floor[d] || position > this.#floor[d]) return;
    this.#base[d] = position;
    this.#floor[d] = 0;
    this.#state[d] = IN_STEP;
  }

  /** Takes a segment with payload; gives the fate of its frame. */
  take(carrier: Carrier, d: number, segment: Segment, sequence: number): number {
    const position = this.#top[d] + this.ahead(d, sequence);
    this.delivered = 0;
    this.#took = false;
    this.pieces.clock = carrier.seconds;
    if (position === this.#base[d] && this.#state[d] === IN_STEP && this.pieces.head[d] < 0) {
      return this.#inOrder(carrier, d, segment);
    }
    return this.#inPieces(carrier, d, segment, position);
  }

  /** Gives up all that a direction holds, and what is known of it; without a fate each piece gets its own. */
  drop(d: number, fate = 0): void {
    const { pieces } = this;
    const expected = this.#state[d] === IN_STEP ? this.#base[d] : -1;
    let begun = false;
    let end = -1;
    for (let p = pieces.head[d]; p >= 0; p = pieces.head[d]) {
      const goesOn: boolean = begun && pieces.position[p] === end && pieces.state[p] === WAITING;
      begun = pieces.state[p] === BOUNDARY || pieces.position[p] === expected || goesOn;
      end = pieces.end(p);
      this.#move(p, fate !== 0 ? fate : begun ? FATE.stream_unfinished : FATE.stream_gap);
      pieces.remove(d, p);
    }
    this.#origins.clear(d);
    this.#state[d] = UNKNOWN;
  }

  /** Gives up the hole before the list, or else the bytes that its head begins, up to where a message is known to begin. */
  abandon(d: number, fate: number): void {
    const { pieces } = this;
    let head = pieces.head[d];
    if (this.#base[d] !== pieces.position[head] && pieces.state[head] !== WAITING) {
      this.#base[d] = pieces.position[head];
      this.#state[d] = IN_STEP;
    } else {
      let next = head;
      do {
        head = next;
        next = pieces.following(head);
        this.#base[d] = pieces.end(head);
        this.#move(head, fate);
        pieces.remove(d, head);
      } while (next >= 0 && pieces.state[next] === WAITING);
      this.#state[d] = next >= 0 ? IN_STEP : LOST;
    }
    this.#floor[d] = Math.min(this.#floor[d], this.#base[d]);
    this.#settle(d);
  }

  /** The segment continues a stream in step with nothing held: its messages are delivered from the frame's memory. */
  #inOrder(carrier: Carrier, d: number, segment: Segment): number {
    const { bytes } = segment;
    let { at } = segment;
    const end = at + segment.length;
    this.#raise(d, this.#base[d] + segment.claimed);
    while (at + 2 <= end) {
      const length = (bytes[at] << 8) | bytes[at + 1];
      if (length < 12 || at + 2 + length > end) break;
      this.#hand(carrier, bytes, at + 2, length, length);
      at += 2 + length;
      this.#base[d] += 2 + length;
    }
    if (segment.length < segment.claimed) return this.#cutShort(carrier, d, segment, at);
    if (at === end) return FATE.carried;
    const position = this.#base[d];
    this.#origins.note(d, position, position + end - at, carrier.number);
    const piece = this.pieces.insert(d, -1, position, { bytes, at, length: end - at });
    this.#walk(carrier, d, piece, position);
    this.#settle(d);
    return this.#fate(piece, segment.frames);
  }

  /** The capture cut the segment; `at` is where the message begins that the cut goes through. */
  #cutShort(carrier: Carrier, d: number, segment: Segment, at: number): number {
    const { bytes } = segment;
    const left = segment.at + segment.length - at;
    const length = left >= 2 ? (bytes[at] << 8) | bytes[at + 1] : 0;
    if (left > 2 && length >= 12) this.#hand(carrier, bytes, at + 2, left - 2, length);
    this.#skipHidden(d, this.#base[d], length);
    return this.#took ? FATE.carried : FATE.cut;
  }

  /** Goes on behind bytes that were not captured: behind their message if that ends where they do, or later. */
  #skipHidden(d: number, from: number, length: number): void {
    const end = from + 2 + length;
    const known = length >= 12 && end >= this.#top[d];
    this.#base[d] = known ? end : this.#top[d];
    this.#state[d] = known ? IN_STEP : LOST;
  }

  /** The segment is out of order, repeats something, continues a message, or the place of messages is not known. */
  #inPieces(carrier: Carrier, d: number, segment: Segment, position: number): number {
    const isNew = position + segment.claimed > this.#top[d];
    const isCut = segment.length < segment.claimed;
    this.#raise(d, position + segment.claimed);
    this.#relieve(d, carrier.seconds);
    const end = position + segment.length;
    if (position < this.#floor[d]) {
      if (this.#base[d] >= this.#floor[d]) {
        this.#earlier(carrier, d, segment, position);
        if (end <= this.#base[d]) return this.#took ? FATE.carried : FATE.stream_gap;
      }
      this.#floor[d] = position;
    }
    const piece = this.#store(d, segment, position, Math.max(position, this.#base[d]));
    if (piece >= 0) this.#origins.note(d, position, end, carrier.number);
    if (piece < 0) return isCut || (isNew && position < this.#base[d]) ? FATE.cut : FATE.segment_repeated;
    this.#read(carrier, d, piece, segment, position);
    this.#settle(d);
    if (isCut) this.#cutHeld(carrier, d, end);
    return this.#fate(piece, segment.frames);
  }

  #raise(d: number, end: number): void {
    if (end <= this.#top[d]) return;
    this.#topSequence[d] += end - this.#top[d];
    this.#top[d] = end;
  }

  #fate(piece: number, frames: number): number {
    if (this.#took) return FATE.carried;
    this.pieces.frames[piece] += frames;
    return FATE.held;
  }

  /** Stores what is new of a segment from `start` on; gives the piece with the first new byte, −1 when nothing is new. */
  #store(d: number, segment: Segment, position: number, start: number): number {
    const { pieces } = this;
    const end = position + segment.length;
    let first = -1;
    let at = start;
    let after = pieces.before(d, at);
    while (at < end) {
      if (after >= 0 && pieces.end(after) > at) at = pieces.end(after);
      const next = after < 0 ? pieces.head[d] : pieces.next[after];
      if (next >= 0 && pieces.position[next] <= at) {
        after = next;
        continue;
      }
      const stop = next < 0 ? end : Math.min(end, pieces.position[next]);
      if (at >= stop) break;
      const from = segment.at + at - position;
      let count = 0;
      if (after >= 0 && pieces.end(after) === at && pieces.state[after] !== CONSUMED) {
        count = pieces.extend(after, segment.bytes, from, stop - at);
        if (count > 0 && first < 0) first = after;
      }
      if (at + count < stop) {
        const rest = { bytes: segment.bytes, at: from + count, length: stop - at - count };
        after = pieces.insert(d, after, at + count, rest);
        if (first < 0) first = after;
        while (pieces.end(after) < stop) after = pieces.next[after];
      }
      at = stop;
    }
    return first;
  }

  /** Finds the messages that the new bytes complete, in the run of pieces they belong to. */
  #read(carrier: Carrier, d: number, piece: number, segment: Segment, position: number): void {
    const { pieces } = this;
    let first = piece;
    let previous = pieces.preceding(first);
    while (pieces.state[first] !== BOUNDARY && previous >= 0 && pieces.state[previous] !== CONSUMED) {
      first = previous;
      previous = pieces.preceding(first);
    }
    const at = pieces.position[first];
    if (previous >= 0 || pieces.state[first] === BOUNDARY || (this.#state[d] === IN_STEP && at === this.#base[d])) {
      this.#walk(carrier, d, first, at);
      return;
    }
    const isWhole = pieces.position[piece] <= position && position >= this.#base[d];
    if (isWhole && this.#aligned(carrier, d, segment, position)) return;
    this.#scan(carrier, d, first, at);
    if (isWhole && !this.#took) this.#unprefixed(carrier, d, segment, position);
  }

  /** A segment that begins with a whole message; of a cut one, with as much as was captured. */
  #aligned(carrier: Carrier, d: number, segment: Segment, position: number): boolean {
    const { bytes, at, length, claimed } = segment;
    if (length < PREFIXED_HEADER_BYTES) return false;
    const prefix = (bytes[at] << 8) | bytes[at + 1];
    if (prefix + 2 <= length && sound(bytes, at + 2, prefix)) {
      this.#walk(carrier, d, this.#pieceAt(d, position), position);
      return true;
    }
    if (length === claimed || prefix + 2 < claimed || !plausible(bytes, at + 2, prefix, at + length)) return false;
    this.#hand(carrier, bytes, at + 2, length - 2, prefix);
    this.#consume(d, this.#pieceAt(d, position), position + length);
    this.#settle(d);
    if (this.#base[d] === position + length) this.#skipHidden(d, position, prefix);
    return true;
  }

  /** A segment that is a message whose prefix went before: where the capture began, between the two. */
  #unprefixed(carrier: Carrier, d: number, segment: Segment, position: number): void {
    const { bytes, at, length } = segment;
    if (this.#base[d] >= this.#floor[d]) return;
    if (length < segment.claimed || length < 12 || !sound(bytes, at, length)) return;
    const { pieces } = this;
    const piece = this.#pieceAt(d, position);
    if (pieces.available(piece, position, length) < length) return;
    this.#hand(carrier, bytes, at, length, length);
    this.#consume(d, piece, position + length);
  }

  /** Delivers messages from `position`, where one is known to begin, to the end of the run. */
  #walk(carrier: Carrier, d: number, piece: number, position: number): void {
    const { pieces } = this;
    let p = piece;
    for (;;) {
      if (position === pieces.end(p)) {
        p = pieces.following(p);
        if (p < 0) return;
      }
      if (pieces.state[p] === CONSUMED) {
        position = pieces.end(p);
        continue;
      }
      p = this.#cutAt(d, p, position);
      pieces.state[p] = BOUNDARY;
      if (pieces.copy(p, position, this.#message, 2) < 2) return;
      const length = (this.#message[0] << 8) | this.#message[1];
      if (length < 12) {
        // No message is so short: the framing is lost.
        pieces.state[p] = WAITING;
        if (position === this.#base[d]) this.#state[d] = LOST;
        this.#scan(carrier, d, p, position + 1);
        return;
      }
      const whole = length + 2;
      if (pieces.available(p, position, whole) < whole) return;
      if (this.#wasDelivered(p, position, whole)) this.#took = true;
      else {
        pieces.copy(p, position, this.#message, whole);
        carrier.segmented = true;
        carrier.segmentFrames = this.#origins.frames(d, position, position + whole);
        this.#hand(carrier, this.#message, 2, length, length);
      }
      p = this.#consume(d, p, position + whole);
      position += whole;
    }
  }

  /** True when all but the prefix of a message was delivered already: it came before its prefix. */
  #wasDelivered(piece: number, position: number, whole: number): boolean {
    const { pieces } = this;
    const body = position + 2;
    let p = piece;
    while (pieces.end(p) <= body) p = pieces.next[p];
    if (pieces.position[p] !== body) return false;
    while (pieces.state[p] === CONSUMED) {
      if (pieces.end(p) >= position + whole) return true;
      p = pieces.next[p];
    }
    return false;
  }

  /** Looks for a whole message from `position` on, in a run of which it is not known where messages begin. */
  #scan(carrier: Carrier, d: number, first: number, position: number): void {
    const { pieces } = this;
    let p = first;
    let q = position;
    let need = 0;
    while (need === 0) {
      while (q >= pieces.end(p)) {
        const next = pieces.following(p);
        if (next >= 0 && pieces.state[next] === WAITING) {
          p = next;
          continue;
        }
        pieces.scanned[first] = q;
        pieces.need[first] = q + PREFIXED_HEADER_BYTES;
        if (next >= 0) this.#walk(carrier, d, next, pieces.position[next]);
        return;
      }
      if (pieces.scanned[p] > q) {
        // Looked at before: only what it waited for can be new.
        const whole = pieces.need[p] - pieces.position[p];
        if (p === first && pieces.available(p, pieces.position[p], whole) < whole) return;
        q = pieces.scanned[p];
        pieces.scanned[p] = -1;
        continue;
      }
      const end = pieces.end(p);
      const have = pieces.copy(p, q, this.#window, end - q + LOOK_BYTES);
      for (let i = 0; q < end && need === 0; i++, q++) {
        need = this.#begins(p, q, i, have);
        if (need > 0) break;
        if (need < 0) {
          pieces.scanned[first] = q;
          pieces.need[first] = 0;
          this.#walk(carrier, d, this.#cutAt(d, p, q), q);
          return;
        }
      }
    }
    pieces.scanned[first] = q;
    pieces.need[first] = need;
  }

  /** −1 when a whole message begins at `q` (`i` in the window), 0 when none does, else the position up to which it takes to know. */
  #begins(piece: number, q: number, i: number, have: number): number {
    if (have - i < PREFIXED_HEADER_BYTES) return q + PREFIXED_HEADER_BYTES;
    const window = this.#window;
    const length = (window[i] << 8) | window[i + 1];
    if (length < 12 || !plausible(window, i + 2, length, have)) return 0;
    if (this.pieces.available(piece, q, length + 2) < length + 2) return q + length + 2;
    this.pieces.copy(piece, q, this.#message, length + 2);
    return sound(this.#message, 2, length) ? -1 : 0;
  }

  #hand(carrier: Carrier, bytes: Uint8Array<ArrayBufferLike>, at: number, length: number, claimed: number): void {
    carrier.bytes = bytes;
    carrier.at = at;
    carrier.length = length;
    carrier.claimedLength = claimed;
    carrier.messageInFrame = ++this.delivered;
    this.#took = true;
    this.#deliver(carrier);
    carrier.segmented = false;
  }

  /** The piece that begins at a position at which bytes are held. */
  #pieceAt(d: number, position: number): number {
    return this.#cutAt(d, this.pieces.before(d, position), position);
  }

  /** The piece that begins at a position within `piece`. */
  #cutAt(d: number, piece: number, position: number): number {
    const { pieces } = this;
    if (pieces.position[piece] === position) return piece;
    const rest = pieces.split(d, piece, position);
    if (pieces.state[rest] === BOUNDARY) pieces.state[rest] = WAITING;
    return rest;
  }

  /** Marks bytes from the start of `piece` to `end` as delivered; gives the piece that ends there. */
  #consume(d: number, piece: number, end: number): number {
    const { pieces } = this;
    let p = piece;
    for (;;) {
      if (pieces.end(p) > end) this.#cutAt(d, p, end);
      pieces.state[p] = CONSUMED;
      this.#move(p, FATE.carried);
      if (pieces.end(p) >= end) return p;
      p = pieces.next[p];
    }
  }

  /** Frames held for a piece get their fate. */
  #move(piece: number, fate: number): void {
    const { frames } = this.pieces;
    this.#ledger.frames[FATE.held] -= frames[piece];
    this.#ledger.frames[fate] += frames[piece];
    frames[piece] = 0;
  }

  /** Lets go of delivered bytes at the head of the list: the stream is in step behind them. */
  #settle(d: number): void {
    const { pieces } = this;
    let head = pieces.head[d];
    // Where the capture began in the middle, the first message found is where the stream begins.
    if (head >= 0 && pieces.state[head] === CONSUMED && this.#base[d] < this.#floor[d]) {
      this.#base[d] = pieces.position[head];
    }
    while (head >= 0 && pieces.state[head] === CONSUMED && pieces.position[head] === this.#base[d]) {
      this.#base[d] = pieces.end(head);
      this.#state[d] = IN_STEP;
      pieces.remove(d, head);
      head = pieces.head[d];
    }
    if (head < 0) this.#origins.clear(d);
    else this.#origins.trim(d, this.#base[d]);
  }

  /** A segment cut by the capture ends a message that is held: it is handed over as far as it goes. */
  #cutHeld(carrier: Carrier, d: number, end: number): void {
    const { pieces } = this;
    const head = pieces.head[d];
    const base = this.#base[d];
    if (head < 0) {
      if (base === end) this.#skipHidden(d, end, 0);
      return;
    }
    if (this.#state[d] !== IN_STEP || pieces.position[head] !== base) return;
    const got = pieces.copy(head, base, this.#message, MAX_PREFIXED_BYTES);
    const length = got > 2 ? (this.#message[0] << 8) | this.#message[1] : 0;
    if (base + got !== end || length < 12) return;
    carrier.segmented = true;
    carrier.segmentFrames = this.#origins.frames(d, base, end);
    this.#hand(carrier, this.#message, 2, got - 2, length);
    this.#consume(d, head, end);
    this.#settle(d);
    this.#skipHidden(d, base, length);
  }

  /** Bytes from before everything seen of a stream whose start was not captured: whole messages in them are read. */
  #earlier(carrier: Carrier, d: number, segment: Segment, position: number): void {
    const { bytes, at } = segment;
    const end = Math.min(segment.length, this.#floor[d] - position);
    for (let i = 0; i + PREFIXED_HEADER_BYTES <= end; ) {
      const length = (bytes[at + i] << 8) | bytes[at + i + 1];
      if (i + 2 + length > end || !sound(bytes, at + i + 2, length)) break;
      this.#hand(carrier, bytes, at + i + 2, length, length);
      i += 2 + length;
    }
    this.#floor[d] = position;
  }

  /** Gives up a hole that was waited for long enough, and what a direction holds beyond its share. */
  #relieve(d: number, seconds: number): void {
    const { pieces } = this;
    for (let head = pieces.head[d]; head >= 0; head = pieces.head[d]) {
      if (pieces.count[d] <= DIRECTION_CELLS) {
        if (Math.abs(seconds - pieces.seconds[head]) <= HOLE_SECONDS) return;
        if (this.#continues(d, head)) return;
      }
      this.abandon(d, FATE.stream_gap);
    }
  }

  /** True when all that is held is one message, from its first byte on: it is only slow. */
  #continues(d: number, head: number): boolean {
    const { pieces } = this;
    if (this.#state[d] !== IN_STEP || pieces.position[head] !== this.#base[d]) return false;
    let last = head;
    for (let next = head; next >= 0; next = pieces.following(next)) last = next;
    return last === pieces.tail[d];
  }
}
