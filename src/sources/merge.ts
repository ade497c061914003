import { FrameBatch } from '../core/frames.ts';
import type { CaptureReader } from './capture-reader.ts';

/** When a file has its next frame; files of the same moment keep their order. */
export interface Moment {
  seconds: number;
  nanos: number;
  /** Place of the file among those given. */
  order: number;
}

/** True when `a` comes first. Never true both ways. */
export function isBefore(a: Moment, b: Moment): boolean {
  if (a.seconds !== b.seconds) return a.seconds < b.seconds;
  if (a.nanos !== b.nanos) return a.nanos < b.nanos;
  return a.order < b.order;
}

/** One open file of a merge: its batch at hand, and the time of the next frame in it. */
export class Lane implements Moment {
  readonly reader: CaptureReader;
  readonly order: number;
  readonly batch: FrameBatch;
  seconds = -Infinity;
  nanos = 0;
  /** Next frame in `batch`. */
  at = 0;

  constructor(reader: CaptureReader, order: number, batch: FrameBatch) {
    this.reader = reader;
    this.order = order;
    this.batch = batch;
  }

  /** Gets the next batch; false at the end of the file. */
  async load(): Promise<boolean> {
    do {
      if (!(await this.reader.next(this.batch))) return false;
    } while (this.batch.count === 0);
    this.at = 0;
    this.#look();
    return true;
  }

  get hasFrame(): boolean {
    return this.at < this.batch.count;
  }

  /** False when the next frame has no time of its own: it stays behind the frame before it. */
  get isTimed(): boolean {
    return this.batch.untimed[this.at] === 0;
  }

  /** True when nothing of the batch was taken and all of it comes before `next`. */
  isWholeBefore(next: Moment): boolean {
    if (this.at !== 0) return false;
    if (next.seconds === Number.POSITIVE_INFINITY) return true;
    const { seconds, nanos, count } = this.batch;
    for (let i = 0; i < count; i++) {
      if (seconds[i] > next.seconds) return false;
      if (
        seconds[i] === next.seconds &&
        (nanos[i] > next.nanos || (nanos[i] === next.nanos && this.order > next.order))
      ) {
        return false;
      }
    }
    return true;
  }

  step(): void {
    this.at++;
    if (this.hasFrame) this.#look();
  }

  #look(): void {
    this.seconds = this.batch.seconds[this.at];
    this.nanos = this.batch.nanos[this.at];
  }
}

/** Frames of several files copied into one batch. */
export class MergedBatch {
  readonly batch: FrameBatch;
  #used = 0;

  constructor(capacity: number | undefined) {
    this.batch = new FrameBatch(capacity);
    this.batch.bytes = new Uint8Array(1024 * 1024);
  }

  clear(): void {
    this.batch.count = 0;
    this.#used = 0;
  }

  /** An empty batch has room for any frame: none is longer than the largest a format believes. */
  hasRoom(lane: Lane): boolean {
    const length = lane.batch.captured[lane.at];
    if (this.batch.count === 0 && length > this.batch.bytes.length) this.batch.bytes = new Uint8Array(length);
    return this.batch.count < this.batch.capacity && this.#used + length <= this.batch.bytes.length;
  }

  take(lane: Lane): void {
    const from = lane.batch;
    const to = this.batch;
    const i = lane.at;
    const n = to.count++;
    to.bytes.set(from.bytes.subarray(from.at[i], from.at[i] + from.captured[i]), this.#used);
    to.at[n] = this.#used;
    this.#used += from.captured[i];
    to.captured[n] = from.captured[i];
    to.wire[n] = from.wire[i];
    to.seconds[n] = from.seconds[i];
    to.nanos[n] = from.nanos[i];
    to.untimed[n] = from.untimed[i];
    to.link[n] = from.link[i];
    to.interfaceId[n] = from.interfaceId[i];
    lane.step();
  }
}
