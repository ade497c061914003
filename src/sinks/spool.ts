import { chmodSync, closeSync, fchownSync, openSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { ChunkQueue, Mark } from './queue.ts';
import { type FileOwner, giveAway, makeFolder } from './rotating-file.ts';
import { DiskSync } from './spool-sync.ts';
import { bytesAt, chunkAt, frameOf, HEADER_BYTES, headerAt, isGone } from './spool-file.ts';
import { PositionFile, scanSegment, writeWhole } from './spool-file.ts';
import { type Chunk, joined } from './target.ts';

export interface SpoolSettings {
  /** Bytes on disk. */
  size: number;
  /** The disk is told to keep what was written so often, ms; 0 = with every write. */
  sync: number;
}

export interface SpoolOptions extends SpoolSettings {
  /** What may wait in memory while the disk takes nothing. */
  memoryBytes: number;
}

interface SpoolContext {
  readonly owner?: FileOwner | undefined;
  notice(level: 'info' | 'warn', message: string): void;
}

interface Segment {
  readonly number: number;
  readonly path: string;
  /** Octets of whole frames. */
  bytes: number;
  /** Transactions that were not taken. */
  rows: number;
  /** When it was begun, ms since 1970. */
  time: number;
}

interface SpoolMark extends Mark {
  /** Where the next frame is; null for what never was on disk. */
  at: { segment: Segment; offset: number } | null;
  /** The last chunk of it, by the order they came. */
  chunk: number;
}

/** Where is read. */
interface Head {
  segment: Segment;
  offset: number;
  fd: number;
}

const NAME = /^(\d{12})\.spool$/;
const MOST_SEGMENT_BYTES = 64 << 20;
const READ_BYTES = 128 << 10;
/** A disk that took nothing is tried again after so long. */
const RETRY_MS = 1000;

/**
 * A queue on disk: a folder of segments, written at the end, read from the beginning, removed when the receiver has all of
 * one. What is written survives the end of the process. After a crash it goes on behind the last confirmed chunk: some come
 * twice, none is missing. While the disk takes nothing it is a queue in memory.
 */
export class Spool implements ChunkQueue {
  rows = 0;
  readonly mostBytes: number;
  /** Transactions found at the start. */
  restored = 0;
  /** Transactions that the disk did not give back as they were. */
  damaged = 0;
  /** Why the disk takes nothing now; null = it does. */
  error: string | null = null;
  readonly #folder: string;
  readonly #options: SpoolOptions;
  readonly #context: SpoolContext;
  readonly #segmentBytes: number;
  readonly #position: PositionFile;
  readonly #disk: DiskSync;
  /** The oldest first; what is not removed yet. */
  readonly #segments: Segment[] = [];
  #bytes = 0;
  #nextNumber = 1;
  /** The last segment, open for writing. */
  #tail: { segment: Segment; fd: number } | null = null;
  /** The next frame to take. */
  #head: Head | null = null;
  /** What the disk did not take, the oldest first. */
  readonly #memory: Chunk[] = [];
  #memoryBytes = 0;
  /** Chunks that came, and those of them taken without having been on disk, the oldest first. */
  #came = 0;
  readonly #unwritten: number[] = [];
  #atHand: SpoolMark | null = null;
  #waiters: { chunk: number; resolve(): void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** Finds what waited when the process ended. Throws UserError (exit code 3) for a folder that cannot be used. */
  static open(folder: string, options: SpoolOptions, context: SpoolContext): Spool {
    try {
      return new Spool(folder, options, context);
    } catch (error) {
      throw new UserError(`The spool ${folder} cannot be used: ${reasonOf(error)}.`, EXIT.file, { cause: error });
    }
  }

  private constructor(folder: string, options: SpoolOptions, context: SpoolContext) {
    this.#folder = folder;
    this.#options = options;
    this.#context = context;
    this.mostBytes = options.size;
    this.#segmentBytes = Math.min(MOST_SEGMENT_BYTES, Math.ceil(options.size / 16));
    makeFolder(folder, context.owner);
    chmodSync(folder, 0o700);
    this.#position = new PositionFile(join(folder, 'position'));
    giveAway(context.owner, (uid, gid) => fchownSync(this.#position.fd, uid, gid));
    this.#disk = new DiskSync(folder, options.sync, (error) => this.#complain(error));
    this.#restore();
  }

  get bytes(): number {
    return this.#bytes + this.#memoryBytes;
  }

  /** Since when the oldest waits, to within a segment: ms since 1970; null when nothing does. */
  get oldest(): number | null {
    return this.rows === 0 ? null : (this.#head?.segment.time ?? this.#segments.at(0)?.time ?? null);
  }

  hasRoom(bytes: number): boolean {
    if (this.#memory.length > 0) return this.#memoryBytes + bytes < this.#options.memoryBytes;
    return this.#bytes + bytes < this.mostBytes;
  }

  push(chunk: Chunk): void {
    this.rows += chunk.rows;
    this.#came++;
    this.#memory.push(chunk);
    this.#memoryBytes += chunk.bytes.length;
    this.#spill();
  }

  async take(most: number): Promise<{ chunk: Chunk; mark: SpoolMark } | undefined> {
    for (;;) {
      if (this.#memory.length > 0) this.#spill();
      const head = this.#opened();
      const found = head === null ? this.#takeFromMemory() : await this.#read(head, most);
      if (found !== undefined) this.#atHand = found.mark;
      if (found !== undefined || head === null) return found;
    }
  }

  done(mark: SpoolMark): void {
    this.rows -= mark.rows;
    this.#atHand = null;
  }

  confirm({ at, chunk }: SpoolMark): void {
    if (at === null) {
      while (this.#unwritten.length > 0 && this.#unwritten[0] <= chunk) this.#unwritten.shift();
      return this.#tellWaiters();
    }
    let { segment, offset } = at;
    const isAll = this.#tail?.segment === segment && offset === segment.bytes && this.#memory.length === 0;
    if (isAll && segment.bytes > this.#segmentBytes / 4) {
      // Nothing waits: the disk space is given back.
      this.#seal();
      offset = 0;
      segment = { ...segment, number: this.#nextNumber };
    }
    try {
      this.#position.write({ segment: segment.number, offset });
      while (this.#segments.length > 0 && this.#segments[0].number < segment.number) this.#removeFirst();
    } catch (error) {
      // Some come twice after a restart, then.
      this.#complain(error);
    }
  }

  async secured(): Promise<void> {
    const chunk = this.#came;
    if (this.#safe() < chunk) {
      await new Promise<void>((resolve) => this.#waiters.push({ chunk, resolve }));
    }
    if (this.#options.sync === 0) await this.#disk.now();
  }

  async close(handed: number): Promise<number> {
    this.#spill();
    clearTimeout(this.#timer);
    this.#seal();
    await this.#disk.now();
    if (this.#head !== null) closeSync(this.#head.fd);
    this.#head = null;
    this.#position.close();
    for (const { resolve } of this.#waiters.splice(0)) resolve();
    const atHand = this.#atHand === null || this.#atHand.at !== null ? 0 : this.#atHand.rows - handed;
    return this.#memory.reduce((sum, { rows }) => sum + rows, atHand);
  }

  /** Looks what is there, and cuts what was written last and not to its end. */
  #restore(): void {
    const position = this.#position.read();
    const numbers = readdirSync(this.#folder).flatMap((name) => {
      const [, digits] = NAME.exec(name) ?? [];
      return digits === undefined ? [] : [Number(digits)];
    });
    this.#nextNumber = Math.max(position.segment, 0, ...numbers) + 1;
    for (const number of numbers.sort((a, b) => a - b)) {
      const path = this.#pathOf(number);
      if (number < position.segment) {
        rmSync(path, { force: true });
        continue;
      }
      const from = number === position.segment ? position.offset : 0;
      const { rows, end, size, cutRows, time } = scanSegment(path, from);
      if (end < size) {
        truncateSync(path, end);
        this.damaged += cutRows;
        this.#context.notice('warn', `the last ${size - end} bytes of ${path} were not written to their end: cut off`);
      }
      this.#segments.push({ number, path, bytes: end, rows, time: time ?? Date.now() });
      this.#bytes += end;
      this.rows += rows;
      this.restored += rows + cutRows;
      if (number === position.segment) this.#head = this.#openHead(this.#segments[0], from);
    }
    if (this.rows > 0) this.#context.notice('info', `${this.rows} transactions of before wait in ${this.#folder}`);
  }

  #pathOf(number: number): string {
    return join(this.#folder, `${String(number).padStart(12, '0')}.spool`);
  }

  #openHead(segment: Segment, offset: number): Head {
    return { segment, offset, fd: openSync(segment.path, 'r') };
  }

  /** Where to read on; null when nothing is left on disk. */
  #opened(): Head | null {
    for (;;) {
      const head = this.#head;
      if (head !== null && head.offset < head.segment.bytes) return head;
      const next = this.#segments.find(({ number, bytes }) => number > (head?.segment.number ?? 0) && bytes > 0);
      if (next === undefined) return null;
      try {
        const opened = this.#openHead(next, 0);
        if (head !== null) closeSync(head.fd);
        this.#head = opened;
      } catch (error) {
        if (!isGone(error)) throw error;
        next.bytes = 0;
        this.#lose(next, next.rows);
      }
    }
  }

  /** Reads whole frames; undefined when those at hand were damaged, and left out. */
  async #read(head: Head, most: number): Promise<{ chunk: Chunk; mark: SpoolMark } | undefined> {
    const { segment, fd, offset } = head;
    const left = segment.bytes - offset;
    let bytes = await bytesAt(fd, offset, Math.min(left, Math.max(most, READ_BYTES)));
    const chunks: Chunk[] = [];
    let at = 0;
    let taken = 0;
    while (at < bytes.length && (chunks.length === 0 || taken < most)) {
      const header = headerAt(bytes, at);
      const end = at + HEADER_BYTES + (header?.length ?? 0);
      // What lies across the end of what was read comes with the next turn.
      if (end > bytes.length && at > 0 && bytes.length < left) break;
      if (header === undefined || end > left) {
        this.#lose(segment, segment.rows);
        at = left;
        break;
      }
      if (end > bytes.length) bytes = await bytesAt(fd, offset, end);
      const chunk = chunkAt(bytes, at + HEADER_BYTES, header);
      at = end;
      if (chunk === undefined) this.#lose(segment, header.rows);
      else {
        chunks.push(chunk);
        segment.rows -= chunk.rows;
        taken += chunk.bytes.length;
      }
    }
    head.offset = offset + at;
    if (chunks.length === 0) return undefined;
    const chunk = joined(chunks);
    return { chunk, mark: { rows: chunk.rows, at: { segment, offset: head.offset }, chunk: 0 } };
  }

  #takeFromMemory(): { chunk: Chunk; mark: SpoolMark } | undefined {
    const number = this.#came - this.#memory.length + 1;
    const chunk = this.#memory.shift();
    if (chunk === undefined) {
      // Nothing is left, whatever headers told: the sums stay true.
      if (this.rows > 0) this.#lose(null, this.rows);
      return undefined;
    }
    this.#memoryBytes -= chunk.bytes.length;
    this.#unwritten.push(number);
    return { chunk, mark: { rows: chunk.rows, at: null, chunk: number } };
  }

  #lose(segment: Segment | null, rows: number): void {
    if (segment !== null) segment.rows -= rows;
    this.rows -= rows;
    this.damaged += rows;
    this.#context.notice('warn', `${segment?.path ?? this.#folder} is damaged: ${rows} transactions are lost`);
  }

  /** Writes what waits in memory, as far as the disk takes it. */
  #spill(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      for (let [chunk] = this.#memory; chunk !== undefined; [chunk] = this.#memory) {
        this.#append(chunk);
        this.#memory.shift();
        this.#memoryBytes -= chunk.bytes.length;
      }
      this.error = null;
    } catch (error) {
      this.#complain(error);
      this.#timer = setTimeout(() => this.#spill(), RETRY_MS).unref();
    }
    this.#tellWaiters();
  }

  #append(chunk: Chunk): void {
    const frame = frameOf(chunk, Date.now());
    if (this.#tail !== null && this.#tail.segment.bytes + frame.length > this.#segmentBytes) this.#seal();
    const { segment, fd } = (this.#tail ??= this.#begin());
    writeWhole(fd, frame, segment.bytes);
    segment.bytes += frame.length;
    segment.rows += chunk.rows;
    this.#bytes += frame.length;
    this.#disk.written(fd);
  }

  /** Begins a segment. */
  #begin(): { segment: Segment; fd: number } {
    const number = this.#nextNumber;
    const path = this.#pathOf(number);
    const fd = openSync(path, 'wx', 0o600);
    this.#nextNumber++;
    giveAway(this.#context.owner, (uid, gid) => fchownSync(fd, uid, gid));
    const segment = { number, path, bytes: 0, rows: 0, time: Date.now() };
    this.#segments.push(segment);
    this.#disk.begun();
    return { segment, fd };
  }

  /** Nothing more comes into the last segment. */
  #seal(): void {
    if (this.#tail === null) return;
    this.#disk.seal(this.#tail.fd);
    this.#tail = null;
  }

  #removeFirst(): void {
    const [segment] = this.#segments;
    rmSync(segment.path, { force: true });
    this.#segments.shift();
    this.#bytes -= segment.bytes;
    if (this.#head?.segment !== segment) return;
    closeSync(this.#head.fd);
    this.#head = null;
  }

  /** The last chunk that is on disk or with the receiver, with all before it. */
  #safe(): number {
    return (this.#unwritten.at(0) ?? this.#came - this.#memory.length + 1) - 1;
  }

  #tellWaiters(): void {
    const safe = this.#safe();
    while (this.#waiters.length > 0 && this.#waiters[0].chunk <= safe) this.#waiters.shift()?.resolve();
  }

  #complain(error: unknown): void {
    const message = `${this.#folder} cannot be written: ${reasonOf(error)}`;
    if (this.error === null) this.#context.notice('warn', message);
    this.error = message;
  }
}
