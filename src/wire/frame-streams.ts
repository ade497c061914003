/** Frame Streams, the framing of dnstap: an escape and control frames around data frames with their lengths. */

/** What dnstap calls its payloads. */
export const DNSTAP_CONTENT_TYPE = 'protobuf:dnstap.Dnstap';

/** Control frame types of the Frame Streams protocol. */
export const ACCEPT = 1;
export const START = 2;
export const STOP = 3;
export const READY = 4;
export const FINISH = 5;

/** What `next` found. */
export const NOTHING = 0;
export const DATA = 1;
export const CONTROL = 2;
export const BROKEN = 3;

const MAX_CONTROL_BYTES = 512;
/** Two messages of 64 KiB and what stands around them fit many times. */
const MAX_DATA_BYTES = 1024 * 1024;
const CONTENT_TYPE = 1;

/**
 * Cuts a byte stream into Frame Streams frames: a length and so many bytes, or an escape (length 0) and a control
 * frame. Give bytes with `push`, then call `next` until it finds nothing.
 */
export class FrameStreams {
  bytes: Uint8Array = new Uint8Array(64 * 1024);
  /** The frame found: payload of a data frame, or of a control frame behind its type. */
  at = 0;
  length = 0;
  /** Type of the control frame found. */
  control = 0;
  /** Why the stream is broken. */
  reason = '';
  /** Bytes of the stream before the frame found last. */
  offset = 0;
  #next = 0;
  #end = 0;
  #before = 0;

  /** True when no part of a frame is left over. */
  get isEmpty(): boolean {
    return this.#next === this.#end;
  }

  push(chunk: Uint8Array): void {
    if (this.#next > 0) {
      this.bytes.copyWithin(0, this.#next, this.#end);
      this.#before += this.#next;
      this.#end -= this.#next;
      this.#next = 0;
    }
    if (this.#end + chunk.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.#end + chunk.length));
      grown.set(this.bytes.subarray(0, this.#end));
      this.bytes = grown;
    }
    this.bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  next(): number {
    const left = this.#end - this.#next;
    this.offset = this.#before + this.#next;
    if (left < 4) return NOTHING;
    const length = this.#u32(this.#next);
    if (length === 0) return this.#nextControl(left);
    if (length > MAX_DATA_BYTES) return this.#broken(`a frame claims to be ${length} bytes long`);
    if (left < 4 + length) return NOTHING;
    this.at = this.#next + 4;
    this.length = length;
    this.#next = this.at + length;
    return DATA;
  }

  /** True when the control frame names the content type, or none at all. */
  accepts(contentType: string): boolean {
    const wanted = new TextEncoder().encode(contentType);
    let named = false;
    let at = this.at;
    const end = this.at + this.length;
    while (end - at >= 8) {
      const size = this.#u32(at + 4);
      if (size > end - at - 8) break;
      if (this.#u32(at) === CONTENT_TYPE) {
        named = true;
        if (size === wanted.length && wanted.every((octet, i) => octet === this.bytes[at + 8 + i])) return true;
      }
      at += 8 + size;
    }
    return !named;
  }

  #nextControl(left: number): number {
    if (left < 8) return NOTHING;
    const length = this.#u32(this.#next + 4);
    if (length < 4 || length > MAX_CONTROL_BYTES)
      return this.#broken(`a control frame claims to be ${length} bytes long`);
    if (left < 8 + length) return NOTHING;
    this.control = this.#u32(this.#next + 8);
    this.at = this.#next + 12;
    this.length = length - 4;
    this.#next += 8 + length;
    return CONTROL;
  }

  #broken(reason: string): number {
    this.reason = reason;
    return BROKEN;
  }

  #u32(at: number): number {
    const b = this.bytes;
    return ((b[at] << 24) | (b[at + 1] << 16) | (b[at + 2] << 8) | b[at + 3]) >>> 0;
  }
}

/** A control frame as it goes over the wire, with a content type where it is to name one. */
export function controlFrame(type: number, contentType = ''): Uint8Array {
  const name = new TextEncoder().encode(contentType);
  const length = 4 + (name.length > 0 ? 8 + name.length : 0);
  const out = new Uint8Array(8 + length);
  const view = new DataView(out.buffer);
  view.setUint32(4, length);
  view.setUint32(8, type);
  if (name.length > 0) {
    view.setUint32(12, CONTENT_TYPE);
    view.setUint32(16, name.length);
    out.set(name, 20);
  }
  return out;
}
