/**
 * How fast do transactions get into ClickHouse, how many bytes do they take, and how long do panels? DuckDB beside it.
 *
 *   npm run bench -- clickhouse [FILE] [COPIES]
 *
 * Rows of the capture are kept in memory and written COPIES times, an hour later each time: the engine that reads packets
 * is not measured. ClickHouse is the engine of npm's chdb behind HTTP on the same machine (`scripts/services/clickhouse.ts`).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '../scripts/services/clickhouse.ts';
import { runInline } from '../src/app/run.ts';
import { TransactionBatch } from '../src/core/transactions.ts';
import { openStore } from '../src/store/open.ts';
import { passiveMatch } from '../src/store/passive-match.ts';
import type { StatisticsQuery, Store } from '../src/store/store.ts';
import { traffic } from './measure.ts';

const capture = process.argv[2] ?? traffic(1_000_000);
const copies = Number(process.argv[3] ?? 1);
const HOUR = 3_600_000;
const QUESTIONS = 5;

const batches: TransactionBatch[] = [];
await runInline(
  { input: { kind: 'files', paths: [capture] }, threads: 0 },
  { signal: new AbortController().signal },
  { rows: (batch) => void batches.push(TransactionBatch.copyOf(batch)) },
);
const rows = batches.reduce((sum, { count }) => sum + count, 0);
const begin = batches[0].col.openSeconds[0] * 1000;
const range = { from: begin - (begin % HOUR) - HOUR, to: begin + (copies + 2) * HOUR };

/** Writes all rows, copy after copy; rows a second. */
async function write(store: Store): Promise<number> {
  const began = performance.now();
  for (let copy = 0; copy < copies; copy++) {
    for (const from of batches) {
      const batch = TransactionBatch.from(from.buffer.slice(0));
      const { openSeconds, lastSeconds, answerSeconds, idHigh } = batch.col;
      for (let i = 0; i < batch.count; i++) {
        openSeconds[i] += copy * 3600;
        lastSeconds[i] += copy * 3600;
        if (answerSeconds[i] > 0) answerSeconds[i] += copy * 3600;
        idHigh[i] = (idHigh[i] + copy * 0x9e37_79b1) >>> 0;
      }
      await store.append(batch, { sensor: 'bench' }, true);
    }
  }
  await store.flush();
  return (rows * copies) / ((performance.now() - began) / 1000);
}

const PANELS: Record<string, Omit<StatisticsQuery, 'from' | 'to'>> = {
  'all measures of the range': {
    measures: ['transactions', 'nxdomain', 'unanswered', 'latency', 'size', 'ttl', 'clients', 'names'],
  },
  'series by minute': { step: 60, measures: ['transactions', 'nxdomain', 'servfail'] },
  'series by type': { step: 60, group: ['type'], measures: ['transactions'] },
  'top domains with latency': { group: ['domain'], measures: ['transactions', 'latency'] },
  'top clients with latency': { group: ['client'], measures: ['transactions', 'latency'] },
  'latency heatmap': { group: ['latency_bucket'], step: 60, measures: ['transactions'], limit: 50 },
  'top names of a filter': { group: ['name'], filter: 'dns.flags.rcode == 3', measures: ['transactions', 'clients'] },
  'names that hold a text': {
    group: ['name'],
    filter: 'dns.qry.name contains "malware"',
    measures: ['transactions'],
  },
};

async function median(run: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < QUESTIONS; i++) {
    const began = performance.now();
    await run();
    times.push(performance.now() - began);
  }
  return `${Math.round(times.sort((a, b) => a - b)[times.length >> 1])} ms`;
}

async function first(store: Store, filter: string): Promise<void> {
  for await (const page of store.transactions({ ...range, filter, limit: 100 })) if (page.done) return;
}

/** What a page asks, on a store that is full. */
async function ask(store: Store): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, query] of Object.entries(PANELS)) {
    found[name] = await median(() => store.statistics({ ...range, ...query }));
  }
  for (const filter of ['', 'dns.flags.rcode == 2', 'dns.a == 23.1.2.3']) {
    found[`first 100 rows of '${filter}'`] = await median(() => first(store, filter));
  }
  for (const text of ['www.balapicaga.com', '*.balapicaga.com', '23.1.0.0/16']) {
    const match = passiveMatch(text);
    if (match !== undefined) found[`passive ${text}`] = await median(() => store.passive({ match }));
  }
  return found;
}

const folder = mkdtempSync(join(tmpdir(), 'nametap-bench-'));
const service = await start({ folder: join(folder, 'engine') });
const clickhouse = { url: service.address, user: 'default', database: 'nametap' };
const results: Record<string, Record<string, string>> = {};
try {
  for (const engine of ['clickhouse', 'duckdb'] as const) {
    const store = await openStore({ engine, path: join(folder, engine), clickhouse });
    const rate = await write(store);
    await store.compact();
    const { bytes, tables } = await store.status();
    const all = rows * copies;
    results[engine] = {
      rows: String(all),
      'rows a second': String(Math.round(rate)),
      'bytes a row, all tables': (bytes / all).toFixed(1),
      ...(await ask(store)),
    };
    console.log(engine);
    for (const table of tables) {
      console.log(
        `  ${table.name}: ${table.rows} rows, ${table.bytes === null ? '-' : (table.bytes / all).toFixed(2)} B/tx`,
      );
    }
    await store.close();
  }
  for (const name of Object.keys(results.clickhouse)) {
    console.log(
      `${name.padEnd(40)} ClickHouse ${results.clickhouse[name].padStart(10)}   DuckDB ${results.duckdb[name].padStart(10)}`,
    );
  }
} finally {
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
}
