import type { FrameBatch } from '../../core/frames.ts';
import { linkOfHardware } from './interfaces.ts';

/** Offsets in `struct tpacket_block_desc` and `tpacket3_hdr` (linux/if_packet.h), in words (4 bytes) or halves (2). */
const BLOCK_STATUS_WORD = 2;
const BLOCK_PACKETS_WORD = 3;
const BLOCK_FIRST_WORD = 4;
const NEXT_WORD = 0;
const SECONDS_WORD = 1;
const NANOS_WORD = 2;
const CAPTURED_WORD = 3;
const WIRE_WORD = 4;
const STATUS_WORD = 5;
const TAG_WORD = 8;
const INTERFACE_WORD = 13;
const FRAME_HALF = 12;
const TAG_TYPE_HALF = 18;
const HARDWARE_HALF = 28;

/** Status of a block: ours, or the kernel's to fill. */
const OURS = 1;
const KERNELS = 0;
/** Status of a packet: the kernel took a VLAN tag out; its EtherType is told too. */
const HAS_TAG = 0x10;
const HAS_TAG_TYPE = 0x40;

/** LINKTYPE_USER0: a link type that nobody here knows. */
const UNKNOWN_LINK = 147;

/** Size of a block: the largest frame (262,144 bytes and its header) fits in. */
export const BLOCK_BYTES = 512 * 1024;

/**
 * A TPACKET_V3 ring, parsed in place: the columns of a batch point into the kernel's memory. A block goes back to the
 * kernel when the batch after its last one is asked for.
 */
export class Ring {
  readonly #bytes: Uint8Array;
  readonly #halves: Uint16Array;
  readonly #words: Uint32Array;
  /** The same memory as `words`, for Atomics. */
  readonly #status: Int32Array;
  readonly #blocks: number;
  readonly #snaplen: number;
  /** Number of an interface → index in `Source.interfaces`; null where there is only one. */
  readonly #interfaceId: ((index: number, hardwareType: number) => number) | null;
  #block = 0;
  /** Packets of the block not handed out yet, and where the next one is. */
  #left = 0;
  #at = 0;
  #isHeld = false;
  #number = 1;

  constructor(
    buffer: ArrayBuffer,
    snaplen: number,
    interfaceId: ((index: number, hardwareType: number) => number) | null,
  ) {
    this.#bytes = new Uint8Array(buffer);
    this.#halves = new Uint16Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#status = new Int32Array(buffer);
    this.#blocks = buffer.byteLength / BLOCK_BYTES;
    this.#snaplen = snaplen;
    this.#interfaceId = interfaceId;
  }

  /** A batch whose frames lie in the ring. */
  attach(batch: FrameBatch): void {
    batch.bytes = this.#bytes;
  }

  /** Frames handed out so far. */
  get frames(): number {
    return this.#number - 1;
  }

  /** Fills the batch with the next frames, none when the kernel has handed over no block. */
  fill(batch: FrameBatch): void {
    batch.count = 0;
    if (this.#left === 0) {
      if (this.#isHeld) this.#giveBack();
      const word = this.#block * (BLOCK_BYTES / 4);
      if ((Atomics.load(this.#status, word + BLOCK_STATUS_WORD) & OURS) === 0) return;
      this.#isHeld = true;
      this.#left = this.#words[word + BLOCK_PACKETS_WORD];
      this.#at = word * 4 + this.#words[word + BLOCK_FIRST_WORD];
    }
    const count = Math.min(this.#left, batch.capacity);
    this.#left -= count;
    batch.count = count;
    if (this.#interfaceId !== null) this.#readInterfaces(batch, this.#interfaceId);
    this.#read(batch);
  }

  /** Part of the blocks that the kernel has handed over and not got back, 0 … 1. */
  get fullness(): number {
    let ours = 0;
    for (let block = 0; block < this.#blocks; block++) {
      ours += Atomics.load(this.#status, block * (BLOCK_BYTES / 4) + BLOCK_STATUS_WORD) & OURS;
    }
    return ours / this.#blocks;
  }

  /** Whether a block is ready, or packets wait in the one that the kernel is filling. */
  get isEmpty(): boolean {
    if (this.#left > 0) return false;
    const word = ((this.#block + (this.#isHeld ? 1 : 0)) % this.#blocks) * (BLOCK_BYTES / 4);
    return (
      (Atomics.load(this.#status, word + BLOCK_STATUS_WORD) & OURS) === 0 &&
      Atomics.load(this.#status, word + BLOCK_PACKETS_WORD) === 0
    );
  }

  #giveBack(): void {
    // A block that lies empty at the kernel has no packets: `isEmpty` looks there.
    const word = this.#block * (BLOCK_BYTES / 4);
    this.#words[word + BLOCK_PACKETS_WORD] = 0;
    Atomics.store(this.#status, word + BLOCK_STATUS_WORD, KERNELS);
    this.#isHeld = false;
    this.#block = (this.#block + 1) % this.#blocks;
  }

  /** Hot: one turn per packet. */
  #read(batch: FrameBatch): void {
    const words = this.#words;
    const halves = this.#halves;
    const { count, at: frameAt, captured, wire, seconds, nanos, number } = batch;
    let first = this.#number;
    let at = this.#at;
    for (let i = 0; i < count; i++) {
      const w = at >>> 2;
      frameAt[i] = at + halves[(at >>> 1) + FRAME_HALF];
      captured[i] = words[w + CAPTURED_WORD];
      wire[i] = words[w + WIRE_WORD];
      seconds[i] = words[w + SECONDS_WORD];
      nanos[i] = words[w + NANOS_WORD];
      number[i] = first++;
      if ((words[w + STATUS_WORD] & HAS_TAG) !== 0) this.#restoreTag(batch, i, at);
      at += words[w + NEXT_WORD];
    }
    this.#number = first;
    this.#at = at;
  }

  /**
   * Puts the VLAN tag back that the kernel took out: the two addresses move four bytes to the front, into the gap that
   * the kernel leaves between its header and the frame.
   */
  #restoreTag(batch: FrameBatch, i: number, at: number): void {
    if (batch.captured[i] < 12) return;
    const bytes = this.#bytes;
    const from = batch.at[i] - 4;
    for (let k = 0; k < 12; k++) bytes[from + k] = bytes[from + k + 4];
    const hasType = (this.#words[(at >>> 2) + STATUS_WORD] & HAS_TAG_TYPE) !== 0;
    const type = hasType ? this.#halves[(at >>> 1) + TAG_TYPE_HALF] : 0x8100;
    const tag = this.#words[(at >>> 2) + TAG_WORD];
    bytes[from + 12] = type >>> 8;
    bytes[from + 13] = type;
    bytes[from + 14] = tag >>> 8;
    bytes[from + 15] = tag;
    batch.at[i] = from;
    batch.wire[i] += 4;
    batch.captured[i] = Math.min(batch.captured[i] + 4, this.#snaplen);
  }

  #readInterfaces(batch: FrameBatch, interfaceId: (index: number, hardwareType: number) => number): void {
    const words = this.#words;
    const { count, interfaceId: ids, link } = batch;
    let at = this.#at;
    let last = -1;
    let id = 0;
    let type = 0;
    for (let i = 0; i < count; i++) {
      const index = words[(at >>> 2) + INTERFACE_WORD];
      if (index !== last) {
        const hardwareType = this.#halves[(at >>> 1) + HARDWARE_HALF];
        id = interfaceId(index, hardwareType);
        type = linkOfHardware(hardwareType) ?? UNKNOWN_LINK;
        last = index;
      }
      ids[i] = id;
      link[i] = type;
      at += words[(at >>> 2) + NEXT_WORD];
    }
  }
}
