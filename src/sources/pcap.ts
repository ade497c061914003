import type { FrameBatch } from '../core/frames.ts';
import { type CaptureFormat, MAX_CAPTURED_BYTES, MAX_INTERFACES, type Shared } from './format.ts';

/** Bytes of the file header. */
const HEADER = 24;

/** Magic numbers as the writer's host order shows them, and what they say: nanoseconds per unit, record header bytes. */
const MAGICS = [
  { magic: 0xa1b2c3d4, unitNanos: 1000, recordHeader: 16 },
  { magic: 0xa1b23c4d, unitNanos: 1, recordHeader: 16 },
  // Kuznetzov's "modified" variant: interface index, protocol and packet type follow the lengths.
  { magic: 0xa1b2cd34, unitNanos: 1000, recordHeader: 24 },
] as const;

/** True when the four bytes start a pcap file of any variant and byte order. */
export function isPcap(bytes: Uint8Array, at: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 4);
  return MAGICS.some(({ magic }) => view.getUint32(0) === magic || view.getUint32(0, true) === magic);
}

/** The classic capture file: one header, then records of seconds, fraction, captured and original length, bytes. */
export class PcapFormat implements CaptureFormat {
  need = HEADER;
  fault = '';
  within = 'the file header';

  readonly #shared: Shared;
  #view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
  #buffer: ArrayBufferLike = this.#view.buffer;
  #little = true;
  #unitNanos = 0;
  #recordHeader = 0;
  #lengthsMaySwap = false;
  #link = 0;
  #interfaceId = 0;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  read(bytes: Uint8Array, at: number, end: number, batch: FrameBatch): number {
    if (this.#buffer !== bytes.buffer) {
      this.#view = new DataView(bytes.buffer);
      this.#buffer = bytes.buffer;
    }
    if (this.#recordHeader === 0) {
      if (end - at < HEADER) return at;
      if (!this.#readHeader(bytes.byteOffset + at)) return at;
      at += HEADER;
    }
    return this.#readRecords(bytes, at, end, batch);
  }

  #readHeader(at: number): boolean {
    const view = this.#view;
    const variant = MAGICS.find(({ magic }) => view.getUint32(at) === magic || view.getUint32(at, true) === magic);
    if (variant === undefined) {
      this.fault = 'not a pcap header';
      return false;
    }
    this.#little = view.getUint32(at, true) === variant.magic;
    this.#unitNanos = variant.unitNanos;
    this.#recordHeader = variant.recordHeader;
    // Before 2.3, and in some 2.3 files, the two lengths stand the other way round.
    const minor = view.getUint16(at + 6, this.#little);
    this.#lengthsMaySwap = view.getUint16(at + 4, this.#little) === 2 && (minor <= 3 || minor === 543);
    // The upper bits of the link word tell about checksums at the frame's end, not about its start.
    this.#link = view.getUint32(at + 20, this.#little) & 0xffff;
    const snaplen = view.getUint32(at + 16, this.#little);
    this.#interfaceId = this.#shared.add({ link: this.#link, snaplen, idInSection: 0 });
    if (this.#interfaceId < 0) {
      this.fault = `more than ${MAX_INTERFACES} interfaces in one run`;
      return false;
    }
    this.need = this.#recordHeader;
    this.within = 'a packet record';
    return true;
  }

  #readRecords(bytes: Uint8Array, start: number, end: number, batch: FrameBatch): number {
    const view = this.#view;
    const base = bytes.byteOffset;
    const little = this.#little;
    const unitNanos = this.#unitNanos;
    const recordHeader = this.#recordHeader;
    const capacity = batch.capacity;
    const { at: frameAt, captured, wire, seconds, nanos } = batch;
    let at = start;
    let count = batch.count;
    const first = count;
    this.need = recordHeader;
    while (count < capacity && end - at >= recordHeader) {
      const record = base + at;
      let length = view.getUint32(record + 8, little);
      let original = view.getUint32(record + 12, little);
      if (length > original && this.#lengthsMaySwap) {
        const swapped = length;
        length = original;
        original = swapped;
      }
      if (length > MAX_CAPTURED_BYTES) {
        this.fault = `a packet record claims ${length} captured bytes (at most ${MAX_CAPTURED_BYTES} are believed)`;
        break;
      }
      if (length > end - at - recordHeader) {
        this.need = recordHeader + length;
        break;
      }
      const fraction = view.getUint32(record + 4, little) * unitNanos;
      seconds[count] = view.getUint32(record, little);
      nanos[count] = fraction;
      if (fraction >= 1e9) {
        // A fraction beyond its second still names one moment: carry it over.
        const carry = Math.floor(fraction / 1e9);
        seconds[count] += carry;
        nanos[count] = fraction - carry * 1e9;
      }
      frameAt[count] = at + recordHeader;
      captured[count] = length;
      wire[count] = original;
      count++;
      at += recordHeader + length;
    }
    batch.link.fill(this.#link, first, count);
    batch.interfaceId.fill(this.#interfaceId, first, count);
    batch.untimed.fill(0, first, count);
    batch.count = count;
    return at;
  }
}
