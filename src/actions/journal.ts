import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Block, Decision } from '../core/block.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';

/** What happened, one line of JSON each, in order. Times are ms since 1970. */
export type JournalEntry =
  | { op: 'block'; time: number; block: Block }
  | { op: 'undo'; time: number; id: string; by: string }
  | { op: 'flush'; time: number; by: string }
  | { op: 'breaker'; time: number; why: string | null; by: string }
  | { op: 'decision'; time: number; decision: Decision };

const MOST_BYTES = 256 << 20;
/** Decisions, which nothing depends on, are written only up to here; blocks and their end always. */
const MOST_LOOSE_BYTES = 64 << 20;
const OPERATIONS = ['block', 'undo', 'flush', 'breaker', 'decision'];

/** The write-ahead journal: what is in it holds after a crash, what is not has never been done. */
export class Journal {
  readonly #path: string;
  #fd: number;
  /** Lines that could not be understood, such as one that a crash cut. */
  readonly damaged: number;
  readonly #found: JournalEntry[];
  #bytes: number;
  /** The last line may have no end: it must not swallow the next one. */
  #isCut: boolean;
  /** Decisions that were not written, because it is long. */
  skipped = 0;

  /** Throws UserError (exit 3) for a file that cannot be used. */
  constructor(path: string) {
    this.#path = path;
    try {
      [this.#found, this.damaged] = read(path);
      this.#fd = openSync(path, 'a', 0o600);
      this.#bytes = statSync(path).size;
      this.#isCut = this.damaged > 0;
    } catch (error) {
      throw new UserError(`The journal of blocks ${path} cannot be used: ${reasonOf(error)}.`, EXIT.file, {
        cause: error,
      });
    }
  }

  /** What an earlier run wrote; once. */
  take(): JournalEntry[] {
    return this.#found.splice(0);
  }

  /** Writes an entry; a `sure` one is on the disk when this returns. Throws where it cannot be. */
  write(entry: JournalEntry, sure: boolean): void {
    const line = Buffer.from(`${this.#isCut ? '\n' : ''}${JSON.stringify(entry)}\n`);
    if (!sure && this.#bytes > MOST_LOOSE_BYTES) {
      this.skipped++;
      return;
    }
    this.#isCut = true;
    writeFileSync(this.#fd, line);
    this.#isCut = false;
    this.#bytes += line.length;
    if (sure) fsyncSync(this.#fd);
  }

  /** Leaves only these entries, all or none of them. */
  replace(entries: readonly JournalEntry[]): void {
    const next = `${this.#path}.next`;
    const fd = openSync(next, 'w', 0o600);
    try {
      writeFileSync(fd, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(next, this.#path);
    const folder = openSync(dirname(this.#path), 'r');
    fsyncSync(folder);
    closeSync(folder);
    closeSync(this.#fd);
    this.#fd = openSync(this.#path, 'a', 0o600);
    this.#bytes = statSync(this.#path).size;
    this.#isCut = false;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function read(path: string): [JournalEntry[], number] {
  if (!existsSync(path)) return [[], 0];
  if (statSync(path).size > MOST_BYTES) throw new Error('it is larger than 256 MiB; move it away');
  const entries: JournalEntry[] = [];
  let damaged = 0;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue;
    const entry = entryOf(line);
    if (entry === undefined) damaged++;
    else entries.push(entry);
  }
  return [entries, damaged];
}

function entryOf(line: string): JournalEntry | undefined {
  let value: Partial<JournalEntry>;
  try {
    value = JSON.parse(line) as Partial<JournalEntry>;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || typeof value.time !== 'number') return undefined;
  if (!OPERATIONS.includes(value.op ?? '')) return undefined;
  if (value.op === 'block' && !isBlock(value.block)) return undefined;
  if (value.op === 'decision' && typeof value.decision?.value !== 'string') return undefined;
  return value as JournalEntry;
}

function isBlock(block: Partial<Block> | undefined): boolean {
  const texts = [block?.id, block?.kind, block?.value, block?.by, block?.reason];
  return (
    texts.every((text) => typeof text === 'string') && Number.isFinite(block?.since) && Number.isFinite(block?.until)
  );
}
