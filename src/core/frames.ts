/**
 * Frames as captured, in columns over one buffer: what every source yields and the dissector reads.
 *
 * A batch belongs to its source and is valid only until the next one is asked for: a live ring hands out its own
 * memory. Who keeps bytes copies them.
 */
export class FrameBatch {
  /** Frames in the batch. */
  count = 0;
  /** The memory in which all frames of the batch lie. */
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  /** Offset of each frame in `bytes`. */
  readonly at: Uint32Array;
  /** Bytes captured of each frame. */
  readonly captured: Uint32Array;
  /** Bytes each frame had on the wire (≥ captured unless the file lies). */
  readonly wire: Uint32Array;
  /** Capture time: whole seconds since 1970 (may exceed 2^32), and nanoseconds within the second. */
  readonly seconds: Float64Array;
  readonly nanos: Uint32Array;
  /** LINKTYPE_ value (see net/link types); 0xffff marks a record that counts as a frame but holds no packet. */
  readonly link: Uint16Array;
  /** Index into `Source.interfaces`. */
  readonly interfaceId: Uint16Array;
  /** 1 where the record holds no time: `seconds` and `nanos` are then those of the frame before it. */
  readonly untimed: Uint8Array;
  /** Frame number, from 1, over all files of a run (counted as the reference dissector does). */
  readonly number: Float64Array;

  constructor(capacity = 4096) {
    this.at = new Uint32Array(capacity);
    this.captured = new Uint32Array(capacity);
    this.wire = new Uint32Array(capacity);
    this.seconds = new Float64Array(capacity);
    this.nanos = new Uint32Array(capacity);
    this.link = new Uint16Array(capacity);
    this.interfaceId = new Uint16Array(capacity);
    this.untimed = new Uint8Array(capacity);
    this.number = new Float64Array(capacity);
  }

  get capacity(): number {
    return this.at.length;
  }
}

/** `link` of a record that is counted as a frame but is no packet (custom pcapng block). */
export const NO_PACKET = 0xffff;

/** An interface that frames were captured on. */
export interface CapturedInterface {
  /** Name, such as `eth0`; absent when the file does not say. */
  name?: string;
  /** The sensor that captures there; absent where nobody said. */
  sensor?: string;
  description?: string;
  /** LINKTYPE_ value. */
  link: number;
  /** Most bytes captured of a frame; 0 = unlimited. */
  snaplen: number;
  /** Number within its section of the file, where that is not its index in the run. */
  idInSection?: number;
}

/** Counters a source knows that never became frames. */
export interface SourceLoss {
  /** Frames that reached the interface, where the source knows. */
  received?: number;
  /** Dropped by the kernel because the ring was full. */
  kernel: number;
  /** Dropped by the network card or driver. */
  interface: number;
}

/** Where a file stopped making sense: everything before it was delivered. */
export interface Damage {
  /** File (or `-`). */
  file: string;
  /** Byte offset in the (uncompressed) stream at which the damaged record starts. */
  offset: number;
  /** What is wrong, in words. */
  reason: string;
}

/** Where frames come from: files, standard input, a live ring. */
export interface Source {
  /** Grows as interfaces become known; frames refer to it by index. */
  readonly interfaces: CapturedInterface[];
  /** True for live capture: a live source never waits. */
  readonly live: boolean;
  /** Damage found so far (files). */
  readonly damage: Damage[];
  /** Frames lost before they reached us, so far. */
  loss(): SourceLoss;
  /** Live: how full the memory is in which frames wait for us, 0 … 1, where the source knows. */
  fill?(): number;
  /** Yields batches until the end, or until the signal aborts. An empty batch means "idle: time passes". */
  batches(signal: AbortSignal): AsyncIterable<FrameBatch>;
  /** Progress for a progress bar: bytes read of all bytes, where known. */
  progress?(): { readBytes: number; totalBytes: number };
}
