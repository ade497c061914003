/**
 * How fast does a store of many transactions answer, at rest and while 20,000 a second come in?
 *
 *   npm run bench -- filled [ROWS] [FOLDER]
 *
 * The benchmark's capture goes in again and again, stretched so that a day holds 2 million transactions, until now. A
 * FOLDER is kept, and only asked the next time.
 */
import { AlertBook } from '../src/alerts/book.ts';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { LiveTail } from '../src/app/live-tail.ts';
import { runInline } from '../src/app/run.ts';
import { TransactionBatch } from '../src/core/transactions.ts';
import { Api } from '../src/server/api.ts';
import { overviewOf } from '../src/server/overview.ts';
import { openStore } from '../src/store/open.ts';
import { passiveMatch } from '../src/store/passive-match.ts';
import type { Store } from '../src/store/store.ts';
import { traffic } from './measure.ts';

const rows = Number(process.argv[2] ?? 10_000_000);
const folder = process.argv[3] ?? mkdtempSync(join(tmpdir(), 'nametap-filled-'));
const ROUND = 1_000_000;
const HOUR_MS = 3_600_000;
const ROUND_MS = 12 * HOUR_MS;
const LIVE_RATE = 20_000;
const QUESTIONS = 5;

/** Moves a row to a second; fractions of it stay. */
function stamp(batch: TransactionBatch, i: number, seconds: number): void {
  const { openSeconds, lastSeconds, answerSeconds, responses } = batch.col;
  const later = Math.floor(seconds) - openSeconds[i];
  openSeconds[i] += later;
  lastSeconds[i] += later;
  if (responses[i] > 0) answerSeconds[i] += later;
}

/** The capture once, its rows spread evenly over [from, to) ms. */
async function round(store: Store, number: number, from: number, to: number): Promise<void> {
  let pending: TransactionBatch[] = [];
  let before = 0;
  const put = async () => {
    const list = pending;
    pending = [];
    for (const batch of list) {
      const { idHigh } = batch.col;
      for (let i = 0; i < batch.count; i++) {
        const part = Math.min(1, Math.max(0, (before + i) / ROUND));
        idHigh[i] = (idHigh[i] ^ Math.imul(number + 1, 0x9e37_79b1)) >>> 0;
        stamp(batch, i, (from + part * (to - from)) / 1000);
      }
      before += batch.count;
      await store.append(batch, { sensor: 'bench' }, true);
    }
  };
  await runInline(
    { input: { kind: 'files', paths: [traffic(ROUND)] }, threads: 0 },
    { signal: new AbortController().signal, ready: put },
    { rows: (batch) => void pending.push(batch) },
  );
  await put();
}

async function fill(store: Store): Promise<void> {
  const rounds = Math.ceil(rows / ROUND);
  const end = Date.now();
  const began = performance.now();
  for (let k = 0; k < rounds; k++) {
    const from = end - (rounds - k) * ROUND_MS;
    await round(store, k, from, from + ROUND_MS);
    if ((k + 1) % 5 === 0) {
      const rate = ((k + 1) * ROUND) / ((performance.now() - began) / 1000);
      console.log(`${k + 1} million, ${Math.round(rate)} transactions/s, RSS ${rss()} MB`);
    }
  }
  await store.flush();
  await store.compact();
}

function rss(): number {
  return Math.round(process.memoryUsage.rss() / 2 ** 20);
}

/** Rows of the capture as if they came now, `LIVE_RATE` a second, until stopped. */
async function live(store: Store, batches: readonly ArrayBuffer[], signal: AbortSignal): Promise<number> {
  let sent = 0;
  const began = performance.now();
  for (let k = 0; !signal.aborted; k++) {
    const batch = TransactionBatch.from(batches[k % batches.length].slice(0));
    const now = Date.now() / 1000;
    for (let i = 0; i < batch.count; i++) {
      batch.col.idHigh[i] = Math.imul(k + 1, 0x85eb_ca6b) >>> 0;
      stamp(batch, i, now);
    }
    sent += batch.count;
    await store.append(batch, { sensor: 'bench' }, true);
    await setTimeout(Math.max(0, (sent / LIVE_RATE) * 1000 - (performance.now() - began)));
  }
  return sent / ((performance.now() - began) / 1000);
}

async function someBatches(): Promise<ArrayBuffer[]> {
  const kept: ArrayBuffer[] = [];
  const enough = new AbortController();
  await runInline(
    { input: { kind: 'files', paths: [traffic(100_000)] }, threads: 0 },
    { signal: enough.signal },
    {
      rows: (batch) => {
        if (batch.count > 1000 && kept.length < 8) kept.push(batch.buffer.slice(0));
      },
    },
  );
  return kept;
}

/** Median and most of the times in ms, and the least processor time: the one that says something on a busy machine. */
async function timed(what: string, run: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  let cpu = Number.POSITIVE_INFINITY;
  for (let i = 0; i < QUESTIONS; i++) {
    const began = performance.now();
    const before = process.cpuUsage();
    await run();
    times.push(performance.now() - began);
    cpu = Math.min(cpu, cpuSince(before));
  }
  times.sort((a, b) => a - b);
  const [median, most] = [times[times.length >> 1], times[times.length - 1]];
  console.log(`  ${what}: ${median.toFixed(0)} ms (at most ${most.toFixed(0)}; CPU ${cpu.toFixed(0)} ms)`);
}

/** ms of all threads. */
function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Answers of the first screen, each as the first one who asks gets it. */
async function firstScreen(store: Store, hours: number): Promise<void> {
  const api = new Api({
    version: '0',
    options: {
      address: '127.0.0.1',
      port: 0,
      hosts: [],
      token: null,
      users: [],
      tls: null,
      metrics: 'loopback',
      sessionHours: 1,
    },
    store,
    live: new LiveTail('bench'),
    log: { info: () => {}, warn: () => {}, error: () => {} },
    privacy: { level: 0, names: 'full', text: '' },
    demo: null,
    packets: null,
    page: null,
    configuration: () => ({ file: null, value: {} }),
    sensors: () => [],
    blocks: null,
    baselines: null,
    probes: null,
    traces: null,
    alerts: new AlertBook(),
    outputs: () => [],
    tables: () => [],
    sinks: () => [],
    checks: () => [],
    decode: () => [],
    registrableDomain: () => null,
    now: Date.now,
  });
  const to = Date.now();
  await overviewOf(api, { from: to - hours * HOUR_MS, to }, undefined);
  await api.close();
}

interface Found {
  first: number;
  done: number;
  rows: number;
}

async function explore(store: Store, filter: string): Promise<Found> {
  const began = performance.now();
  let first = 0;
  let found = 0;
  for await (const page of store.transactions({ from: 0, to: 4e12, filter, limit: 100 })) {
    if (first === 0) first = performance.now() - began;
    found += page.rows.length;
    if (page.done) break;
  }
  return { first, done: performance.now() - began, rows: found };
}

async function ask(store: Store): Promise<void> {
  for (const hours of [1, 24, 7 * 24]) await timed(`first screen, last ${hours} h`, () => firstScreen(store, hours));
  for (const text of ['www.balapicaga.com', '*.balapicaga.com', '23.1.0.0/16', '23.92.218.144']) {
    const match = passiveMatch(text);
    if (match !== undefined) await timed(`passive DNS ${text}`, () => store.passive({ match }));
  }
  const filters = [
    '',
    'dns.flags.rcode == 2',
    'dns.qry.name == "www.balapicaga.com"',
    'dns.qry.name contains "balapicaga"',
    'dns.a == 23.92.218.144',
    'dns.qry.name == "not.there.example"',
  ];
  for (const filter of filters) {
    const before = process.cpuUsage();
    const { first, done, rows: n } = await explore(store, filter);
    const cpu = cpuSince(before).toFixed(0);
    console.log(
      `  first 100 of '${filter}': progress ${first.toFixed(0)} ms, ${n} rows in ${done.toFixed(0)} ms (CPU ${cpu} ms), RSS ${rss()} MB`,
    );
  }
}

mkdirSync(folder, { recursive: true });
const isFilled = existsSync(join(folder, 'filled')) && readFileSync(join(folder, 'filled'), 'utf8') === String(rows);
const store = await openStore({ path: join(folder, 'store') });
try {
  if (!isFilled) {
    await fill(store);
    writeFileSync(join(folder, 'filled'), String(rows));
  }
  const { bytes, tables } = await store.status();
  const n = tables.filter(({ name }) => name.startsWith('transactions')).reduce((sum, table) => sum + table.rows, 0);
  console.log(`${n} transactions, ${(bytes / n).toFixed(1)} bytes each, RSS ${rss()} MB`);
  for (const table of tables) console.log(`  ${table.name}: ${table.rows} rows`);
  console.log('at rest:');
  await ask(store);
  const stop = new AbortController();
  const coming = live(store, await someBatches(), stop.signal);
  await setTimeout(20_000);
  console.log(`while ${LIVE_RATE} a second come in:`);
  await ask(store);
  stop.abort();
  console.log(`came in: ${Math.round(await coming)} a second; RSS ${rss()} MB`);
} finally {
  await store.close();
  if (process.argv[3] === undefined) rmSync(folder, { recursive: true });
}
