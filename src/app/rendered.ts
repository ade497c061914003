import type { CapturedInterface } from '../core/frames.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { registrable } from '../enrich/public-suffix.ts';
import type { OrderedRows } from '../pipeline/merge.ts';
import { ByteWriter } from '../sinks/byte-writer.ts';
import type { TransactionOutput } from '../sinks/output.ts';
import { outputFor } from './catalog.ts';

/** How workers render rows, as plain data. */
export interface RenderPlan {
  format: string;
  sensor?: string;
}

/** Rows as the bytes of their lines: what crosses from a worker, ready to be written. */
export interface RenderedRows extends OrderedRows {
  bytes: Uint8Array<ArrayBuffer>;
  /** Offset in `bytes` behind each row. */
  ends: Uint32Array<ArrayBuffer>;
}

/** Renders batches in a worker, for formats whose rows stand apart. */
export class Renderer {
  readonly #writer = new ByteWriter();
  readonly #output: TransactionOutput | undefined;

  constructor({ format, sensor }: RenderPlan, interfaces: readonly CapturedInterface[]) {
    this.#output = outputFor(format).format.transaction?.({ interfaces, sensor, registrable }, this.#writer);
  }

  render(batch: TransactionBatch): RenderedRows {
    const { count, col } = batch;
    const writer = this.#writer;
    const ends = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      this.#output?.batch(batch, i, i + 1);
      ends[i] = writer.length;
    }
    return {
      count,
      col: {
        closeSeconds: col.closeSeconds.slice(0, count),
        closeNanos: col.closeNanos.slice(0, count),
        closeNumber: col.closeNumber.slice(0, count),
      },
      bytes: writer.take(),
      ends,
    };
  }
}

/** The memory to transfer with rendered rows. */
export function buffersOf({ col, bytes, ends }: RenderedRows): ArrayBuffer[] {
  return [bytes, ends, col.closeSeconds, col.closeNanos, col.closeNumber].map(({ buffer }) => buffer as ArrayBuffer);
}
