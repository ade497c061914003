/** Whole records, one after the other. */
export interface Chunk {
  bytes: Uint8Array<ArrayBuffer>;
  /** Offset in `bytes` behind each record. */
  ends: readonly number[];
  /** Transactions that the records are of. */
  rows: number;
}

/** The other end of a delivery: a file, a socket, a service. */
export interface Target {
  /**
   * Resolves when a chunk is handed over, whole or but for what the receipt says. Rejects when it is not: with `Refused`
   * when the receiver never will take it, else it is given again after a pause: the same object, so that a target may
   * remember how far it came. An empty chunk asks only for what is behind. The signal aborts when there is no more time.
   */
  send(chunk: Chunk, signal: AbortSignal): Promise<Receipt | void>;
  /** Chunks are put together up to so many bytes; absent: one at a time. */
  readonly sendBytes?: number;
  /** Of the chunks handed over last, so many may still be lost on the way: the target sends them again if need be. */
  readonly unsure?: number;
  /** Transactions that were handed over twice, to be sure. */
  readonly repeated?: number;
  reopen?(): void;
  close(): Promise<void>;
}

/** What became of a chunk's records, where not simply all are there. Needs a record for each transaction. */
export interface Receipt {
  /** Records that the receiver had already, by their key. */
  known?: number;
  /** Records that it never will take: by place in the chunk, with its reason. They become dead letters. */
  refused?: readonly { record: number; why: string }[];
  /** Places of records that it may take later, in order: they are given again after a pause, with the reason. */
  later?: { records: readonly number[]; why: string };
}

/** The receiver does not want this, now or later. A chunk of several records is split until only those are left. */
export class Refused extends Error {}

/** Some records of a chunk, in order; each is a transaction. */
export function recordsOf({ bytes, ends }: Chunk, which: readonly number[]): Chunk {
  const parts = which.map((i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], ends[i]));
  return joined(parts.map((part) => ({ bytes: part, ends: [part.length], rows: 1 })));
}

/** Several chunks as one. */
export function joined(chunks: readonly Chunk[]): Chunk {
  if (chunks.length === 1) return chunks[0];
  const bytes = new Uint8Array(chunks.reduce((sum, one) => sum + one.bytes.length, 0));
  const ends: number[] = [];
  let at = 0;
  let rows = 0;
  for (const chunk of chunks) {
    bytes.set(chunk.bytes, at);
    for (const end of chunk.ends) ends.push(at + end);
    at += chunk.bytes.length;
    rows += chunk.rows;
  }
  return { bytes, ends, rows };
}
