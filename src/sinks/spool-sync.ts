import { close, fdatasync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

const sync = promisify(fdatasync);
const closeFile = promisify(close);

/**
 * Tells the disk to keep what was written: in the background, at most once at a time, every so often or with every write.
 */
export class DiskSync {
  readonly #folder: string;
  readonly #everyMs: number;
  readonly #failed: (error: unknown) => void;
  /** Written to since the last time. */
  #dirty: number | null = null;
  #isFolderDirty = false;
  /** To be closed behind the next time. */
  #sealed: number[] = [];
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `everyMs` 0 = with every write. */
  constructor(folder: string, everyMs: number, failed: (error: unknown) => void) {
    this.#folder = folder;
    this.#everyMs = everyMs;
    this.#failed = failed;
  }

  /** A file of the folder was begun. */
  begun(): void {
    this.#isFolderDirty = true;
  }

  written(fd: number): void {
    this.#dirty = fd;
    if (this.#everyMs === 0) void this.now();
    else this.#timer ??= setTimeout(() => void this.now(), this.#everyMs).unref();
  }

  /** Nothing more is written to a file: it is closed once the disk keeps it. */
  seal(fd: number): void {
    this.#sealed.push(fd);
    if (this.#dirty === fd) this.#dirty = null;
    void this.now();
  }

  /** Resolves when the disk keeps what was written until now; those that ask meanwhile share the next time. */
  now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      this.#running = this.#sync();
      return this.#running;
    });
    return this.#next;
  }

  async #sync(): Promise<void> {
    const sealed = this.#sealed.splice(0);
    const dirty = this.#dirty;
    const isFolderDirty = this.#isFolderDirty;
    this.#dirty = null;
    this.#isFolderDirty = false;
    try {
      for (const fd of [...sealed, ...(dirty === null ? [] : [dirty])]) await sync(fd);
      if (isFolderDirty) await syncFolder(this.#folder);
    } catch (error) {
      this.#failed(error);
    } finally {
      for (const fd of sealed) await closeFile(fd);
    }
  }
}

/** A new file is there after a crash only when its folder says so. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
