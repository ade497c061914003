import type { Carrier } from '../core/carrier.ts';
import type { CapturedInterface } from '../core/frames.ts';
import { FATE } from '../core/ledger.ts';
import { type CaptureWriter, createCaptureFile, parseRotation } from '../sinks/capture-file.ts';
import { emptyFrame, type FrameToWrite, setFrame } from '../sinks/frame-writers.ts';

/** What `-w` asks for. */
export interface FrameFilePlan {
  path: string;
  format?: 'pcapng' | 'pcap';
  /** Words of `-b`, as dumpcap takes them. */
  rotation?: readonly string[];
}

/** Most bytes of frames kept because a message they belong to may still pass. */
const KEPT_BYTES = 32 << 20;

interface KeptFrame extends FrameToWrite {
  number: number;
  written: boolean;
}

/**
 * Writes captured frames to a file: all of them, or those of chosen messages, each once. A message put together from
 * several frames brings all of them, so that what was written reads like what was seen.
 */
export class FrameFile {
  /** Frames written. */
  count = 0;
  /** Bytes of frames written. */
  bytes = 0;
  /** Frames that belonged to a message and were no longer there when it passed. */
  lost = 0;
  readonly #writer: CaptureWriter;
  readonly #frame = emptyFrame();
  /** Frame that was written last: one with two messages goes in once. */
  #last = -1;
  /** Frames that wait for their message, by pair of addresses; the oldest pair is given up first. */
  readonly #kept = new Map<string, KeptFrame[]>();
  #keptBytes = 0;

  constructor(writer: CaptureWriter) {
    this.#writer = writer;
  }

  /** Throws UserError when the file cannot be created. `interfaces` may grow. */
  static create({ path, format, rotation = [] }: FrameFilePlan, interfaces: readonly CapturedInterface[]): FrameFile {
    const options = { format, rotation: rotation.length === 0 ? undefined : parseRotation(rotation) };
    return new FrameFile(createCaptureFile(path, interfaces, options));
  }

  /** Writes the frame at hand. */
  write(carrier: Carrier): void {
    if (carrier.number === this.#last) return;
    this.#last = carrier.number;
    const frame = this.#frame;
    setFrame(frame, carrier);
    this.#put(frame);
  }

  #put(frame: FrameToWrite): void {
    this.#writer.write(frame);
    this.count++;
    this.bytes += frame.captured;
  }

  /** The message at hand passes: writes its frames. */
  writeMessage(carrier: Carrier): void {
    if (carrier.fragmented || carrier.segmented) {
      for (const frame of this.#kept.get(pairOf(carrier)) ?? []) {
        if (frame.written) continue;
        frame.written = true;
        this.#put(frame);
      }
    }
    this.write(carrier);
  }

  /** A frame was read, and this became of it: keeps it while a message that it belongs to may still pass. */
  seen(carrier: Carrier, fate: number): void {
    const isHeld = fate === FATE.held;
    const isSegment = fate === FATE.carried && carrier.segmented;
    if (!isHeld && !isSegment) return;
    const pair = pairOf(carrier);
    let frames = this.#kept.get(pair);
    // A segment that completed a message may hold the beginning of the next; what lay before it is done with.
    if (isSegment && frames !== undefined) this.#forget(pair, frames);
    if (isSegment || frames === undefined) {
      frames = [];
      this.#kept.set(pair, frames);
    }
    const { frameAt, capturedLength: captured, wireLength: wire, number, seconds, nanos, interfaceId } = carrier;
    const bytes = carrier.frame.slice(frameAt, frameAt + captured);
    const written = number === this.#last;
    frames.push({ bytes, at: 0, captured, wire, seconds, nanos, interfaceId, number, written });
    this.#keptBytes += captured;
    for (const [other, old] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES) break;
      this.lost += old.length;
      this.#forget(other, old);
    }
  }

  #forget(pair: string, frames: readonly KeptFrame[]): void {
    for (const { captured } of frames) this.#keptBytes -= captured;
    this.#kept.delete(pair);
  }

  /** Writes what is buffered. */
  flush(): void {
    this.#writer.flush();
  }

  /** Goes on in a new file: the next one of a rotation, or the same name where the old one was moved away. */
  reopen(): void {
    this.#writer.reopen();
  }

  close(): void {
    this.#writer.close();
  }
}

/** Both addresses, whichever way the frame went. */
function pairOf(c: Carrier): string {
  const source = `${c.source0},${c.source1},${c.source2},${c.source3}`;
  const destination = `${c.destination0},${c.destination1},${c.destination2},${c.destination3}`;
  return source < destination ? `${source} ${destination}` : `${destination} ${source}`;
}
