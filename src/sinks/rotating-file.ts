import {
  chownSync,
  closeSync,
  createReadStream,
  createWriteStream,
  fchownSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';

export interface RotationRules {
  /** A file that would become longer is renamed, and a new one begun. */
  sizeBytes: number;
  /** So long after its beginning too (with the next write). */
  ageMs: number;
  /** Renamed files that are kept; the oldest go first. */
  keep: number;
  compress?: 'none' | 'gzip' | 'zstd';
}

/** Whom files belong to, where root makes them for the user it will become. */
export interface FileOwner {
  uid: number;
  gid: number;
}

export interface RotatingFileHooks {
  /** What stands at the beginning and at the end of every file. */
  begin?(): Uint8Array | undefined;
  end?(): Uint8Array | undefined;
  /** Told when an old file could not be renamed, compressed or removed, or the one of the name not be opened again. */
  failed?(error: Error): void;
  /** Milliseconds since 1970. */
  now?(): number;
}

/** A file that could not be renamed is tried again after so long. */
const RETRY_MS = 60_000;
const SUFFIX = { none: '', gzip: '.gz', zstd: '.zst' } as const;

/**
 * A file that is written at its end, and renamed to `NAME-YYYYMMDDTHHMMSSZ.EXT` when it is full or old. What was written
 * is whole: after an error (a full disk) the file ends where it ended before.
 */
export class RotatingFile {
  readonly path: string;
  readonly #rules: RotationRules;
  readonly #hooks: RotatingFileHooks;
  readonly #owner: FileOwner | undefined;
  #fd = -1;
  #size = 0;
  #since = 0;
  #isBegun = false;
  /** No renaming before. */
  #fullUntil = 0;
  #work: Promise<void> = Promise.resolve();

  /** Opens the file, and makes its folder; what is in it stays. Throws UserError (exit code 3). */
  constructor(path: string, rules: RotationRules, hooks: RotatingFileHooks = {}, owner?: FileOwner) {
    this.path = path;
    this.#rules = rules;
    this.#hooks = hooks;
    this.#owner = owner;
    this.#open();
  }

  /** Writes all of `bytes` or nothing. Throws UserError (exit code 3). */
  write(bytes: Uint8Array): void {
    if (this.#fd < 0) this.#open();
    const now = this.#now();
    const isDue = this.#size + bytes.length > this.#rules.sizeBytes || now - this.#since >= this.#rules.ageMs;
    if (this.#size > 0 && isDue && now >= this.#fullUntil) this.rotate();
    if (!this.#isBegun) {
      const head = this.#hooks.begin?.();
      if (head !== undefined) this.#append(head);
      this.#isBegun = true;
    }
    this.#append(bytes);
  }

  /** Renames the file and begins a new one. */
  rotate(): void {
    this.#finish();
    const name = this.#freeName();
    try {
      renameSync(this.path, name);
      this.#work = this.#work.then(() => this.#tidy(name));
    } catch (error) {
      // Somebody removed the file: the next begins all the same.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#staysFull(error);
    }
    this.#open();
  }

  /**
   * Goes on in the file that has the name now: another one, where somebody has moved the old one away. `failed` is told
   * when there is none to be had; the next write tries again.
   */
  reopen(): void {
    try {
      if (this.#fd >= 0) this.#finish();
      this.#open();
    } catch (error) {
      this.#fails(error);
    }
  }

  /** Closes it; resolves when old files are compressed too. */
  async close(): Promise<void> {
    if (this.#fd >= 0) this.#finish();
    await this.#work;
  }

  /** A file that cannot be renamed grows on, rather than that lines are lost; it is tried again later. */
  #staysFull(error: unknown): void {
    this.#fullUntil = this.#now() + RETRY_MS;
    this.#hooks.failed?.(new UserError(`Cannot rename ${this.path}: ${reasonOf(error)}. It grows on.`, EXIT.file));
  }

  #now(): number {
    return this.#hooks.now?.() ?? Date.now();
  }

  #open(): void {
    try {
      makeFolder(dirname(this.path), this.#owner);
      this.#fd = openSync(this.path, 'a', 0o640);
      giveAway(this.#owner, (uid, gid) => fchownSync(this.#fd, uid, gid));
      const { size, birthtimeMs, mtimeMs } = fstatSync(this.#fd);
      this.#size = size;
      // A file of before goes on: it began when it was made (some file systems do not know).
      this.#since = size > 0 ? Math.min(this.#now(), birthtimeMs || mtimeMs) : this.#now();
      this.#isBegun = size > 0;
    } catch (error) {
      throw new UserError(`Cannot open ${this.path}: ${reasonOf(error)}.`, EXIT.file, { cause: error });
    }
  }

  #append(bytes: Uint8Array): void {
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(this.#fd, bytes, at, bytes.length - at);
      this.#size += bytes.length;
    } catch (error) {
      if (at > 0) ftruncateSync(this.#fd, this.#size);
      throw new UserError(`Cannot write ${this.path}: ${reasonOf(error)}.`, EXIT.file, { cause: error });
    }
  }

  #finish(): void {
    const tail = this.#isBegun ? this.#hooks.end?.() : undefined;
    if (tail !== undefined) this.#append(tail);
    closeSync(this.#fd);
    this.#fd = -1;
  }

  /** Where the file is renamed to: several in a second are numbered. */
  #freeName(): string {
    const stamp = new Date(this.#now()).toISOString().slice(0, 19).replace(/[-:]/g, '');
    const { stem, extension } = this.#parts();
    const taken = this.#old().map(({ stamp: other, number }) => (other === stamp ? number : 0));
    const number = Math.max(0, ...taken) + 1;
    return join(dirname(this.path), `${stem}-${stamp}Z${number === 1 ? '' : `-${number}`}${extension}`);
  }

  #parts(): { stem: string; extension: string } {
    const extension = extname(this.path);
    return { stem: basename(this.path, extension), extension };
  }

  /** Renamed files, the oldest first. */
  #old(): { name: string; stamp: string; number: number }[] {
    const { stem, extension } = this.#parts();
    const found: { name: string; stamp: string; number: number }[] = [];
    for (const name of readdirSync(dirname(this.path))) {
      if (!name.startsWith(`${stem}-`)) continue;
      const rest = /^(\d{8}T\d{6})Z(?:-(\d{1,6}))?(.*)$/.exec(name.slice(stem.length + 1));
      const end = rest?.[3].replace(/\.(gz|zst)$/, '');
      if (rest !== null && end === extension) found.push({ name, stamp: rest[1], number: Number(rest[2] ?? 1) });
    }
    return found.sort((a, b) => (a.stamp === b.stamp ? a.number - b.number : a.stamp < b.stamp ? -1 : 1));
  }

  async #tidy(renamed: string): Promise<void> {
    const { compress = 'none', keep } = this.#rules;
    try {
      const old = this.#old();
      for (const { name } of old.slice(0, Math.max(0, old.length - keep))) {
        rmSync(join(dirname(this.path), name), { force: true });
      }
      if (compress !== 'none' && keep > 0) await compressFile(renamed, compress);
    } catch (error) {
      this.#fails(error);
    }
  }

  #fails(error: unknown): void {
    this.#hooks.failed?.(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Makes a folder and those above it; new ones belong to `owner`. */
export function makeFolder(path: string, owner: FileOwner | undefined): void {
  const first = mkdirSync(path, { recursive: true });
  if (first === undefined) return;
  const top = resolve(first);
  for (let made = resolve(path); made.startsWith(top); made = dirname(made)) {
    giveAway(owner, (uid, gid) => chownSync(made, uid, gid));
    if (made === dirname(made)) return;
  }
}

/** Once rights are given up there is nothing to give away: it is the user's own already. */
export function giveAway(owner: FileOwner | undefined, change: (uid: number, gid: number) => void): void {
  if (owner !== undefined && process.getuid?.() === 0) change(owner.uid, owner.gid);
}

/** Replaces a file by a compressed one; the plain one goes when the other is whole. */
async function compressFile(path: string, method: 'gzip' | 'zstd'): Promise<void> {
  const target = `${path}${SUFFIX[method]}`;
  try {
    const stream = method === 'gzip' ? createGzip() : createZstdCompress();
    await pipeline(createReadStream(path), stream, createWriteStream(`${target}.part`, { mode: 0o640 }));
    await rename(`${target}.part`, target);
    await rm(path);
  } catch (error) {
    await rm(`${target}.part`, { force: true });
    // Removed meanwhile, being the oldest.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
