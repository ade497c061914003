import type { CapturedInterface, FrameBatch, SourceLoss } from '../core/frames.ts';

/**
 * A capture file format: turns the bytes of one file, as they come, into frames.
 *
 * `read` takes whole records out of `bytes[at, end)` until the batch is full, a record is incomplete or the bytes make
 * no sense, and returns the offset of the first byte it did not take. It never throws on what the bytes say.
 */
export interface CaptureFormat {
  read(bytes: Uint8Array, at: number, end: number, batch: FrameBatch): number;
  /** Bytes the record at hand needs before `read` can go on (0: it waits for no record). */
  readonly need: number;
  /** Why nothing after the last returned offset can be read; empty while all is well. */
  readonly fault: string;
  /** What the bytes left at the end of the file are a part of, for the damage message. */
  readonly within: string;
}

/** What a file says about frames of one interface that it does not hold. Totals so far; −1 where it says nothing. */
export interface DropCounts {
  received: number;
  /** Dropped by the interface, and by the operating system, as the statistics say. */
  interface: number;
  system: number;
  /** Sum of the drops noted beside single packets. */
  beside: number;
}

/** What the formats of all files of a run share: one list of interfaces and what was lost on each. */
export class Shared {
  readonly interfaces: CapturedInterface[] = [];
  readonly drops: DropCounts[] = [];

  /** Adds an interface, with its index as the result; −1 when there are too many. */
  add(captured: CapturedInterface): number {
    if (this.interfaces.length >= MAX_INTERFACES) return -1;
    this.drops.push({ received: -1, interface: -1, system: -1, beside: 0 });
    return this.interfaces.push(captured) - 1;
  }

  loss(): SourceLoss {
    const loss: SourceLoss = { kernel: 0, interface: 0 };
    for (const drops of this.drops) {
      loss.kernel += Math.max(0, drops.system);
      // Statistics count the same frames again that are noted beside the packets.
      loss.interface += drops.interface < 0 && drops.system < 0 ? drops.beside : Math.max(0, drops.interface);
      if (drops.received >= 0) loss.received = (loss.received ?? 0) + drops.received;
    }
    return loss;
  }
}

/** Most bytes captured of one frame that any format believes (what libpcap calls MAXIMUM_SNAPLEN). */
export const MAX_CAPTURED_BYTES = 262_144;
/** Most bytes of one record or block; a longer one is damage, so that no claimed length allocates. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;
/** Most interfaces in a run: their index has 16 bits, and 0xffff stays free. */
export const MAX_INTERFACES = 65_535;
