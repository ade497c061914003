import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runInline } from '../../src/app/run.ts';
import type { CapturedInterface } from '../../src/core/frames.ts';
import type { TransactionBatch } from '../../src/core/transactions.ts';

const folder = fileURLToPath(new URL('../captures/', import.meta.url));
/** The captures that come with the project. */
export const CAPTURES = globSync('*.pcap*', { cwd: folder })
  .sort()
  .map((name) => `${folder}${name}`);

/** The rows of a capture, as the engine gives them. */
export async function batchesOf(
  path: string,
): Promise<{ batches: TransactionBatch[]; interfaces: readonly CapturedInterface[] }> {
  const batches: TransactionBatch[] = [];
  const { interfaces } = await runInline(
    { input: { kind: 'files', paths: [path] }, threads: 0 },
    { signal: new AbortController().signal },
    { rows: (batch) => void batches.push(batch) },
  );
  return { batches, interfaces };
}
