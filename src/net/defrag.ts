import type { Carrier } from '../core/carrier.ts';
import { FATE, type Ledger } from '../core/ledger.ts';
import { Origins } from './origins.ts';
import { Pieces } from './pieces.ts';
import { SlotTable } from './slot-table.ts';
import { wider } from './wider.ts';

/** One IP fragment. The dissector fills the same one again and again; addresses and time come from the carrier. */
export class Fragment {
  /** IPv4: protocol of the header; IPv6: next header of the fragment header. */
  protocol = 0;
  /** 16 bits of IPv4, 32 of IPv6. */
  id = 0;
  /** Offset of its first byte in the datagram (bytes), and the more-fragments bit. */
  offset = 0;
  more = false;
  /** Its payload (behind the IPv4 header / the IPv6 fragment header). */
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  at = 0;
  length = 0;
  /** Payload bytes on the wire by the IP header (> length when the capture cut the frame). */
  claimed = 0;
  /** Captured frames it stands for: 1, or more where it came out of reassembled fragments itself (tunnels). */
  frames = 1;
}

/** `Defragmenter.add` found the datagram complete: its fields say where it is. */
export const COMPLETE = -1;

export interface DefragOptions {
  /** Most bytes held (default 16 MiB), most datagrams (default 16,384). */
  bytes?: number;
  datagrams?: number;
}

const MAX_DATAGRAM_BYTES = 65_535;
/** How long the fragments of a datagram are waited for (Linux: 30 s; RFC 8200 §4.5: 60 s), in seconds. */
const WAIT_SECONDS = 30;
/** Copies by a mirror port come within this time of the datagram. */
const COPY_SECONDS = 0.02;
const HIDDEN = new Uint8Array(MAX_DATAGRAM_BYTES);

// Lists of the table: datagrams that wait for fragments (or refuse them), and those complete.
const OPEN = 0;
const DONE = 1;
const WAITING = 0;

/**
 * IPv4 and IPv6 fragments → datagrams (RFC 791 §3.2, RFC 8200 §4.5, RFC 5722).
 *
 * `add` gives the fate of the fragment's frame, to be counted by the caller (`frames[fate] += fragment.frames`), or
 * `COMPLETE`: then `bytes`, `at`, `length`, `claimed`, `protocol` are the datagram's payload, valid until the next
 * `add`; `frames` counts the frames of the datagram, this one included, and `held` those of them that were counted as
 * held before: the caller moves them (`frames[held] −= held; frames[fate] += frames`). What is given up later is moved
 * in the ledger here.
 *
 * A fragment that repeats bytes exactly is passed over; one that overlaps otherwise makes the whole datagram refused.
 * A first fragment cut by the snapshot length is handed over at once (its message is readable as far as it goes), a
 * later one when the datagram is complete, up to the cut.
 */
export class Defragmenter {
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  at = 0;
  length = 0;
  claimed = 0;
  protocol = 0;
  frames = 0;
  held = 0;
  /** Frames that the fragments came in, by their place; empty where it is one. */
  origins: readonly number[] = [];

  readonly #origins = new Origins();
  readonly #ledger: Ledger;
  readonly #table: SlotTable;
  readonly #pieces: Pieces;
  readonly #joined = new Uint8Array(MAX_DATAGRAM_BYTES);
  // Columns by slot. `refused`: 0, or the fate of every further fragment.
  #refused = new Uint8Array(64);
  #protocol = new Uint8Array(64);
  #total = new Int32Array(64);
  #received = new Int32Array(64);
  #cutAt = new Int32Array(64);
  #held = new Float64Array(64);
  #repeats = new Uint32Array(64);
  /** Time of the first fragment, or of completion. */
  #seconds = new Float64Array(64);

  constructor(ledger: Ledger, options: DefragOptions = {}) {
    this.#ledger = ledger;
    this.#table = new SlotTable(10, options.datagrams ?? 16_384, 2);
    this.#pieces = new Pieces(options.bytes ?? 16 << 20);
  }

  /** Datagrams that wait, and bytes held for them. */
  get size(): { datagrams: number; bytes: number } {
    return { datagrams: this.#table.count, bytes: this.#pieces.used * 512 };
  }

  add(carrier: Carrier, fragment: Fragment): number {
    const { offset, more, claimed } = fragment;
    if (offset === 0 && !more) return this.#whole(fragment, 0);
    const end = offset + claimed;
    if (end > MAX_DATAGRAM_BYTES || claimed === 0 || (more && (claimed & 7) !== 0)) return FATE.malformed;
    const now = carrier.seconds + carrier.nanos / 1e9;
    this.#expire(now);
    while (!this.#pieces.fits(claimed)) this.#evict();
    const slot = this.#slot(carrier, fragment, now);
    if (slot < 0) return FATE.fragment_overlap;
    if (this.#refused[slot] !== 0) return this.#refused[slot];
    const total = this.#total[slot];
    const last = this.#pieces.tail[slot];
    if (more ? total >= 0 && end >= total : last >= 0 && this.#pieces.end(last) > end) return this.#overlap(slot);
    const after = this.#pieces.before(slot, offset);
    const next = after < 0 ? this.#pieces.head[slot] : this.#pieces.next[after];
    if (
      (after >= 0 && this.#pieces.end(after) > offset) ||
      (next >= 0 && this.#pieces.position[next] < end) ||
      (!more && total >= 0 && total !== end)
    ) {
      if (!this.#repeated(slot, after, fragment)) return this.#overlap(slot);
      this.#repeats[slot]++;
      return FATE.fragment_overlap;
    }
    if (!more) this.#total[slot] = end;
    if (offset === 0) {
      this.#protocol[slot] = fragment.protocol;
      if (fragment.length < claimed) return this.#cutFirst(slot, fragment);
    }
    this.#store(slot, after, fragment);
    this.#origins.note(slot, offset, end, carrier.number);
    if (this.#received[slot] !== this.#total[slot]) {
      this.#held[slot] += fragment.frames;
      return FATE.held;
    }
    return this.#complete(slot, fragment, now);
  }

  /** Packet time has reached this: datagrams older than 30 s are given up. */
  advance(seconds: number, nanos: number): void {
    this.#expire(seconds + nanos / 1e9);
  }

  /** The run has ended: what is held is counted as unfinished. */
  finish(): void {
    for (let slot = this.#table.oldest(OPEN); slot >= 0; slot = this.#table.oldest(OPEN)) {
      this.#forget(slot, FATE.fragment_unfinished);
    }
    for (let slot = this.#table.oldest(DONE); slot >= 0; slot = this.#table.oldest(DONE)) this.#forget(slot, 0);
  }

  /** A datagram in one fragment (RFC 6946), or all there will be of one: straight from the frame. */
  #whole(fragment: Fragment, held: number): number {
    this.bytes = fragment.bytes;
    this.origins = [];
    this.at = fragment.at;
    this.length = fragment.length;
    this.claimed = fragment.claimed;
    this.protocol = fragment.protocol;
    this.held = held;
    this.frames = held + fragment.frames;
    return COMPLETE;
  }

  /** Slot of the fragment's datagram, opened if it is new; −1 for a fragment that repeats a datagram just completed. */
  #slot(carrier: Carrier, fragment: Fragment, now: number): number {
    const table = this.#table;
    const { key } = table;
    key[0] = carrier.source0;
    key[1] = carrier.source1;
    key[2] = carrier.source2;
    key[3] = carrier.source3;
    key[4] = carrier.destination0;
    key[5] = carrier.destination1;
    key[6] = carrier.destination2;
    key[7] = carrier.destination3;
    key[8] = fragment.id;
    // The protocol is part of IPv4's key only: in IPv6 later fragments may name another one (RFC 8200 §4.5).
    key[9] = ((carrier.vlan & 0xffff) << 16) | (carrier.family << 8) | (carrier.family === 4 ? fragment.protocol : 0);
    let slot = table.find();
    if (slot >= 0) {
      const complete = this.#refused[slot] === DONE_MARK;
      if (complete) {
        const copied = Math.abs(now - this.#seconds[slot]) <= COPY_SECONDS;
        if (copied && (fragment.offset !== 0 || this.#repeats[slot] > 0)) return -1;
      }
      if (!complete && !(this.#refused[slot] === FATE.cut && fragment.offset === 0)) return slot;
      this.#forget(slot, 0);
    }
    if (table.count === table.limit) this.#evict();
    slot = table.insert(OPEN);
    if (slot >= this.#total.length) this.#grow();
    this.#refused[slot] = WAITING;
    this.#protocol[slot] = fragment.protocol;
    this.#total[slot] = -1;
    this.#received[slot] = 0;
    this.#cutAt[slot] = MAX_DATAGRAM_BYTES;
    this.#held[slot] = 0;
    this.#repeats[slot] = 0;
    this.#seconds[slot] = now;
    return slot;
  }

  /** True when every byte of the fragment is there already, and the same. `before`: the piece at or before its start. */
  #repeated(slot: number, before: number, fragment: Fragment): boolean {
    const pieces = this.#pieces;
    const { offset, claimed, length, bytes, at } = fragment;
    if (!fragment.more && this.#total[slot] !== offset + claimed) return false;
    let piece = before;
    for (let i = 0; i < claimed; i++) {
      if (piece >= 0 && offset + i === pieces.end(piece)) piece = pieces.next[piece];
      if (piece < 0) return false;
      const inside = offset + i - pieces.position[piece];
      if (inside < 0 || inside >= pieces.length[piece]) return false;
      if (i < length && offset + i < this.#cutAt[slot] && pieces.byte(piece, inside) !== bytes[at + i]) return false;
    }
    return true;
  }

  #store(slot: number, after: number, fragment: Fragment): void {
    const { offset, claimed, length } = fragment;
    const pieces = this.#pieces;
    const joins = after >= 0 && pieces.end(after) === offset;
    const fits = joins ? pieces.extend(after, fragment.bytes, fragment.at, length) : 0;
    if (fits < length) {
      const { bytes, at } = fragment;
      after = pieces.insert(slot, after, offset + fits, { bytes, at: at + fits, length: length - fits });
      // `insert` gives the first of the pieces it made; the hidden rest goes behind the last.
      while (pieces.end(after) < offset + length) after = pieces.next[after];
    }
    if (length < claimed) {
      this.#cutAt[slot] = Math.min(this.#cutAt[slot], offset + length);
      pieces.insert(slot, after, offset + length, { bytes: HIDDEN, at: 0, length: claimed - length });
    }
    this.#received[slot] += claimed;
  }

  #complete(slot: number, fragment: Fragment, now: number): number {
    const total = this.#total[slot];
    const pieces = this.#pieces;
    this.bytes = this.#joined;
    this.origins = this.#origins.frames(slot, 0, total);
    this.at = 0;
    this.length = Math.min(total, this.#cutAt[slot]);
    this.claimed = total;
    this.protocol = this.#protocol[slot];
    this.held = this.#held[slot];
    this.frames = this.held + fragment.frames;
    pieces.copy(pieces.head[slot], 0, this.#joined, this.length);
    this.#close(slot, DONE_MARK);
    this.#seconds[slot] = now;
    this.#table.move(slot, DONE);
    return COMPLETE;
  }

  #cutFirst(slot: number, fragment: Fragment): number {
    const held = this.#held[slot];
    this.#close(slot, FATE.cut);
    return this.#whole(fragment, held);
  }

  /** Lets go of what is held for a datagram whose frames another place accounts for. */
  #close(slot: number, mark: number): void {
    this.#pieces.clear(slot);
    this.#origins.clear(slot);
    this.#held[slot] = 0;
    this.#refused[slot] = mark;
  }

  /** RFC 5722: the datagram is refused, with what came and what will come. */
  #overlap(slot: number): number {
    this.#giveUp(slot, FATE.fragment_overlap);
    this.#close(slot, FATE.fragment_overlap);
    return FATE.fragment_overlap;
  }

  #giveUp(slot: number, fate: number): void {
    const held = this.#held[slot];
    this.#ledger.frames[FATE.held] -= held;
    this.#ledger.frames[fate] += held;
  }

  #forget(slot: number, fate: number): void {
    this.#giveUp(slot, fate);
    this.#close(slot, 0);
    this.#table.remove(slot);
  }

  /** Forgets a datagram that is complete, else the one that waits longest. */
  #evict(): void {
    const done = this.#pieces.used === 0 || this.#table.count === this.#table.limit ? this.#table.oldest(DONE) : -1;
    if (done >= 0) this.#forget(done, 0);
    else this.#forget(this.#table.oldest(OPEN), FATE.fragment_evicted);
  }

  #expire(now: number): void {
    for (let slot = this.#table.oldest(OPEN); slot >= 0; slot = this.#table.oldest(OPEN)) {
      const age = now - this.#seconds[slot];
      // A clock set back by more than an hour ends the wait as well.
      if (age <= WAIT_SECONDS && age > -3600) break;
      this.#forget(slot, FATE.fragment_evicted);
    }
    for (let slot = this.#table.oldest(DONE); slot >= 0; slot = this.#table.oldest(DONE)) {
      if (Math.abs(now - this.#seconds[slot]) <= COPY_SECONDS) break;
      this.#forget(slot, 0);
    }
  }

  #grow(): void {
    const { capacity } = this.#table;
    this.#refused = wider(this.#refused, new Uint8Array(capacity));
    this.#protocol = wider(this.#protocol, new Uint8Array(capacity));
    this.#total = wider(this.#total, new Int32Array(capacity));
    this.#received = wider(this.#received, new Int32Array(capacity));
    this.#cutAt = wider(this.#cutAt, new Int32Array(capacity));
    this.#held = wider(this.#held, new Float64Array(capacity));
    this.#repeats = wider(this.#repeats, new Uint32Array(capacity));
    this.#seconds = wider(this.#seconds, new Float64Array(capacity));
    this.#pieces.lists(capacity);
  }
}

/** `refused` of a datagram that is complete. */
const DONE_MARK = 255;
