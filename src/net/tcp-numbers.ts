import { word } from '../core/address.ts';
import type { Carrier } from '../core/carrier.ts';
import type { Segment } from './reassembly.ts';
import { wider } from './wider.ts';

const SYN = 2;
const ACK = 16;
const WINDOW_SCALE = 3;
/** Largest shift that counts (RFC 7323 §2.3). */
const MAX_SHIFT = 14;
/** Shift of a window: its SYN was not seen; windows of the connection are not scaled. */
const UNKNOWN = -1;
const UNSCALED = -2;

/** Where the sequence numbers of each direction begin and how its windows are scaled, as Wireshark tells it. */
export class TcpNumbers {
  #base = new Int32Array(128);
  #known = new Uint8Array(128);
  #shift = new Int8Array(128);

  /** Makes place for directions 0 … count − 1. */
  grow(count: number): void {
    this.#base = wider(this.#base, new Int32Array(count));
    this.#known = wider(this.#known, new Uint8Array(count));
    this.#shift = wider(this.#shift, new Int8Array(count));
  }

  /** A new connection has this flow. */
  begin(flow: number): void {
    for (let d = flow * 2; d < flow * 2 + 2; d++) {
      this.#known[d] = 0;
      this.#shift[d] = UNKNOWN;
    }
  }

  /** The carrier learns the relative numbers of a segment in direction `d`, and the factor of its window. */
  see(carrier: Carrier, segment: Segment, d: number): void {
    const { bytes, headerAt, flags, sequence } = segment;
    const acknowledgment = word(bytes, headerAt + 8);
    const isSyn = (flags & SYN) !== 0;
    if (this.#known[d] === 0) {
      this.#known[d] = 1;
      this.#base[d] = isSyn ? sequence : sequence - 1;
    }
    // The first number acknowledged tells where the other direction begins, whose SYN may have been missed.
    if (this.#known[d ^ 1] === 0 && (flags & ACK) !== 0) {
      this.#known[d ^ 1] = 1;
      this.#base[d ^ 1] = acknowledgment - 1;
    }
    if (isSyn) this.#scaling(segment, d);
    carrier.sequence = (sequence - this.#base[d]) >>> 0;
    carrier.acknowledgment = (flags & ACK) === 0 ? 0 : (acknowledgment - this.#base[d ^ 1]) >>> 0;
    const shift = this.#shift[d];
    carrier.windowFactor = shift < 0 ? shift : 1 << shift;
  }

  #scaling({ bytes, headerAt, at, flags }: Segment, d: number): void {
    const shift = windowScale(bytes, headerAt + 20, at);
    if (shift >= 0) this.#shift[d] = Math.min(shift, MAX_SHIFT);
    if (this.#shift[d] === UNKNOWN) this.#shift[d] = this.#shift[d ^ 1] = UNSCALED;
    // Both sides have to agree (RFC 7323 §2.2).
    if ((flags & ACK) !== 0 && this.#shift[d ^ 1] === UNSCALED) this.#shift[d] = UNSCALED;
  }
}

/** Shift of the window scale option among the options of a header; −1 without. */
function windowScale(bytes: Uint8Array<ArrayBufferLike>, from: number, end: number): number {
  for (let at = from; at < end && bytes[at] !== 0; ) {
    if (bytes[at] === 1) {
      at++;
      continue;
    }
    const length = bytes[at + 1];
    if (at + 1 >= end || length < 2 || at + length > end) return -1;
    if (bytes[at] === WINDOW_SCALE && length === 3) return bytes[at + 2];
    at += length;
  }
  return -1;
}
