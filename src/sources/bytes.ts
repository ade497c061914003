import { close, closeSync, fstatSync, open, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import { BrokenInput, type ByteInput } from './byte-input.ts';

/** Opens a path, or standard input for `-`. Throws UserError with exit code 3. */
export async function openBytes(path: string): Promise<ByteInput> {
  const fd = path === '-' ? 0 : await openPath(path);
  const stat = fstatSync(fd);
  if (stat.isDirectory()) {
    closeSync(fd);
    throw new UserError(`${path} is a folder. Name the capture files in it.`, EXIT.file);
  }
  if (fd === 0 ? !stat.isFile() : stat.isFIFO() || stat.isSocket()) return new Pipe(pipeOf(fd));
  // Devices too, such as /dev/null: their size is not known.
  return new RegularFile(fd, stat.size, path);
}

function openPath(path: string): Promise<number> {
  // In the background: opening a named pipe waits for its writer.
  return new Promise((resolve, reject) => {
    open(path, 'r', (error, fd) => {
      if (error === null) resolve(fd);
      else reject(new UserError(`Cannot open ${path}: ${reasonOf(error)}.`, EXIT.file, { cause: error }));
    });
  });
}

function pipeOf(fd: number): Readable {
  if (fd === 0) return process.stdin;
  // A socket, not a file stream: its pending reads hold no thread and can be given up.
  return new Socket({ fd, readable: true, writable: false });
}

/** A file on disk, read at once: what is in the page cache comes faster than a thread could be asked for it. */
class RegularFile implements ByteInput {
  readBytes = 0;
  readonly totalBytes: number;
  #fd: number;
  readonly #path: string;

  constructor(fd: number, totalBytes: number, path: string) {
    this.#fd = fd;
    this.totalBytes = totalBytes;
    this.#path = path;
  }

  read(into: Uint8Array): number {
    if (this.#fd < 0) return 0;
    try {
      // No position: standard input may begin in the middle of its file.
      const count = readSync(this.#fd, into, 0, into.length, null);
      this.readBytes += count;
      return count;
    } catch (error) {
      throw new BrokenInput(`${this.#path} cannot be read further (${(error as Error).message})`, { cause: error });
    }
  }

  close(): void {
    if (this.#fd > 0) close(this.#fd);
    this.#fd = -1;
  }
}

/** A pipe, FIFO or terminal: gives what is there, waits when nothing is, never seeks. */
export class Pipe implements ByteInput {
  readBytes = 0;
  readonly totalBytes = 0;
  readonly #stream: Readable;
  #chunk: Uint8Array = new Uint8Array(0);
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
    const wake = () => this.#wake?.();
    stream.on('readable', wake);
    stream.on('end', () => {
      this.#ended = true;
      wake();
    });
    stream.on('close', () => {
      this.#ended = true;
      wake();
    });
    stream.on('error', (error) => {
      this.#failure = error;
      wake();
    });
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#chunk.length === 0) {
      const next: Uint8Array | null = this.#stream.read();
      if (next !== null) this.#chunk = next;
      else if (this.#failure !== undefined) throw new BrokenInput(`the pipe broke (${this.#failure.message})`);
      else if (this.#ended) return 0;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    const count = Math.min(into.length, this.#chunk.length);
    into.set(this.#chunk.subarray(0, count));
    this.#chunk = this.#chunk.subarray(count);
    this.readBytes += count;
    return count;
  }

  close(): void {
    this.#stream.destroy();
  }
}
