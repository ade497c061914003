import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlertBook } from '../../src/alerts/book.ts';
import { openBlocking } from '../../src/app/blocking.ts';
import { loadConfig } from '../../src/app/config.ts';
import { decodeMessage } from '../../src/app/decode.ts';
import { LiveTail } from '../../src/app/live-tail.ts';
import { runInline } from '../../src/app/run.ts';
import { Carrier } from '../../src/core/carrier.ts';
import { Ledger } from '../../src/core/ledger.ts';
import type { TransactionBatch } from '../../src/core/transactions.ts';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { Engine } from '../../src/pipeline/engine.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import { type NametapServer, startServer } from '../../src/server/app.ts';
import type { Listening } from '../../src/server/listen.ts';
import { say } from '../../src/server/said.ts';
import type { SensorReading, ServerServices } from '../../src/server/services.ts';
import { parseIpv4 } from '../../src/wire/field.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

export const TOKEN = 'token-only-for-tests';
type EncodeInput = Parameters<typeof encodeMessage>[0];

/** A query and its answer, as they are seen on the wire. */
export interface Exchange {
  /** Milliseconds since 1970. */
  time: number;
  client: string;
  server?: string;
  name: string;
  type?: string;
  /** Absent: nobody answers. */
  answer?: Partial<EncodeInput>;
  latencyMs?: number;
}

/** Rows of exchanges, made by the engine from messages. */
export function rowsOf(exchanges: readonly Exchange[]): TransactionBatch[] {
  const batches: TransactionBatch[] = [];
  const engine = new Engine({}, { rows: (batch) => void batches.push(batch) });
  const messages: { at: number; from: string; to: string; fromPort: number; toPort: number; bytes: Uint8Array }[] = [];
  exchanges.forEach(({ time, client, server = '192.0.2.53', name, type = 'A', answer, latencyMs = 10 }, i) => {
    const questions = [{ name, type }];
    const id = i & 0xffff;
    const port = 20_000 + (i % 40_000);
    const query = encodeMessage({ id, flags: ['rd'], questions });
    messages.push({ at: time, from: client, to: server, fromPort: port, toPort: 53, bytes: query });
    if (answer === undefined) return;
    const bytes = encodeMessage({ id, flags: ['qr', 'rd', 'ra'], questions, ...answer });
    messages.push({ at: time + latencyMs, from: server, to: client, fromPort: 53, toPort: port, bytes });
  });
  messages.sort((a, b) => a.at - b.at);
  messages.forEach(({ at, from, to, fromPort, toPort, bytes }, i) => {
    const carrier = new Carrier();
    carrier.number = i + 1;
    carrier.seconds = Math.floor(at / 1000);
    carrier.nanos = Math.round((at % 1000) * 1e6);
    carrier.source3 = addressWord(from);
    carrier.destination3 = addressWord(to);
    carrier.sourcePort = fromPort;
    carrier.destinationPort = toPort;
    carrier.bytes = bytes;
    carrier.length = carrier.claimedLength = bytes.length;
    engine.message(carrier);
  });
  engine.finish();
  return batches;
}

function addressWord(text: string): number {
  const [a, b, c, d] = parseIpv4(text);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
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

/** A real server on a free port over a real store in a temporary folder. */
export async function fixture(more: Partial<ServerServices> = {}): Promise<Fixture> {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-server-'));
  const store = await openStore({ path: join(folder, 'store'), flushMs: 50 });
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
    alerts: new AlertBook({ records: store.records }),
    outputs: () => [],
    sinks: () => [{ name: 'ndjson', written: 5, failed: 0, dropped: 0, queue: 0 }],
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
    uptimeSeconds: 1,
    running: true,
  };
}
