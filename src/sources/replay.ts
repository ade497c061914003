import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, UserError } from '../core/errors.ts';
import { type CapturedInterface, type Damage, FrameBatch, type Source, type SourceLoss } from '../core/frames.ts';
import { openFiles } from './files.ts';

export interface ReplayOptions {
  /** The first round begins so many seconds ago, and is caught up with at once. Default 0. */
  backSeconds?: number;
  /** A shorter file is played only once in so many seconds. Default 0. */
  roundSeconds?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Captures are held in memory to be played again and again. */
const MAX_FRAMES = 1 << 18;
const MAX_BYTES = 64 << 20;
/** How often frames that are due are handed out. */
const STEP_MS = 40;
/** Who was asleep for so long goes on from now. */
const ASLEEP_MS = 60_000;
const NANOS = 1e9;

/**
 * Plays capture files over and over, all at once, as if they were captured now: frames keep their distances and get times
 * of today, the rounds of each file follow each other. Behaves as a live source, and ends when the signal aborts. Throws
 * UserError (exit code 3) for files that cannot be read, hold no frame, or too many.
 */
export async function openReplay(paths: readonly string[], options: ReplayOptions = {}): Promise<Source> {
  const reel = new Reel();
  const interfaces: CapturedInterface[] = [];
  const tracks: Track[] = [];
  for (const path of paths) {
    const source = await openFiles([path]);
    const from = reel.count;
    for await (const batch of source.batches(new AbortController().signal)) reel.add(batch, path, interfaces.length);
    if (reel.count === from) throw new UserError(`There are no packets in ${path} to replay.`, EXIT.file);
    interfaces.push(...source.interfaces);
    tracks.push(new Track(reel, from, reel.count, (options.roundSeconds ?? 0) * NANOS));
    reel.close();
  }
  return new ReplaySource(reel, tracks, interfaces, options);
}

/** The frames of all captures, with their times from the first one of their file on. */
class Reel {
  count = 0;
  bytes = new Uint8Array(1 << 20);
  readonly at: number[] = [];
  readonly captured: number[] = [];
  readonly wire: number[] = [];
  readonly link: number[] = [];
  readonly interfaceId: number[] = [];
  /** Nanoseconds since the first frame of the file, never falling: a capture that jumps back does not wait. */
  readonly offset: number[] = [];
  #used = 0;
  #first: { seconds: number; nanos: number } | undefined;
  #last = 0;

  add(batch: FrameBatch, name: string, firstInterface: number): void {
    for (let i = 0; i < batch.count; i++) {
      const length = batch.captured[i];
      if (this.count === MAX_FRAMES || this.#used + length > MAX_BYTES) {
        throw new UserError(`${name} holds too many packets to be replayed over and over. Cut it.`, EXIT.file);
      }
      this.#room(length);
      this.bytes.set(batch.bytes.subarray(batch.at[i], batch.at[i] + length), this.#used);
      this.at.push(this.#used);
      this.#used += length;
      this.captured.push(length);
      this.wire.push(batch.wire[i]);
      this.link.push(batch.link[i]);
      this.interfaceId.push(firstInterface + batch.interfaceId[i]);
      this.#first ??= { seconds: batch.seconds[i], nanos: batch.nanos[i] };
      const since = (batch.seconds[i] - this.#first.seconds) * NANOS + batch.nanos[i] - this.#first.nanos;
      this.#last = Math.max(since, this.#last);
      this.offset.push(this.#last);
      this.count++;
    }
  }

  /** The file has ended: the next one has a first frame of its own. */
  close(): void {
    this.#first = undefined;
    this.#last = 0;
  }

  #room(length: number): void {
    if (this.#used + length <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.#used + length));
    larger.set(this.bytes.subarray(0, this.#used));
    this.bytes = larger;
  }
}

/** One file being played: frames [from, to) of the reel, round after round. */
class Track {
  /** Next frame. */
  frame: number;
  /** Begin of this round: whole seconds since 1970, and nanoseconds. */
  seconds = 0;
  nanos = 0;
  readonly #reel: Reel;
  readonly #from: number;
  readonly #to: number;
  readonly #round: number;

  constructor(reel: Reel, from: number, to: number, leastRound: number) {
    this.#reel = reel;
    this.#from = this.frame = from;
    this.#to = to;
    // The last frame is followed as frames of the file usually are.
    const last = reel.offset[to - 1];
    this.#round = Math.max(1, leastRound, last + (to - from > 1 ? Math.ceil(last / (to - from - 1)) : NANOS));
  }

  begin(ms: number): void {
    this.frame = this.#from;
    this.seconds = Math.floor(ms / 1000);
    this.nanos = Math.floor((ms - this.seconds * 1000) * 1e6);
  }

  /** When the next frame is due, in ms since 1970. */
  get due(): number {
    return this.seconds * 1000 + (this.nanos + this.#reel.offset[this.frame]) / 1e6;
  }

  step(): void {
    if (++this.frame < this.#to) return;
    this.frame = this.#from;
    const next = this.nanos + this.#round;
    this.seconds += Math.floor(next / NANOS);
    this.nanos = next % NANOS;
  }
}

class ReplaySource implements Source {
  readonly live = true;
  readonly interfaces: CapturedInterface[];
  readonly damage: Damage[] = [];
  readonly #reel: Reel;
  readonly #tracks: readonly Track[];
  readonly #now: () => number;
  readonly #backMs: number;
  readonly #batch = new FrameBatch();
  #number = 1;

  constructor(reel: Reel, tracks: readonly Track[], interfaces: CapturedInterface[], options: ReplayOptions) {
    this.#reel = reel;
    this.#tracks = tracks;
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
      if (caughtUp && now - this.#next().due > ASLEEP_MS) this.#begin(now);
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
    for (const track of this.#tracks) track.begin(ms);
  }

  /** The track whose frame is due first. */
  #next(): Track {
    return this.#tracks.reduce((first, track) => (track.due < first.due ? track : first));
  }

  /** Puts all frames that are due into the batch, or as many as it holds. */
  #fill(now: number): void {
    const { offset, at, captured, wire, link, interfaceId } = this.#reel;
    const batch = this.#batch;
    batch.count = 0;
    for (let track = this.#next(); batch.count < batch.capacity && track.due <= now; track = this.#next()) {
      const i = track.frame;
      const n = batch.count++;
      const nanos = track.nanos + offset[i];
      batch.at[n] = at[i];
      batch.captured[n] = captured[i];
      batch.wire[n] = wire[i];
      batch.link[n] = link[i];
      batch.interfaceId[n] = interfaceId[i];
      batch.seconds[n] = track.seconds + Math.floor(nanos / NANOS);
      batch.nanos[n] = nanos % NANOS;
      batch.untimed[n] = 0;
      batch.number[n] = this.#number++;
      track.step();
    }
  }
}
