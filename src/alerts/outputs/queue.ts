import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EXIT, reasonOf, UserError } from '../../core/errors.ts';
import type { Notice } from './output.ts';

/** A file of steps is written anew once it is so long and mostly history. */
const COMPACT_BYTES = 4 << 20;

type Step = { n: number; notice: Notice } | { done: number };

/**
 * Messages that wait, first in, first out; on disk too, so that a restart loses none: a file of lines, one per message that
 * came and one per message that went. It is short: alerts are rare.
 */
export class DiskQueue {
  readonly path: string;
  readonly #waiting = new Map<number, Notice>();
  #last = 0;
  #bytes = 0;

  /** Reads what waited when the process ended; a line that was cut off then is passed over. Throws UserError. */
  constructor(path: string) {
    this.path = path;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      if (existsSync(path)) for (const line of readFileSync(path, 'utf8').split('\n')) this.#read(line);
      this.#rewrite();
    } catch (error) {
      throw new UserError(`The queue of alerts ${path} cannot be used: ${reasonOf(error)}.`, EXIT.file, {
        cause: error,
      });
    }
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** The oldest message; undefined when none waits. */
  first(): { n: number; notice: Notice } | undefined {
    for (const [n, notice] of this.#waiting) return { n, notice };
    return undefined;
  }

  push(notice: Notice): void {
    const n = ++this.#last;
    // First: what the disk does not take is not waiting.
    this.#append({ n, notice });
    this.#waiting.set(n, notice);
  }

  done(n: number): void {
    if (!this.#waiting.delete(n)) return;
    if (this.#waiting.size === 0 || this.#bytes > COMPACT_BYTES) this.#rewrite();
    else this.#append({ done: n });
  }

  #read(line: string): void {
    let step: Step;
    try {
      step = JSON.parse(line) as Step;
    } catch {
      // The end of a process can cut its last line: that message was never promised.
      return;
    }
    if ('done' in step) this.#waiting.delete(step.done);
    else if (typeof step.n === 'number') this.#waiting.set(step.n, step.notice);
    this.#last = Math.max(this.#last, 'done' in step ? step.done : step.n);
  }

  #append(step: Step): void {
    const line = `${JSON.stringify(step)}\n`;
    appendFileSync(this.path, line, { mode: 0o600 });
    this.#bytes += line.length;
  }

  #rewrite(): void {
    const lines = [...this.#waiting].map(([n, notice]) => `${JSON.stringify({ n, notice })}\n`).join('');
    writeFileSync(`${this.path}.new`, lines, { mode: 0o600 });
    renameSync(`${this.path}.new`, this.path);
    // What is left is the new floor: else a long queue would be written again with every step.
    this.#bytes = 0;
  }
}
