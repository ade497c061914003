import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, UserError } from '../core/errors.ts';
import { type CapturedInterface, type Damage, FrameBatch, type Source, type SourceLoss } from '../core/frames.ts';
import { BrokenInput, type ByteInput } from './byte-input.ts';
import type { CaptureReader } from './capture-reader.ts';
import { Shared } from './format.ts';
import { readerOf } from './open-capture.ts';

/** Names that capture programs write; what else lies in the folder is left alone. */
const CAPTURE_NAME = /^[^.].*\.(pcap|pcapng|cap|dmp|ntar)\d*(\.(gz|zst|lz4|xz))?$/i;

export interface FolderOptions {
  /** How often to look for more; 250 ms unless told. */
  pollMs?: number;
}

/**
 * Watches a folder: reads its capture files in the order of their names, follows the last one while it grows, and goes
 * on with the next as soon as there is one. Ends when the signal aborts. Throws UserError (exit code 3) without a folder.
 */
export function openFolder(path: string, options: FolderOptions = {}): Source {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UserError(`${path} is no folder. Name a folder into which capture files are written.`, EXIT.file);
  }
  return new FolderSource(path, options.pollMs ?? 250);
}

class FolderSource implements Source {
  readonly live = false;
  readonly damage: Damage[] = [];
  readonly #path: string;
  readonly #pollMs: number;
  readonly #shared = new Shared();
  /** Files read to their end; those that were deleted are forgotten. */
  #read = new Set<string>();

  constructor(path: string, pollMs: number) {
    this.#path = path;
    this.#pollMs = pollMs;
  }

  get interfaces(): CapturedInterface[] {
    return this.#shared.interfaces;
  }

  loss(): SourceLoss {
    return this.#shared.loss();
  }

  async *batches(signal: AbortSignal): AsyncIterable<FrameBatch> {
    const batch = new FrameBatch();
    let number = 1;
    while (!signal.aborted) {
      const name = this.#waiting()[0];
      if (name === undefined) {
        yield idle(batch);
        await this.#pause(signal);
        continue;
      }
      const reader = this.#open(name);
      if (reader === undefined) continue;
      try {
        while (!signal.aborted && (await this.#next(reader, batch))) {
          for (let i = 0; i < batch.count; i++) batch.number[i] = number++;
          yield batch;
          if (batch.count === 0) await this.#pause(signal);
        }
      } finally {
        reader.close();
      }
      if (reader.damage !== undefined) this.damage.push(reader.damage);
    }
  }

  /** A file that is no capture stops only itself. */
  async #next(reader: CaptureReader, batch: FrameBatch): Promise<boolean> {
    try {
      return await reader.next(batch);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.damage.push({ file: reader.file, offset: 0, reason: 'it does not begin like a capture' });
      return false;
    }
  }

  #open(name: string): CaptureReader | undefined {
    const path = join(this.#path, name);
    this.#read.add(name);
    try {
      const input = new GrowingFile(path, () => this.#waiting().length > 0);
      return readerOf(path, input, this.#shared);
    } catch (error) {
      this.damage.push({ file: path, offset: 0, reason: (error as Error).message });
      return undefined;
    }
  }

  /** Capture files not read yet, in the order of their names. */
  #waiting(): string[] {
    const names = readdirSync(this.#path, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && CAPTURE_NAME.test(entry.name))
      .map((entry) => entry.name)
      .sort();
    this.#read = new Set(names.filter((name) => this.#read.has(name)));
    return names.filter((name) => !this.#read.has(name));
  }

  async #pause(signal: AbortSignal): Promise<void> {
    // An abort ends the pause early, and is no failure.
    await sleep(this.#pollMs, undefined, { signal }).catch(() => undefined);
  }
}

function idle(batch: FrameBatch): FrameBatch {
  batch.count = 0;
  return batch;
}

/** A file that may still be written: its end is the end only once a later file is there. */
class GrowingFile implements ByteInput {
  readBytes = 0;
  #fd: number;
  readonly #isFollowed: () => boolean;
  #lastLook = false;

  constructor(path: string, isFollowed: () => boolean) {
    this.#fd = openSync(path, 'r');
    this.#isFollowed = isFollowed;
  }

  get totalBytes(): number {
    return this.#fd < 0 ? 0 : fstatSync(this.#fd).size;
  }

  read(into: Uint8Array): number {
    if (this.#fd < 0) return 0;
    let count: number;
    try {
      count = readSync(this.#fd, into, 0, into.length, null);
    } catch (error) {
      throw new BrokenInput(`cannot be read further (${(error as Error).message})`, { cause: error });
    }
    this.readBytes += count;
    if (count > 0) return count;
    // The writer may have added its last bytes between our read and the appearance of the next file: look once more.
    if (this.#lastLook) return 0;
    this.#lastLook = this.#isFollowed();
    return this.#lastLook ? this.read(into) : -1;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}
