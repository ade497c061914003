import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, UserError } from '../core/errors.ts';
import { type CapturedInterface, type Damage, FrameBatch, type Source, type SourceLoss } from '../core/frames.ts';
import { openFiles } from './files.ts';

export interface ReplayOptions {
  /** The first round begins so many seconds ago, and is caught up with at once. Default 0. */
  backSeconds?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** A capture is held in memory to be played again and again. */
const MAX_FRAMES = 1 << 18;
const MAX_BYTES = 64 << 20;
/** How often frames that are due are handed out. */
const STEP_MS = 40;
/** Who was asleep for so long goes on from now. */
const ASLEEP_MS = 60_000;
const NANOS = 1e9;

/**
 * Plays capture files over and over as if they were captured now: frames keep their distances and get times of today, the
 * rounds follow each other. Behaves as a live source, and ends when the signal aborts. Throws UserError (exit code 3) for
 * files that cannot be read, hold no frame, or too many.
 */
export async function openReplay(paths: readonly string[], options: ReplayOptions = {}): Promise<Source> {
  const source = await openFiles(paths);
  const reel = new Reel();
  for await (const batch of source.batches(new AbortController().signal)) reel.add(batch, paths.join(', '));
  if (reel.count === 0) throw new UserError(`There are no packets in ${paths.join(', ')} to replay.`, EXIT.file);
  return new ReplaySource(reel, source.interfaces, options);
}

/** The frames of a capture, with their times from its first one on. */
class Reel {
  count = 0;
  bytes = new Uint8Array(1 << 20);
  used = 0;
  readonly at: number[] = [];
  readonly captured: number[] = [];
  readonly wire: number[] = [];
  readonly link: number[] = [];
  readonly interfaceId: number[] = [];
  /** Nanoseconds since the first frame, never falling: a capture that jumps back does not wait. */
  readonly offset: number[] = [];
  #first = { seconds: 0, nanos: 0 };

  add(batch: FrameBatch, name: string): void {
    for (let i = 0; i < batch.count; i++) {
      if (this.count === 0) this.#first = { seconds: batch.seconds[i], nanos: batch.nanos[i] };
      const length = batch.captured[i];
      if (this.count === MAX_FRAMES || this.used + length > MAX_BYTES) {
        throw new UserError(`${name} holds too many packets to be replayed over and over. Cut it.`, EXIT.file);
      }
      this.#room(length);
      this.bytes.set(batch.bytes.subarray(batch.at[i], batch.at[i] + length), this.used);
      this.at.push(this.used);
      this.used += length;
      this.captured.push(length);
      this.wire.push(batch.wire[i]);
      this.link.push(batch.link[i]);
      this.interfaceId.push(batch.interfaceId[i]);
      const since = (batch.seconds[i] - this.#first.seconds) * NANOS + batch.nanos[i] - this.#first.nanos;
      this.offset.push(Math.max(since, this.offset.at(-1) ?? 0));
      this.count++;
    }
  }

  /** Nanoseconds from the begin of a round to that of the next: the last frame is followed as frames usually are. */
  get round(): number {
    const last = this.offset[this.count - 1];
    return Math.max(1, last + (this.count > 1 ? Math.ceil(last / (this.count - 1)) : NANOS));
  }

  #room(length: number): void {
    if (this.used + length <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.used + length));
    larger.set(this.bytes.subarray(0, this.used));
    this.bytes = larger;
  }
}

class ReplaySource implements Source {
  readonly live = true;
  readonly interfaces: CapturedInterface[];
  readonly damage: Damage[] = [];
  readonly #reel: Reel;
  readonly #round: number;
  readonly #now: () => number;
  readonly #backMs: number;
  readonly #batch = new FrameBatch();
  /** Begin of this round: whole seconds since 1970, and nanoseconds. */
  #seconds = 0;
  #nanos = 0;
  #frame = 0;
  #number = 1;

  constructor(reel: Reel, interfaces: CapturedInterface[], options: ReplayOptions) {
    this.#reel = reel;
    this.#round = reel.round;
    this.interfaces = interfaces;
    this.#now = options.now ?? Date.now;
    this.#backMs = 1000 * (options.backSeconds ?? 0);
    this.#batch.bytes = reel.bytes;
  }

  loss(): SourceLoss {
    return { kernel: 0, interface: 0 };
  }

  async *batches(signal: AbortSignal): AsyncIterable<FrameBatch> {
    this.#begin(this.#now() - this.#backMs);
    let caughtUp = false;
    while (!signal.aborted) {
      const now = this.#now();
      if (caughtUp && now - this.#due() > ASLEEP_MS) this.#begin(now);
      this.#fill(now);
      if (this.#batch.count === this.#batch.capacity) {
        yield this.#batch;
        continue;
      }
      caughtUp = true;
      yield this.#batch;
      // An abort ends the pause early, and is no failure.
      await sleep(STEP_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #begin(ms: number): void {
    this.#frame = 0;
    this.#seconds = Math.floor(ms / 1000);
    this.#nanos = Math.floor((ms - this.#seconds * 1000) * 1e6);
  }

  /** When the next frame is due, in ms since 1970. */
  #due(): number {
    return this.#seconds * 1000 + (this.#nanos + this.#reel.offset[this.#frame]) / 1e6;
  }

  /** Puts all frames that are due into the batch, or as many as it holds. */
  #fill(now: number): void {
    const { offset, at, captured, wire, link, interfaceId, count } = this.#reel;
    const batch = this.#batch;
    batch.count = 0;
    while (batch.count < batch.capacity && this.#due() <= now) {
      const i = this.#frame;
      const n = batch.count++;
      const nanos = this.#nanos + offset[i];
      batch.at[n] = at[i];
      batch.captured[n] = captured[i];
      batch.wire[n] = wire[i];
      batch.link[n] = link[i];
      batch.interfaceId[n] = interfaceId[i];
      batch.seconds[n] = this.#seconds + Math.floor(nanos / NANOS);
      batch.nanos[n] = nanos % NANOS;
      batch.untimed[n] = 0;
      batch.number[n] = this.#number++;
      if (++this.#frame < count) continue;
      this.#frame = 0;
      const next = this.#nanos + this.#round;
      this.#seconds += Math.floor(next / NANOS);
      this.#nanos = next % NANOS;
    }
  }
}
