/**
 * How fast are batches of the bus written and read, and how many bytes does a transaction take? JSON beside it.
 *
 *   npm run bench -- bus [FILE] [RUNS]
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { runInline } from '../src/app/run.ts';
import { readTransactions } from '../src/bus/transaction-reader.ts';
import { TransactionWriter } from '../src/bus/transaction-writer.ts';
import type { TransactionBatch } from '../src/core/transactions.ts';
import { registrable } from '../src/enrich/public-suffix.ts';
import { ByteWriter } from '../src/sinks/byte-writer.ts';
import { ndjson } from '../src/sinks/ndjson.ts';
import { traffic } from './measure.ts';

const capture = process.argv[2] ?? traffic(1_000_000);
const runs = Number(process.argv[3] ?? 3);
/** Rows per second are measured on so many: they fit into memory. */
const MOST = 400_000;

const batches: TransactionBatch[] = [];
let rows = 0;
const enough = new AbortController();
await runInline(
  { input: { kind: 'files', paths: [capture] }, threads: 0 },
  { signal: enough.signal },
  {
    rows: (batch) => {
      if (rows >= MOST) return;
      batches.push(batch);
      rows += batch.count;
      if (rows >= MOST) enough.abort();
    },
  },
);

/** Seconds of a core, of the fastest run: what disturbs makes it slower only. */
function timed(run: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let k = 0; k < runs; k++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1e6);
  }
  return best;
}

function line(what: string, seconds: number, bytes?: number): void {
  const rate = `${Math.round(rows / seconds / 1000).toLocaleString('en')} k/s a core`;
  const size = bytes === undefined ? '' : `${(bytes / rows).toFixed(1)} bytes a transaction`;
  process.stdout.write(`${what.padEnd(28)}${rate.padStart(16)}  ${size}\n`);
}

process.stdout.write(`${rows.toLocaleString('en')} transactions of ${capture}\n\n`);
let encoded: Uint8Array[] = [];
const origin = { sensor: 'bench', interfaces: [], marks: [] };
const writer = new TransactionWriter();
const order = Uint32Array.from({ length: 8192 }, (_, i) => i);
const writing = timed(() => {
  encoded = [];
  for (const batch of batches) {
    for (let at = 0; at < batch.count; ) {
      at = writer.add(batch, order, at, batch.count);
      if (writer.isFull) encoded.push(writer.finish(origin, { epoch: 1, line: 0, sequence: encoded.length }));
    }
  }
  encoded.push(writer.finish(origin, { epoch: 1, line: 0, sequence: encoded.length }));
});
line(
  'bus: write',
  writing,
  encoded.reduce((sum, { length }) => sum + length, 0),
);
line(
  'bus: read',
  timed(() => {
    let read = 0;
    for (const bytes of encoded) read += readTransactions(bytes).batch.count;
    if (read !== rows) throw new Error(`${read} rows came back, of ${rows}`);
  }),
);
process.stdout.write(`${encoded.length} batches\n\n`);

let texts: Uint8Array[] = [];
const json = () => {
  texts = [];
  const out = new ByteWriter();
  const output = ndjson.transaction?.({ registrable, interfaces: [] }, out);
  for (const batch of batches) {
    output?.batch(batch, 0, batch.count);
    texts.push(zstdCompressSync(out.written()));
  }
};
line(
  'JSON, zstd: write',
  timed(json),
  texts.reduce((sum, { length }) => sum + length, 0),
);
line(
  'JSON, zstd: read',
  timed(() => {
    let read = 0;
    for (const packed of texts) {
      const text = zstdDecompressSync(packed).toString();
      for (let at = 0, end = text.indexOf('\n'); end >= 0; at = end + 1, end = text.indexOf('\n', at)) {
        JSON.parse(text.slice(at, end));
        read++;
      }
    }
    if (read !== rows) throw new Error(`${read} rows came back, of ${rows}`);
  }),
);
