import { writeSync } from 'node:fs';
import { EXIT, UserError } from '../core/errors.ts';

const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes all bytes to standard output and waits where its reader is slower: no copy, no queue, no promise. Throws the
 * system's EPIPE when the reader has gone away (`main` ends quietly then), UserError for anything else.
 */
export function writeStdout(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at, bytes.length - at);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // A pipe that somebody else has set not to block, full for now.
      if (code === 'EAGAIN') Atomics.wait(pause, 0, 0, 2);
      else if (code === 'EPIPE') throw error;
      else throw new UserError(`The output could not be written: ${message}.`, EXIT.file, { cause: error });
    }
  }
}

/** True for the error of a reader that went away. */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EPIPE';
}
