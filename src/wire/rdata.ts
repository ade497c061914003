import { FAULT } from './fault.ts';
import type { MessageView } from './message.ts';
import { nameFault, nameText, skipName } from './name.ts';

const NAME_SLOTS = 16;

/**
 * Reads the inside of one record (or option) after another. Nothing throws: a read past the end gives 0 or '' and marks
 * the record as failed, so a reader of a type needs one check, at its end.
 *
 * Work is counted in bytes of names shown, over all records of one message. Where many records point at one long name it
 * passes `workLimit`, and further names fail: rendering a message stays linear in its size (RFC 9267 §2).
 */
export class RdataReader {
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  /** First byte of the message: what compression pointers count from. */
  start = 0;
  at = 0;
  end = 0;
  /** Class of the record (A of class CH differs). */
  class = 1;
  /** Offset from the message's start of the first thing that could not be read; −1 none. */
  failedAt = -1;
  /** FAULT number of it. */
  fault = 0;
  /** Offset from the message's start of a compression pointer in a type that forbids it (RFC 3597 §4); −1 none. */
  compressedAt = -1;
  work = 0;
  workLimit = 0;
  #message: MessageView | undefined;
  #serial = -1;
  #record = -1;
  // Texts of the names pointed at last: owners and targets repeat within a message.
  readonly #namedAt = new Int32Array(NAME_SLOTS).fill(-1);
  readonly #named: string[] = new Array(NAME_SLOTS).fill('');

  /** Goes to record `i` of a message. A pass over the records goes upwards: going back starts a new work count. */
  open(view: MessageView, i: number): this {
    this.enter(view);
    if (i < this.#record) this.work = 0;
    this.#record = i;
    const at = view.rdata[i];
    this.class = view.class[i];
    return this.range(at, at + view.rdlength[i]);
  }

  /** Goes to a message; the work counter starts anew with each one. */
  enter(view: MessageView): void {
    if (this.#message === view && this.#serial === view.serial) return;
    this.#record = -1;
    this.#message = view;
    this.#serial = view.serial;
    this.bytes = view.bytes;
    this.start = view.start;
    this.work = 0;
    this.workLimit = 24 * (view.end - view.start);
    this.#namedAt.fill(-1);
  }

  /** Begins a pass over a message: a new work count. */
  begin(view: MessageView): void {
    this.enter(view);
    this.work = 0;
    this.#record = -1;
  }

  /** Goes to a range of the message entered. */
  range(at: number, end: number): this {
    this.at = at;
    this.end = end;
    this.failedAt = -1;
    this.fault = 0;
    this.compressedAt = -1;
    return this;
  }

  /** Reads bytes that are no part of a message (a value made by a caller, a test). */
  bare(bytes: Uint8Array, at = 0, end: number = bytes.length): this {
    this.#message = undefined;
    this.bytes = bytes;
    this.start = at;
    this.work = 0;
    this.workLimit = Number.POSITIVE_INFINITY;
    this.#namedAt.fill(-1);
    this.class = 1;
    return this.range(at, end);
  }

  get left(): number {
    return this.end - this.at;
  }
  /** True while everything asked for was there. */
  get sound(): boolean {
    return this.failedAt < 0;
  }

  /** True when everything was there and nothing is left over (RFC 9267 §5); octets left over are a failure. */
  finish(): boolean {
    if (this.at < this.end) this.fail();
    return this.failedAt < 0;
  }

  fail(fault: number = FAULT.rdata_malformed, at: number = this.at): 0 {
    if (this.failedAt < 0) {
      this.failedAt = at - this.start;
      this.fault = fault;
    }
    this.at = this.end;
    return 0;
  }

  u8(): number {
    if (this.at >= this.end) return this.fail();
    return this.bytes[this.at++];
  }

  u16(): number {
    if (this.at + 2 > this.end) return this.fail();
    const at = this.at;
    this.at = at + 2;
    return (this.bytes[at] << 8) | this.bytes[at + 1];
  }

  u32(): number {
    if (this.at + 4 > this.end) return this.fail();
    const { bytes, at } = this;
    this.at = at + 4;
    return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
  }

  /** 48 bits: exact in a number. */
  u48(): number {
    const high = this.u16();
    return high * 0x1_0000_0000 + this.u32();
  }

  /** A copy of the next `count` bytes, all that are left without. */
  take(count: number = this.left): Uint8Array {
    if (this.at + count > this.end) {
      this.fail();
      return new Uint8Array(0);
    }
    this.at += count;
    return this.bytes.slice(this.at - count, this.at);
  }

  /** Escaped text of the next `count` bytes (`\\`, `\DDD`; no quotes). */
  text(count: number): string {
    if (this.at + count > this.end) {
      this.fail();
      return '';
    }
    let text = '';
    const stop = this.at + count;
    while (this.at < stop) text += OCTET_TEXT[this.bytes[this.at++]];
    return text;
  }

  /** A name, escaped, without trailing dot. `allowed`: the type may be compressed (RFC 3597 §4). */
  name(allowed: boolean): string {
    const { at, bytes, start } = this;
    const next = skipName(bytes, at, start, this.end);
    if (next < 0) {
      this.fail(nameFault.code, nameFault.at);
      return '';
    }
    if (!allowed && this.compressedAt < 0 && hasPointer(bytes, at)) this.compressedAt = at - start;
    this.at = next;
    const text = this.nameAt(at);
    if (text === undefined) {
      this.fail(FAULT.too_costly, at);
      return '';
    }
    return text;
  }

  /** Text of a sound name at an offset into `bytes`; undefined when the message's work limit is spent. */
  nameAt(at: number): string | undefined {
    const { bytes, start } = this;
    let from = at;
    let hops = 0;
    while (bytes[from] >= 0xc0 && hops < 127) {
      from = start + (((bytes[from] & 0x3f) << 8) | bytes[from + 1]);
      hops++;
    }
    this.work += hops + 1;
    const slot = from & (NAME_SLOTS - 1);
    if (this.#namedAt[slot] === from) return this.#named[slot];
    if (this.work > this.workLimit) return undefined;
    const text = nameText(bytes, from, start);
    this.work += text.length;
    this.#namedAt[slot] = from;
    this.#named[slot] = text;
    return text;
  }
}

/** True when a sound name contains a compression pointer. */
export function hasPointer(bytes: Uint8Array, at: number): boolean {
  while (bytes[at] !== 0) {
    if (bytes[at] >= 0xc0) return true;
    at += bytes[at] + 1;
  }
  return false;
}

/** Text of each octet of a character-string: printable ASCII as it is, `\\`, others `\DDD` (RFC 1035 §5.1). */
export const OCTET_TEXT: readonly string[] = Array.from({ length: 256 }, (_, c) => {
  if (c === 0x5c) return '\\\\';
  if (c >= 0x20 && c < 0x7f) return String.fromCharCode(c);
  return `\\${String(c).padStart(3, '0')}`;
});
