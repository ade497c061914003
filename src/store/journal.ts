import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const ACCEPTED = 0;
const SETTLED = 8;
const CLOSED = 16;
const BYTES = 24;

/**
 * How many rows were taken, and how many of them are on the disk or counted as dropped: a small file that outlives the
 * process, so that the next start can say what a crash cost. Two threads write, each its own half.
 */
export class Journal {
  readonly #file: number;
  readonly #number = new Float64Array(1);
  readonly #octets = new Uint8Array(this.#number.buffer);
  #accepted = 0;
  #settled = 0;

  private constructor(file: number) {
    this.#file = file;
  }

  static open(path: string): Journal {
    // Made when it is not there, never truncated, written at positions (which appending would ignore).
    closeSync(openSync(path, 'a'));
    return new Journal(openSync(path, 'r+'));
  }

  /** What the run before took and did not settle, and when it took the last; null when it ended well, or there was none. */
  lost(): { rows: number; time: number } | null {
    const bytes = new Float64Array(3);
    if (readSync(this.#file, new Uint8Array(bytes.buffer), 0, BYTES, 0) < BYTES) return null;
    const [accepted, settled, closed] = bytes;
    if (closed === 1) return null;
    return { rows: Math.max(0, accepted - settled), time: fstatSync(this.#file).mtimeMs };
  }

  begin(): void {
    writeSync(this.#file, new Uint8Array(BYTES), 0, BYTES, 0);
  }

  accept(rows: number): void {
    this.#accepted += rows;
    this.#put(ACCEPTED, this.#accepted);
  }

  settle(rows: number): void {
    this.#settled += rows;
    this.#put(SETTLED, this.#settled);
  }

  close(): void {
    this.#put(CLOSED, 1);
    closeSync(this.#file);
  }

  #put(at: number, value: number): void {
    this.#number[0] = value;
    writeSync(this.#file, this.#octets, 0, 8, at);
  }
}
