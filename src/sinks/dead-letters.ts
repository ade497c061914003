import { appendFileSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf } from '../core/errors.ts';
import type { FileOwner } from './rotating-file.ts';

const MOST_BYTES = 16 << 20;

/**
 * A file of lines (NDJSON) with what a receiver will never take and the reason, where somebody can find it: at most
 * 16 MiB, for a receiver that refuses everything must not fill the disk.
 */
export class DeadLetters {
  readonly path: string;
  readonly #owner: FileOwner | undefined;
  readonly #most: number;

  constructor(path: string, owner?: FileOwner, mostBytes: number = MOST_BYTES) {
    this.path = path;
    this.#owner = owner;
    this.#most = mostBytes;
  }

  /** Writes a line with `why` and the fields given. Gives what to tell people of it: where it is, or why it is not there. */
  bury(why: string, fields: object): string {
    try {
      const file = statSync(this.path, { throwIfNoEntry: false });
      if ((file?.size ?? 0) >= this.#most) return `${this.path} is full`;
      if (file === undefined) mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
      appendFileSync(this.path, `${JSON.stringify({ why, ...fields })}\n`, { mode: 0o600 });
      if (file === undefined && this.#owner !== undefined && process.getuid?.() === 0) {
        chownSync(this.path, this.#owner.uid, this.#owner.gid);
      }
      return `see ${this.path}`;
    } catch (error) {
      return `${this.path} cannot be written: ${reasonOf(error)}`;
    }
  }
}

/** A record as a line of JSON can hold it: its text, or base64 where it is none. */
export function recordText(bytes: Uint8Array): { record: string } | { base64: string } {
  try {
    return { record: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}
