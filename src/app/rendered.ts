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
  bytes: Uint8Array;
  /** Offset in `bytes` behind each row. */
  ends: Uint32Array;
  /** To be called when they have been used, where their memory is wanted back. */
  done?(): void;
}

/** Renders batches in a worker, for formats whose rows stand apart. */
export class Renderer {
  readonly #writer = new ByteWriter();
  readonly #output: TransactionOutput | undefined;

  constructor({ format, sensor }: RenderPlan, interfaces: readonly CapturedInterface[]) {
    this.#output = outputFor(format).format.transaction?.({ interfaces, sensor, registrable }, this.#writer);
  }

  /** Rows [from, to) of a batch; their bytes are valid until the next ones are rendered. */
  render(batch: TransactionBatch, from: number, to: number): RenderedRows {
    const { col } = batch;
    const count = to - from;
    const writer = this.#writer;
    const ends = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      this.#output?.batch(batch, from + i, from + i + 1);
      ends[i] = writer.length;
    }
    return {
      count,
      col: {
        closeSeconds: col.closeSeconds.slice(from, to),
        closeNanos: col.closeNanos.slice(from, to),
        closeNumber: col.closeNumber.slice(from, to),
      },
      bytes: writer.written(),
      ends,
    };
  }
}

/** Rows in memory of their own. */
export function copyOf(rows: RenderedRows): RenderedRows {
  return { ...rows, bytes: rows.bytes.slice() };
}

/** The memory to transfer with rendered rows. */
export function buffersOf({ col, bytes, ends }: RenderedRows): ArrayBuffer[] {
  return [bytes, ends, col.closeSeconds, col.closeNanos, col.closeNumber].map(({ buffer }) => buffer as ArrayBuffer);
}
