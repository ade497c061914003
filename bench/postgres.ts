/**
 * How fast do transactions get into PostgreSQL, and how long do the page's questions take there?
 *
 *   npm run bench -- postgres [FILE] [ROWS]
 *
 * A server of its own is started. The rows of the capture are handed over again and again, an hour later each time, until there are
 * ROWS of them; rollups, passive DNS and all indexes are written with them.
 */
import { runInline } from '../src/app/run.ts';
import { TransactionBatch } from '../src/core/transactions.ts';
import { openStore } from '../src/store/open.ts';
import { passiveMatch } from '../src/store/passive-match.ts';
import type { StatisticsQuery, Store } from '../src/store/store.ts';
import { start } from '../scripts/services/postgres.ts';
import { traffic } from './measure.ts';

const capture = process.argv[2] ?? traffic(1_000_000);
const most = Number(process.argv[3] ?? 5_000_000);
const HOUR_S = 3600;
const RUNS = 3;

async function batchesOf(path: string): Promise<TransactionBatch[]> {
  const batches: TransactionBatch[] = [];
  await runInline(
    { input: { kind: 'files', paths: [path] }, threads: 0 },
    { signal: new AbortController().signal },
    { rows: (batch) => void batches.push(batch) },
  );
  return batches;
}

/** Hands the rows over until there are enough; how many there are. */
async function fill(store: Store, batches: readonly TransactionBatch[]): Promise<number> {
  let rows = 0;
  for (let later = 0; rows < most; later += HOUR_S) {
    for (const batch of batches) {
      const copy = TransactionBatch.from(batch.buffer.slice(0));
      const { openSeconds, lastSeconds, answerSeconds, idHigh } = copy.col;
      for (const times of [openSeconds, lastSeconds, answerSeconds]) {
        for (let i = 0; i < copy.count; i++) times[i] += later;
      }
      for (let i = 0; i < copy.count; i++) idHigh[i] ^= later;
      rows += copy.count;
      await store.append(copy, { sensor: 'bench' }, true);
    }
  }
  await store.flush();
  return rows;
}

async function median(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < RUNS; n++) {
    const began = performance.now();
    await run();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[RUNS >> 1];
}

const service = await start();
try {
  const batches = await batchesOf(capture);
  const store = await openStore({
    engine: 'postgres',
    path: null,
    postgres: { url: service.url(), slowMs: 0 },
  });
  const began = performance.now();
  const before = process.cpuUsage();
  const serverBefore = service.primary.cpuSeconds();
  const rows = await fill(store, batches);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  const server = service.primary.cpuSeconds() - serverBefore;
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const { bytes } = await store.status();
  say(
    `${rows} transactions in ${seconds.toFixed(1)} s: ${Math.round(rows / seconds / 1000)} k/s; ${((user + system) / rows).toFixed(2)} µs of nametap's and ${((server * 1e6) / rows).toFixed(2)} µs of PostgreSQL's CPU each, ${(bytes / rows).toFixed(0)} octets each with indexes`,
  );
  const compacting = performance.now();
  await store.compact();
  say(`compact (keys of hours, passive DNS): ${((performance.now() - compacting) / 1000).toFixed(1)} s`);
  const { oldest, newest } = await store.status();
  const [from, to] = [oldest ?? 0, (newest ?? 0) + 1];
  const [one] = (await store.statistics({ from, to, group: ['client'], measures: ['transactions'], limit: 1 })).rows;
  const statistics: Record<string, Omit<StatisticsQuery, 'from' | 'to'>> = {
    'queries over time': { step: 60, measures: ['transactions', 'nxdomain', 'servfail'] },
    'tiles with percentiles and distinct counts': {
      measures: ['transactions', 'latency', 'clients', 'names', 'domains'],
    },
    types: { group: ['type'], measures: ['transactions', 'latency'], limit: 20 },
    'top domains': { group: ['domain'], measures: ['transactions'], limit: 20 },
    'top clients': { group: ['client'], measures: ['transactions', 'latency'], limit: 20 },
    'heatmap of latency': { group: ['latency_bucket'], step: 600, measures: ['transactions'], limit: 100 },
    'a filter over everything': { filter: 'dns.flags.rcode == 3', measures: ['transactions'] },
    'a client over time': { filter: `ip.src == ${one?.client ?? '10.0.0.1'}`, step: 600, measures: ['transactions'] },
  };
  for (const [name, question] of Object.entries(statistics)) {
    say(`${name}: ${(await median(() => store.statistics({ ...question, from, to }))).toFixed(0)} ms`);
  }
  const page = async (filter?: string) => {
    for await (const { done } of store.transactions({ from, to, limit: 100, ...(filter !== undefined && { filter }) }))
      if (done) return;
  };
  say(`newest 100: ${(await median(() => page())).toFixed(0)} ms`);
  say(`newest 100 of a client: ${(await median(() => page(`ip.src == ${one?.client ?? '10.0.0.1'}`))).toFixed(0)} ms`);
  let id = '';
  for await (const { rows: found } of store.transactions({ from, to, limit: 1 })) id = found[0]?.transaction ?? id;
  say(`one by its id: ${(await median(() => store.transaction(id))).toFixed(0)} ms`);
  const match = passiveMatch('*.com');
  if (match !== undefined)
    say(`passive DNS below com: ${(await median(() => store.passive({ match }))).toFixed(0)} ms`);
  await store.close();
} finally {
  await service.stop();
}
