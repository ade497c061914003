import { setImmediate } from 'node:timers/promises';
import type { ByteInput } from './byte-input.ts';
import { openBytes } from './bytes.ts';
import { CaptureReader } from './capture-reader.ts';
import { uncompressed } from './compressed.ts';
import type { Shared } from './format.ts';

/** Opens a file or `-`. Throws UserError with exit code 3; waits for nothing but a named pipe's writer. */
export async function openCapture(file: string, shared: Shared, bufferBytes?: number): Promise<CaptureReader> {
  return readerOf(file, await openBytes(file), shared, bufferBytes);
}

/** Reads a capture out of any input, with every compression that Node and we know. */
export function readerOf(file: string, input: ByteInput, shared: Shared, bufferBytes?: number): CaptureReader {
  return new CaptureReader(file, input, shared, {
    uncompressed,
    compressions: 'gzip, zstd, lz4 or xz',
    // Reads of a file do not wait: let signals and timers have their turn between them.
    turn: setImmediate,
    bufferBytes,
  });
}
