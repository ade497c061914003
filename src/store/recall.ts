import type { TransactionBatch } from '../core/transactions.ts';
import type { Connection } from './duckdb.ts';
import { type Ingest, timeOf } from './ingest.ts';
import type { Parts, Place } from './parts.ts';
import { RowEncoder } from './row-encoder.ts';
import { decodeRows } from './rows.ts';
import type { Progress } from './upkeep.ts';

/** Teaches what rows say that the last run stored, but did not learn from before it ended. */
export async function recall(
  connection: Connection,
  parts: Parts,
  { learnt, sought }: Progress,
  ingest: Ingest,
): Promise<void> {
  // Of the first ones all but their stretch was written.
  await read(connection, parts, sought, learnt, (batch, i, encoder) =>
    ingest.stretches.add(batch, i, encoder, timeOf(batch, i)),
  );
  await read(connection, parts, learnt, parts.end, (batch, i, encoder, sensor) =>
    ingest.learn(batch, i, encoder, sensor),
  );
}

async function read(
  connection: Connection,
  parts: Parts,
  from: Place,
  to: Place,
  each: (batch: TransactionBatch, i: number, encoder: RowEncoder, sensor: string) => void,
): Promise<void> {
  if (parts.since(from) <= parts.since(to)) return;
  const encoder = new RowEncoder();
  for await (const chunk of connection.chunks(parts.sequence(from, to))) {
    const { batch, sensors } = decodeRows(chunk);
    for (let i = 0; i < batch.count; i++) {
      encoder.read(batch, i);
      each(batch, i, encoder, sensors[i]);
    }
  }
}
