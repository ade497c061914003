import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlertBook } from '../../src/alerts/book.ts';
import { openBlocking } from '../../src/app/blocking.ts';
import { loadConfig } from '../../src/app/config.ts';
import { decodeMessage } from '../../src/app/decode.ts';
import { LiveTail } from '../../src/app/live-tail.ts';
import { runInline } from '../../src/app/run.ts';
import { Ledger } from '../../src/core/ledger.ts';
import type { TransactionBatch } from '../../src/core/transactions.ts';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { batchesOf, type Exchange as Written } from '../../src/rr/batch-writer.ts';
import { type NametapServer, startServer } from '../../src/server/app.ts';
import type { Listening } from '../../src/server/listen.ts';
import { say } from '../../src/server/said.ts';
import type { SensorReading, ServerServices } from '../../src/server/services.ts';
import { NO_STATUS } from '../../src/sinks/sink.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store, StoreOptions } from '../../src/store/store.ts';

export const TOKEN = 'token-only-for-tests';

/** A query and its answer, as they are seen on the wire. */
export interface Exchange {
  /** Milliseconds since 1970. */
  time: number;
  client: string;
  server?: string;
  name: string;
  type?: string;
  /** Absent: nobody answers. */
  answer?: Pick<Written, 'rcode' | 'answers'>;
  latencyMs?: number;
}

/** Rows of exchanges, as capturing their packets would give them. */
export function rowsOf(exchanges: readonly Exchange[]): TransactionBatch[] {
  return batchesOf(
    exchanges.map(({ time, server = '192.0.2.53', answer, latencyMs = 10, ...asked }) => ({
      ...asked,
      server,
      time: Math.floor(time / 1000),
      nanos: Math.round((time % 1000) * 1e6),
      ...(answer !== undefined && { ...answer, latencyMs }),
    })),
  );
}

export interface Fixture {
  server: NametapServer & Listening;
  services: ServerServices;
  store: Store;
  live: LiveTail;
  /** What was logged. */
  logged: { level: string; fields: object; message: string }[];
  /** Keeps rows, and shows them to live tails. */
  add(batches: readonly TransactionBatch[]): Promise<void>;
  addCapture(path: string): Promise<void>;
  /** A request with the token. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  send(method: string, path: string, body?: unknown): Promise<Response>;
  json(path: string): Promise<unknown>;
  close(): Promise<void>;
}

/** A real server on a free port over a real store in a temporary folder; `on`: another store than the embedded one. */
export async function fixture(
  more: Partial<ServerServices> = {},
  on: Omit<StoreOptions, 'path'> = {},
): Promise<Fixture> {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-server-'));
  const store = await openStore({ path: join(folder, 'store'), flushMs: 50, ...on });
  const live = new LiveTail('sensor-1');
  const logged: Fixture['logged'] = [];
  const log = (level: string) => (fields: object, message: string) => void logged.push({ level, fields, message });
  const blocking = await openBlocking({
    config: loadConfig({ flags: { data: folder }, environment: {} }).config,
    store,
    path: join(folder, 'blocks.ndjson'),
    version: '0.0.0',
    log: { info: log('info'), warn: log('warn'), error: log('error') },
  });
  const ledger = new Ledger();
  let rows = 0;
  const services: ServerServices = {
    version: '0.0.0',
    options: {
      address: '127.0.0.1',
      port: 0,
      hosts: ['dns.example.net'],
      token: { value: TOKEN, chosen: false },
      users: [],
      tls: null,
      metrics: 'loopback',
      sessionHours: 12,
    },
    store,
    live,
    log: { info: log('info'), warn: log('warn'), error: log('error') },
    privacy: { level: 0, names: 'full', text: 'Whole addresses.' },
    demo: null,
    packets: null,
    page: null,
    configuration: () => ({ file: null, value: { server: { token: '***' } } }),
    sensors: () => [reading(ledger, rows)],
    blocks: blocking.policy,
    baselines: null,
    probes: null,
    traces: null,
    alerts: new AlertBook({ records: store.records }),
    outputs: () => [],
    tables: () => [{ name: 'alerts', used: 5, limit: 1000, evicted: 2 }],
    sinks: () => [{ name: 'ndjson', ...NO_STATUS, written: 5, dropped: 0, causes: {}, spool: null }],
    checks: () => [{ name: 'capture', ok: true, detail: 'open' }],
    decode: decodeMessage,
    registrableDomain: (name) => registrable(name).domain,
    now: Date.now,
    ...more,
  };
  const server = await startServer(services);
  const headers = { authorization: `Bearer ${TOKEN}` };
  const get: Fixture['get'] = (path, own = {}) => fetch(server.url + path, { headers: { ...headers, ...own } });
  const add: Fixture['add'] = async (batches) => {
    for (const batch of batches) {
      rows += batch.count;
      live.rows(batch, 0, batch.count);
      await store.append(batch, { sensor: 'sensor-1' }, true);
    }
    await store.flush();
  };
  return {
    server,
    services,
    store,
    live,
    logged,
    add,
    addCapture: async (path) => {
      const batches: TransactionBatch[] = [];
      const plan = { input: { kind: 'files' as const, paths: [path] }, threads: 0 };
      const { signal } = new AbortController();
      const counted = await runInline(plan, { signal }, { rows: (batch) => void batches.push(batch) });
      ledger.add(counted.ledger);
      await add(batches);
    },
    get,
    send: (method, path, body) =>
      fetch(server.url + path, {
        method,
        headers: { ...headers, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      }),
    json: async (path) => {
      const response = await get(path);
      const text = await response.text();
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    close: async () => {
      await server.close();
      await blocking.policy.close();
      // What is not kept yet would be tried again for ever.
      await services.alerts.flush();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function reading(ledger: Ledger, transactions: number): SensorReading {
  return {
    name: 'sensor-1',
    source: say('source.live'),
    interface: 'eth0',
    privacy: { level: 0, names: 'full', text: 'Whole addresses.' },
    ledger,
    transactions,
    stages: [{ stage: 'store', unit: 'transactions', in: transactions, out: transactions, lost: {} }],
    rate: 0,
    framesRate: 0,
    lagSeconds: 0,
    ring: 0.1,
    openTransactions: 0,
    oneIn: 1,
    uptimeSeconds: 1,
    running: true,
  };
}
