import { statSync } from 'node:fs';
import { type CapturedInterface, type Damage, FrameBatch, type Source, type SourceLoss } from '../core/frames.ts';
import type { CaptureReader } from './capture-reader.ts';
import { Shared } from './format.ts';
import { isBefore, Lane, MergedBatch, type Moment } from './merge.ts';
import { openCapture } from './open-capture.ts';

export interface FileOptions {
  /** Frames in a batch; 4096 unless told. */
  capacity?: number;
}

/**
 * Opens capture files (`-` is standard input) as one source: pcap or pcapng, plain or compressed, in the order of their
 * packet times. Files that follow each other are read one by one; where their times overlap they are merged packet by
 * packet. Throws UserError with exit code 3 when a file cannot be opened or is no capture.
 */
export async function openFiles(paths: readonly string[], options: FileOptions = {}): Promise<Source> {
  const shared = new Shared();
  const bufferBytes = paths.length > 16 ? 128 * 1024 : undefined;
  const waiting: WaitingFile[] = [];
  for (let order = 0; order < paths.length; order++) {
    const path = paths[order];
    const stat = path === '-' ? undefined : statSync(path, { throwIfNoEntry: false });
    const open = () => openCapture(path, shared, bufferBytes);
    const file: WaitingFile = { order, seconds: -Infinity, nanos: 0, sizeBytes: stat?.size ?? 0, open };
    if (paths.length > 1 && stat?.isFile()) await findFirstTime(path, file);
    else {
      // Opened now, a missing file is told before any work is done; pipes can be opened only once.
      const reader = await open();
      file.open = async () => reader;
    }
    waiting.push(file);
  }
  waiting.sort((a, b) => (isBefore(a, b) ? -1 : 1));
  return new FileSource(waiting, shared, options.capacity);
}

/** A file whose turn has not come, with the time of its first packet (−∞ where that cannot be known before). */
interface WaitingFile extends Moment {
  sizeBytes: number;
  open: () => Promise<CaptureReader>;
}

async function findFirstTime(path: string, file: WaitingFile): Promise<void> {
  const probe = await openCapture(path, new Shared(), 64 * 1024);
  const first = new FrameBatch(1);
  while ((await probe.next(first)) && first.count === 0);
  probe.close();
  if (first.count === 0) return;
  file.seconds = first.seconds[0];
  file.nanos = first.nanos[0];
}

/** After every frame. */
const NEVER: Moment = { seconds: Infinity, nanos: 0, order: Infinity };

class FileSource implements Source {
  readonly live = false;
  readonly damage: Damage[] = [];
  readonly #waiting: WaitingFile[];
  readonly #shared: Shared;
  readonly #capacity: number | undefined;
  readonly #totalBytes: number;
  #lanes: Lane[] = [];
  #finishedBytes = 0;
  #number = 1;

  constructor(waiting: WaitingFile[], shared: Shared, capacity: number | undefined) {
    this.#waiting = waiting;
    this.#shared = shared;
    this.#capacity = capacity;
    this.#totalBytes = waiting.reduce((sum, file) => sum + file.sizeBytes, 0);
  }

  get interfaces(): CapturedInterface[] {
    return this.#shared.interfaces;
  }

  loss(): SourceLoss {
    return this.#shared.loss();
  }

  progress(): { readBytes: number; totalBytes: number } {
    let readBytes = this.#finishedBytes;
    for (const lane of this.#lanes) readBytes += lane.reader.readBytes;
    return { readBytes, totalBytes: this.#totalBytes };
  }

  async *batches(signal: AbortSignal): AsyncIterable<FrameBatch> {
    const close = () => {
      for (const lane of this.#lanes) lane.reader.close();
    };
    signal.addEventListener('abort', close, { once: true });
    try {
      for await (const batch of this.#merge(signal)) {
        for (let i = 0; i < batch.count; i++) batch.number[i] = this.#number++;
        yield batch;
      }
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  /** Batches of the lane that is earliest, whole where no other file has frames between theirs, else frame by frame. */
  async *#merge(signal: AbortSignal): AsyncIterable<FrameBatch> {
    const merged = new MergedBatch(this.#capacity);
    while (!signal.aborted) {
      await this.#startFiles();
      const lane = earliest(this.#lanes);
      if (lane === undefined) break;
      const next = this.#nextAfter(lane) ?? NEVER;
      if (lane.isWholeBefore(next)) {
        if (merged.batch.count > 0) yield merged.batch;
        merged.clear();
        yield lane.batch;
        await this.#advance(lane);
        continue;
      }
      while (lane.hasFrame && (isBefore(lane, next) || !lane.isTimed)) {
        if (!merged.hasRoom(lane)) {
          yield merged.batch;
          merged.clear();
        }
        merged.take(lane);
      }
      if (!lane.hasFrame) await this.#advance(lane);
    }
    if (merged.batch.count > 0 && !signal.aborted) yield merged.batch;
  }

  /** Opens every waiting file whose first packet is not after the earliest frame at hand. */
  async #startFiles(): Promise<void> {
    while (this.#waiting.length > 0) {
      const head = earliest(this.#lanes);
      if (head !== undefined && isBefore(head, this.#waiting[0])) return;
      const file = this.#waiting.shift() as WaitingFile;
      const lane = new Lane(await file.open(), file.order, new FrameBatch(this.#capacity));
      this.#lanes.push(lane);
      await this.#advance(lane);
    }
  }

  async #advance(lane: Lane): Promise<void> {
    if (await lane.load()) return;
    if (lane.reader.damage !== undefined) this.damage.push(lane.reader.damage);
    this.#finishedBytes += lane.reader.readBytes;
    lane.reader.close();
    this.#lanes = this.#lanes.filter((other) => other !== lane);
  }

  /** The earliest moment at which any other file has a frame. */
  #nextAfter(lane: Lane): Moment | undefined {
    let next: Moment | undefined = this.#waiting[0];
    for (const other of this.#lanes) {
      if (other !== lane && (next === undefined || isBefore(other, next))) next = other;
    }
    return next;
  }
}

function earliest(lanes: readonly Lane[]): Lane | undefined {
  let first: Lane | undefined;
  for (const lane of lanes) if (first === undefined || isBefore(lane, first)) first = lane;
  return first;
}
