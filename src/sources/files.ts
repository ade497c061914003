import { type CapturedInterface, type Damage, FrameBatch, type Source, type SourceLoss } from '../core/frames.ts';
import { CaptureReader } from './capture-reader.ts';
import { Shared } from './format.ts';

export async function openFiles(paths: readonly string[]): Promise<Source> {
  const shared = new Shared();
  const readers = [];
  for (const path of paths) readers.push(await CaptureReader.open(path, shared));
  return new FileSource(readers, shared);
}

class FileSource implements Source {
  readonly live = false;
  readonly damage: Damage[] = [];
  readonly #readers: CaptureReader[];
  readonly #shared: Shared;

  constructor(readers: CaptureReader[], shared: Shared) {
    this.#readers = readers;
    this.#shared = shared;
  }

  get interfaces(): CapturedInterface[] {
    return this.#shared.interfaces;
  }

  loss(): SourceLoss {
    return this.#shared.loss();
  }

  progress(): { readBytes: number; totalBytes: number } {
    let readBytes = 0;
    let totalBytes = 0;
    for (const reader of this.#readers) {
      readBytes += reader.readBytes;
      totalBytes += reader.totalBytes;
    }
    return { readBytes, totalBytes };
  }

  async *batches(signal: AbortSignal): AsyncIterable<FrameBatch> {
    const batch = new FrameBatch();
    let number = 1;
    for (const reader of this.#readers) {
      const stop = () => reader.close();
      signal.addEventListener('abort', stop, { once: true });
      while (!signal.aborted && (await reader.next(batch))) {
        for (let i = 0; i < batch.count; i++) batch.number[i] = number++;
        yield batch;
      }
      signal.removeEventListener('abort', stop);
      if (reader.damage !== undefined) this.damage.push(reader.damage);
    }
  }
}
