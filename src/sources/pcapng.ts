import { type FrameBatch, NO_PACKET } from '../core/frames.ts';
import { type CaptureFormat, MAX_CAPTURED_BYTES, MAX_INTERFACES, MAX_RECORD_BYTES, type Shared } from './format.ts';
import { dropsBeside, type PcapngInterface, readInterface, readStatistics } from './pcapng-blocks.ts';

/** Block types (draft-ietf-opsawg-pcapng, section 11.1). */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const PACKET = 2;
const SIMPLE_PACKET = 3;
const INTERFACE_STATISTICS = 5;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/**
 * Blocks that hold no packet and yet count as frames in the reference dissector, with the bytes between the block's
 * start and its data: custom blocks, the systemd journal, sysdig events.
 */
const COUNTED_BLOCKS: ReadonlyMap<number, number> = new Map([
  [0x0bad, 12],
  [0x40000bad, 12],
  [9, 8],
  [0x204, 28],
  [0x208, 32],
  [0x216, 28],
  [0x221, 32],
]);

/** True when the four bytes start a pcapng section: the block type reads the same in both byte orders. */
export function isPcapng(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x0a && bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0d && bytes[at + 3] === 0x0a;
}

/** The block file: sections of their own byte order, interfaces of their own link type and time unit. */
export class PcapngFormat implements CaptureFormat {
  need = 12;
  fault = '';
  within = 'a section header';

  readonly #shared: Shared;
  #view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
  #buffer: ArrayBufferLike = this.#view.buffer;
  #little = true;
  /** Interfaces of the section at hand. */
  #interfaces: PcapngInterface[] = [];
  #lastSeconds = 0;
  #lastNanos = 0;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  read(bytes: Uint8Array, start: number, end: number, batch: FrameBatch): number {
    if (this.#buffer !== bytes.buffer) {
      this.#view = new DataView(bytes.buffer);
      this.#buffer = bytes.buffer;
    }
    const view = this.#view;
    const base = bytes.byteOffset;
    let at = start;
    this.need = 12;
    while (batch.count < batch.capacity && end - at >= 12) {
      const block = base + at;
      const type = view.getUint32(block, this.#little);
      if (type === SECTION_HEADER && !this.#startSection(block)) break;
      const length = view.getUint32(block + 4, this.#little);
      if (length < 12 || length % 4 !== 0 || length > MAX_RECORD_BYTES) {
        this.fault = `a block claims to be ${length} bytes long`;
        break;
      }
      if (length > end - at) {
        this.need = length;
        break;
      }
      if (view.getUint32(block + length - 4, this.#little) !== length) {
        this.fault = `the two lengths of a block differ (${length} and ${view.getUint32(block + length - 4, this.#little)})`;
        break;
      }
      // Interface and frame errors end the file: what follows would be put on the wrong interface.
      if (
        type === ENHANCED_PACKET
          ? !this.#readEnhanced(at, base, length, batch)
          : !this.#readBlock(type, at, base, length, batch)
      )
        break;
      at += length;
    }
    return at;
  }

  #startSection(block: number): boolean {
    const order = this.#view.getUint32(block + 8, true);
    if (order !== BYTE_ORDER_MAGIC && this.#view.getUint32(block + 8) !== BYTE_ORDER_MAGIC) {
      this.fault = 'a section header without its byte-order mark';
      return false;
    }
    this.#little = order === BYTE_ORDER_MAGIC;
    return true;
  }

  /** The block nearly every packet is in. */
  #readEnhanced(at: number, base: number, length: number, batch: FrameBatch): boolean {
    if (length < 32) return this.#broken('an enhanced packet block is too short');
    const view = this.#view;
    const little = this.#little;
    const block = base + at;
    const id = view.getUint32(block + 8, little);
    const captured = view.getUint32(block + 20, little);
    if (captured > length - 32) return this.#broken(`a packet of ${captured} bytes does not fit in its block`);
    if (!this.#addPacket(id, at + 28, captured, view.getUint32(block + 24, little), block + 12, batch)) return false;
    const options = 28 + ((captured + 3) & ~3);
    if (length - options > 4) {
      const drops = dropsBeside(view, block + options, block + length - 4, little);
      if (drops > 0) this.#shared.drops[this.#interfaces[id].index].beside += drops;
    }
    return true;
  }

  #readStatistics(block: number, length: number): void {
    const on = this.#interfaces[this.#view.getUint32(block + 8, this.#little)];
    // Statistics of an interface nobody described say nothing we could use.
    if (on === undefined) return;
    readStatistics(this.#view, block + 20, block + length - 4, this.#little, this.#shared.drops[on.index]);
  }

  #addPacket(id: number, at: number, captured: number, wire: number, time: number, batch: FrameBatch): boolean {
    if (id >= this.#interfaces.length) return this.#broken(`a packet of interface ${id}, which was not described`);
    if (captured > MAX_CAPTURED_BYTES) {
      return this.#broken(`a packet claims ${captured} captured bytes (at most ${MAX_CAPTURED_BYTES} are believed)`);
    }
    const on = this.#interfaces[id];
    const i = batch.count++;
    on.toTime(this.#view.getUint32(time, this.#little), this.#view.getUint32(time + 4, this.#little));
    batch.seconds[i] = this.#lastSeconds = on.seconds;
    batch.nanos[i] = this.#lastNanos = on.nanos;
    batch.untimed[i] = 0;
    batch.at[i] = at;
    batch.captured[i] = captured;
    batch.wire[i] = wire;
    batch.link[i] = on.link;
    batch.interfaceId[i] = on.index;
    return true;
  }

  #addUntimed(at: number, captured: number, wire: number, on: PcapngInterface | undefined, batch: FrameBatch): void {
    const i = batch.count++;
    batch.seconds[i] = this.#lastSeconds;
    batch.nanos[i] = this.#lastNanos;
    batch.untimed[i] = 1;
    batch.at[i] = at;
    batch.captured[i] = captured;
    batch.wire[i] = wire;
    batch.link[i] = on === undefined ? NO_PACKET : on.link;
    batch.interfaceId[i] = on === undefined ? 0 : on.index;
  }

  /** Every block but the enhanced packet. */
  #readBlock(type: number, at: number, base: number, length: number, batch: FrameBatch): boolean {
    const view = this.#view;
    const little = this.#little;
    const block = base + at;
    switch (type) {
      case SECTION_HEADER:
        if (length < 28) return this.#broken('a section header is too short');
        this.#interfaces = [];
        this.within = 'a block';
        return true;
      case INTERFACE_DESCRIPTION: {
        if (length < 20) return this.#broken('an interface description is too short');
        const found = readInterface(view, block, length, little);
        found.index = this.#shared.add({ ...found.captured, idInSection: this.#interfaces.length });
        if (found.index < 0) return this.#broken(`more than ${MAX_INTERFACES} interfaces in one run`);
        this.#interfaces.push(found);
        return true;
      }
      case SIMPLE_PACKET: {
        if (length < 16) return this.#broken('a simple packet block is too short');
        if (this.#interfaces.length === 0) return this.#broken('a packet of interface 0, which was not described');
        const on = this.#interfaces[0];
        const wire = view.getUint32(block + 8, little);
        const captured = Math.min(wire, on.captured.snaplen || wire, length - 16);
        if (captured > MAX_CAPTURED_BYTES) return this.#broken(`a packet claims ${captured} captured bytes`);
        this.#addUntimed(at + 12, captured, wire, on, batch);
        return true;
      }
      case PACKET: {
        if (length < 32) return this.#broken('a packet block is too short');
        const captured = view.getUint32(block + 20, little);
        if (captured > length - 32) return this.#broken(`a packet of ${captured} bytes does not fit in its block`);
        const id = view.getUint16(block + 8, little);
        const drops = view.getUint16(block + 10, little);
        if (!this.#addPacket(id, at + 28, captured, view.getUint32(block + 24, little), block + 12, batch))
          return false;
        if (drops !== 0xffff) this.#shared.drops[this.#interfaces[id].index].beside += drops;
        return true;
      }
      case INTERFACE_STATISTICS:
        if (length < 24) return this.#broken('an interface statistics block is too short');
        this.#readStatistics(block, length);
        return true;
      default: {
        const before = COUNTED_BLOCKS.get(type);
        if (before === undefined) return true;
        if (length < before + 4) return this.#broken('a custom block is too short');
        this.#addUntimed(at + before, length - before - 4, length - before - 4, undefined, batch);
        return true;
      }
    }
  }

  #broken(reason: string): boolean {
    this.fault = reason;
    return false;
  }
}
