/**
 * How fast do transactions get into the store, how many bytes do they take, and how long do questions?
 *
 *   npm run bench -- store [FILE] [RUNS]
 *
 * The appender alone writes the same columns in the same run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInline } from '../src/app/run.ts';
import { TransactionBatch } from '../src/core/transactions.ts';
import { ChunkWriter } from '../src/store/chunk-writer.ts';
import { Database } from '../src/store/duckdb.ts';
import { openStore } from '../src/store/open.ts';
import { passiveMatch } from '../src/store/passive-match.ts';
import { RowEncoder } from '../src/store/row-encoder.ts';
import { createTable, TRANSACTION_COLUMNS } from '../src/store/schema.ts';
import type { StatisticsQuery, Store, StoreOptions } from '../src/store/store.ts';
import { traffic } from './measure.ts';

const capture = process.argv[2] ?? traffic(1_000_000);
const runs = Number(process.argv[3] ?? 1);
const QUESTIONS = 5;
const ALWAYS = { from: 0, to: 4e12 };

/** Rows of the capture, batch after batch, as the engine makes them. */
async function replay(take: (batch: TransactionBatch) => Promise<unknown>): Promise<number> {
  let rows = 0;
  let pending: TransactionBatch[] = [];
  await runInline(
    { input: { kind: 'files', paths: [capture] }, threads: 0 },
    {
      signal: new AbortController().signal,
      ready: () => {
        const list = pending;
        pending = [];
        return (async () => {
          for (const batch of list) await take(batch);
        })();
      },
    },
    {
      rows: (batch) => {
        rows += batch.count;
        pending.push(batch);
      },
    },
  );
  for (const batch of pending) await take(batch);
  return rows;
}

async function intoStore(
  path: string,
  options: Partial<StoreOptions> = {},
): Promise<{ store: Store; rows: number; seconds: number; cpuMicros: number }> {
  const store = await openStore({ path, ...options });
  const began = performance.now();
  const before = process.cpuUsage();
  const rows = await replay((batch) => store.append(batch, { sensor: 'bench' }, true));
  await store.flush();
  const { user, system } = process.cpuUsage(before);
  return { store, rows, seconds: (performance.now() - began) / 1000, cpuMicros: (user + system) / rows };
}

/** The same columns, already encoded once, appended and checkpointed by this thread alone. */
async function appenderAlone(path: string): Promise<number> {
  const batches: TransactionBatch[] = [];
  await replay(async (batch) => void batches.push(batch));
  const database = await Database.open(join(path, 'alone.duckdb'), {
    threads: '2',
    memory_limit: '250MB',
    storage_compatibility_version: 'v1.5.0',
  });
  const connection = await database.connect();
  await connection.run(createTable('t', TRANSACTION_COLUMNS));
  const encoder = new RowEncoder();
  const chunk = new ChunkWriter(TRANSACTION_COLUMNS);
  let rows = 0;
  const nothing = { sensor: new Uint8Array(0), interfaces: [], marks: [] };
  const began = performance.now();
  await connection.run('BEGIN');
  let appender = connection.appender('t');
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++) {
      encoder.copy(batch, Uint32Array.of(i), 0, 1, chunk);
      encoder.read(batch, i);
      encoder.write(batch, i, chunk, nothing);
      if (chunk.full) chunk.flush(appender);
    }
    rows += batch.count;
    if (rows % (122_880 * 2) < batch.count) {
      chunk.flush(appender);
      appender.close();
      await connection.run('COMMIT');
      await connection.run('BEGIN');
      appender = connection.appender('t');
    }
  }
  chunk.flush(appender);
  appender.close();
  await connection.run('COMMIT');
  await connection.run('CHECKPOINT');
  const seconds = (performance.now() - began) / 1000;
  connection.close();
  database.close();
  return rows / seconds;
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < QUESTIONS; i++) {
    const began = performance.now();
    await run();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}

async function first(store: Store, filter: string): Promise<void> {
  for await (const page of store.transactions({ ...ALWAYS, filter, limit: 100 })) if (page.done) return;
}

const STATISTICS: Record<string, Omit<StatisticsQuery, 'from' | 'to'>> = {
  'all measures of the range': {
    measures: ['transactions', 'nxdomain', 'unanswered', 'latency', 'size', 'ttl', 'clients', 'names'],
  },
  'series by second': { step: 1, measures: ['transactions', 'nxdomain'] },
  'top domains with latency': { group: ['domain'], measures: ['transactions', 'latency'] },
  'top clients with latency': { group: ['client'], measures: ['transactions', 'latency'] },
  'latency heatmap': { group: ['latency_bucket'], step: 1, measures: ['transactions'], limit: 40 },
  'names of a filter': { group: ['name'], filter: 'dns.qry.name contains "malware"', measures: ['transactions'] },
};

for (let run = 0; run < runs; run++) {
  const path = mkdtempSync(join(tmpdir(), 'nametap-bench-'));
  try {
    const { store, rows, seconds, cpuMicros } = await intoStore(path);
    const rate = rows / seconds;
    const alone = await appenderAlone(path);
    rmSync(join(path, 'alone.duckdb'));
    const began = performance.now();
    await store.compact();
    const compacted = (performance.now() - began) / 1000;
    const hot = (await store.status()).bytes / rows;
    console.log(
      `rows ${rows}  store ${Math.round(rate)} tx/s  appender alone ${Math.round(alone)} rows/s  ratio ${(rate / alone).toFixed(2)}  CPU ${cpuMicros.toFixed(1)} µs/tx, engine included`,
    );
    console.log(`compact ${compacted.toFixed(1)} s  ${hot.toFixed(1)} B/tx of all files`);
    for (const [what, query] of Object.entries(STATISTICS)) {
      console.log(`${what}: ${(await timed(() => store.statistics({ ...ALWAYS, ...query }))).toFixed(0)} ms`);
    }
    for (const filter of ['', 'dns.flags.rcode == 2', 'dns.a == 23.1.2.3']) {
      console.log(`first 100 rows of '${filter}': ${(await timed(() => first(store, filter))).toFixed(0)} ms`);
    }
    for (const text of ['www.balapicaga.com', '*.balapicaga.com', '23.1.0.0/16', '23.92.218.144']) {
      const match = passiveMatch(text);
      if (match !== undefined)
        console.log(`passive ${text}: ${(await timed(() => store.passive({ match }))).toFixed(0)} ms`);
    }
    for (const { name, rows: n, bytes } of (await store.status()).tables)
      console.log(`  ${name}: ${n} rows, ${bytes ?? '-'} bytes`);
    console.log(`RSS ${Math.round(process.memoryUsage().rss / 2 ** 20)} MB`);
    await store.close();
  } finally {
    rmSync(path, { recursive: true });
  }
}
