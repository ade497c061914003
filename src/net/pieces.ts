import { wider } from './wider.ts';

/** Bytes of a cell, the unit in which memory is held. */
export const CELL_BYTES = 512;
const CELL_SHIFT = 9;

/** `state` of a piece: waits; waits, and a message begins at its first byte; belongs to messages already delivered. */
export const WAITING = 0;
export const BOUNDARY = 1;
export const CONSUMED = 2;

/**
 * Bytes that came in pieces: sorted lists of cells out of one pool. Positions are numbers that never wrap; pieces of a
 * list never overlap. The pool grows by doubling to its limit and never shrinks; freed cells are used again.
 */
export class Pieces {
  /** First and last piece of each list, −1 when it is empty. */
  head = new Int32Array(64).fill(-1);
  tail = new Int32Array(64).fill(-1);
  /** Columns by piece: position of the first byte, bytes, neighbours in the list. */
  position = new Float64Array(64);
  length = new Uint16Array(64);
  next = new Int32Array(64);
  previous = new Int32Array(64);
  /** Frames that are held for its sake, its state, and the time (seconds) at which it came. */
  frames = new Uint32Array(64);
  state = new Uint8Array(64);
  seconds = new Float64Array(64);
  /** No message begins from the piece's first byte up to `scanned`; to know about that one takes bytes up to `need`. */
  scanned = new Float64Array(64);
  need = new Float64Array(64);
  /** Cells of each list. */
  count = new Int32Array(64);
  /** Time (seconds) that new pieces get. */
  clock = 0;
  /** Cells in use, and how many may be (a split may pass it by one or two). */
  used = 0;
  readonly limit: number;
  #memory = new Uint8Array(64 * CELL_BYTES);
  #free = -1;
  #fresh = 0;

  /** @param bytes most memory of the pool; less than one largest message is not accepted. */
  constructor(bytes: number) {
    this.limit = Math.max(512, Math.floor(bytes / CELL_BYTES));
  }

  /** Makes place for lists 0 … count − 1. */
  lists(count: number): void {
    if (count <= this.head.length) return;
    const head = new Int32Array(count).fill(-1);
    const tail = new Int32Array(count).fill(-1);
    head.set(this.head);
    tail.set(this.tail);
    this.head = head;
    this.tail = tail;
    this.count = wider(this.count, new Int32Array(count));
  }

  /** True when so many more bytes fit. */
  fits(bytes: number): boolean {
    return this.used + cells(bytes) <= this.limit;
  }

  /** Position behind the last byte of a piece. */
  end(piece: number): number {
    return this.position[piece] + this.length[piece];
  }

  /** The last piece that begins at or before a position, −1 when there is none; looked for from the tail. */
  before(list: number, position: number): number {
    let piece = this.tail[list];
    while (piece >= 0 && this.position[piece] > position) piece = this.previous[piece];
    return piece;
  }

  /** Stores bytes behind piece `after` (−1 = first of the list), which end before its neighbour; gives the first piece. */
  insert(
    list: number,
    after: number,
    position: number,
    from: { bytes: Uint8Array; at: number; length: number },
  ): number {
    const { bytes, at, length } = from;
    let first = -1;
    for (let done = 0; done < length; done += CELL_BYTES) {
      const count = Math.min(CELL_BYTES, length - done);
      const piece = this.#allocate();
      this.position[piece] = position + done;
      this.length[piece] = count;
      this.#link(list, after, piece);
      copyBytes(bytes, at + done, this.#memory, piece << CELL_SHIFT, count);
      after = piece;
      if (first < 0) first = piece;
    }
    return first;
  }

  /** Appends bytes to a piece while its cell has room; returns how many. */
  extend(piece: number, bytes: Uint8Array, at: number, length: number): number {
    const room = CELL_BYTES - this.length[piece];
    const count = Math.min(room, length);
    copyBytes(bytes, at, this.#memory, (piece << CELL_SHIFT) + this.length[piece], count);
    this.length[piece] += count;
    return count;
  }

  /** Divides a piece so that a new one begins at `position`, with the same state and time and no frames; returns it. */
  split(list: number, piece: number, position: number): number {
    const kept = position - this.position[piece];
    const rest = this.#allocate();
    this.position[rest] = position;
    this.length[rest] = this.length[piece] - kept;
    this.state[rest] = this.state[piece];
    this.seconds[rest] = this.seconds[piece];
    const from = (piece << CELL_SHIFT) + kept;
    this.#memory.copyWithin(rest << CELL_SHIFT, from, from + this.length[rest]);
    this.length[piece] = kept;
    this.#link(list, piece, rest);
    return rest;
  }

  remove(list: number, piece: number): void {
    const before = this.previous[piece];
    const after = this.next[piece];
    if (before >= 0) this.next[before] = after;
    else this.head[list] = after;
    if (after >= 0) this.previous[after] = before;
    else this.tail[list] = before;
    this.next[piece] = this.#free;
    this.#free = piece;
    this.used--;
    this.count[list]--;
  }

  clear(list: number): void {
    while (this.head[list] >= 0) this.remove(list, this.head[list]);
  }

  /** The neighbour that continues a piece without a hole, −1 without; and the one that it continues. */
  following(piece: number): number {
    const next = this.next[piece];
    return next >= 0 && this.position[next] === this.end(piece) ? next : -1;
  }
  preceding(piece: number): number {
    const previous = this.previous[piece];
    return previous >= 0 && this.end(previous) === this.position[piece] ? previous : -1;
  }

  /** Contiguous bytes from a position within `piece` on, as far as `enough`. */
  available(piece: number, position: number, enough: number): number {
    let end = this.end(piece);
    for (let next = this.following(piece); next >= 0 && end - position < enough; next = this.following(next)) {
      end = this.end(next);
    }
    return Math.min(enough, end - position);
  }

  byte(piece: number, offset: number): number {
    return this.#memory[(piece << CELL_SHIFT) + offset];
  }

  /** Copies up to `length` contiguous bytes from a position within `piece` on into `into`; returns how many there were. */
  copy(piece: number, position: number, into: Uint8Array, length: number): number {
    let done = 0;
    while (done < length) {
      const offset = position + done - this.position[piece];
      const count = Math.min(this.length[piece] - offset, length - done);
      copyBytes(this.#memory, (piece << CELL_SHIFT) + offset, into, done, count);
      done += count;
      const next = this.next[piece];
      if (next < 0 || this.position[next] !== position + done) break;
      piece = next;
    }
    return done;
  }

  #link(list: number, after: number, piece: number): void {
    const next = after < 0 ? this.head[list] : this.next[after];
    this.previous[piece] = after;
    this.next[piece] = next;
    if (after < 0) this.head[list] = piece;
    else this.next[after] = piece;
    if (next < 0) this.tail[list] = piece;
    else this.previous[next] = piece;
    this.count[list]++;
  }

  #allocate(): number {
    let piece = this.#free;
    if (piece >= 0) this.#free = this.next[piece];
    else {
      if (this.#fresh === this.position.length) this.#grow();
      piece = this.#fresh++;
    }
    this.frames[piece] = 0;
    this.state[piece] = WAITING;
    this.seconds[piece] = this.clock;
    this.scanned[piece] = -1;
    this.used++;
    return piece;
  }

  #grow(): void {
    // A little more than the limit: splits may pass it.
    const count = Math.min(this.position.length * 2, Math.max(this.position.length + 1024, this.limit + 1024));
    this.position = wider(this.position, new Float64Array(count));
    this.length = wider(this.length, new Uint16Array(count));
    this.next = wider(this.next, new Int32Array(count));
    this.previous = wider(this.previous, new Int32Array(count));
    this.frames = wider(this.frames, new Uint32Array(count));
    this.state = wider(this.state, new Uint8Array(count));
    this.seconds = wider(this.seconds, new Float64Array(count));
    this.scanned = wider(this.scanned, new Float64Array(count));
    this.need = wider(this.need, new Float64Array(count));
    this.#memory = wider(this.#memory, new Uint8Array(count * CELL_BYTES));
  }
}

/** Cells that so many bytes take. */
export function cells(bytes: number): number {
  return (bytes + CELL_BYTES - 1) >>> CELL_SHIFT;
}

/** Copies bytes; short runs without making a view. */
export function copyBytes(from: Uint8Array, at: number, into: Uint8Array, to: number, count: number): void {
  if (count > 64) into.set(from.subarray(at, at + count), to);
  else for (let i = 0; i < count; i++) into[to + i] = from[at + i];
}
