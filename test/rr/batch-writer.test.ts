import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Carrier } from '../../src/core/carrier.ts';
import type { TransactionBatch } from '../../src/core/transactions.ts';
import { Engine } from '../../src/pipeline/engine.ts';
import { batchesOf, BatchWriter, type Exchange } from '../../src/rr/batch-writer.ts';
import { transactionValue } from '../../src/rr/transaction.ts';

const ZERO = 1_700_000_000;
const A = new Uint8Array([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);

const exchanges: Exchange[] = [
  { time: ZERO, client: '10.0.0.1', server: '10.0.0.53', name: 'a.example', latencyMs: 12.5, udpSize: 1232 },
  {
    time: ZERO + 0.002,
    client: '10.0.0.2',
    server: '10.0.0.53',
    name: 'WWW.Example.com',
    latencyMs: 0.25,
    records: { bytes: A, answers: 1, authority: 0, additional: 0 },
  },
  { time: ZERO + 0.01, client: '10.0.0.1', server: '10.0.0.53', name: 'gone.example', type: 'AAAA' },
  { time: ZERO + 0.02, client: '10.0.0.3', server: '10.0.0.53', name: 'x.example', rcode: 'NXDOMAIN', latencyMs: 40 },
  { time: ZERO + 0.03, client: '2001:db8::1', server: '2001:db8::53', name: 'f.example', rcode: 2, latencyMs: 4000 },
  {
    time: ZERO + 0.04,
    client: '10.0.0.4',
    server: '10.0.0.53',
    name: 'chain.example',
    latencyMs: 3,
    answers: [
      { name: 'chain.example', type: 'CNAME', ttl: 300, data: 'end.example.net' },
      { name: 'end.example.net', type: 'A', ttl: 20, data: '198.51.100.9' },
    ],
    udpSize: 1232,
    isDnssecOk: true,
  },
  { time: ZERO + 0.05, client: '10.0.0.5', server: '10.0.0.53', name: 'forged.example', fate: 'orphan', aa: true },
  { time: ZERO + 0.06, client: '10.0.0.6', server: '10.0.0.53', name: 'retry.example', queries: 2, lastMs: 1000 },
  {
    time: ZERO + 0.07,
    client: '10.0.0.7',
    server: '10.0.0.53',
    name: 'two.example',
    queries: 2,
    lastMs: 90,
    latencyMs: 120,
  },
  {
    time: ZERO + 0.2,
    client: '10.0.0.8',
    server: '10.0.0.53',
    name: 'large.example',
    type: 'TXT',
    tc: true,
    latencyMs: 5,
    retry: {
      time: ZERO + 0.3,
      client: '10.0.0.8',
      server: '10.0.0.53',
      name: 'large.example',
      id: 77,
      clientPort: 5000,
    },
  },
  {
    time: ZERO + 0.3,
    client: '10.0.0.8',
    server: '10.0.0.53',
    name: 'large.example',
    type: 16,
    id: 77,
    clientPort: 5000,
    transport: 'tcp',
    latencyMs: 9,
    answers: [{ name: 'large.example', type: 'TXT', ttl: 5, data: '"text"' }],
  },
  {
    time: ZERO + 0.33,
    client: '10.0.0.2',
    server: '10.0.0.53',
    name: 'www.example.com',
    id: 5,
    clientPort: 99,
    latencyMs: 1,
    isFragmented: true,
  },
  {
    time: ZERO + 0.34,
    client: '10.0.0.2',
    server: '10.0.0.53',
    name: 'www.example.com',
    id: 5,
    clientPort: 99,
    fate: 'repeated',
    records: { bytes: A, answers: 1, authority: 0, additional: 0 },
  },
  { time: ZERO + 0.35, client: '10.0.0.9', server: '10.0.0.53', name: 'cut.example', tc: true, latencyMs: 5 },
  { time: ZERO + 30, client: '10.0.0.1', server: '10.0.0.53', name: 'last.example', latencyMs: 1 },
];

test('rows are those that capturing the packets gives', () => {
  const written = batchesOf(exchanges);
  const captured = recaptured(written);
  const values = (batches: readonly TransactionBatch[]) =>
    batches.flatMap((batch) => Array.from({ length: batch.count }, (_, i) => transactionValue(batch, i)));
  assert.deepEqual(values(written), values(captured));
  assert.equal(values(written).length, exchanges.length);
  for (const column of Object.keys(written[0].col) as (keyof TransactionBatch['col'])[]) {
    const of = (batches: readonly TransactionBatch[]) =>
      batches.flatMap((b) => [...b.col[column].subarray(0, b.count)]);
    assert.deepEqual(of(written), of(captured), column);
  }
});

test('rows go out in order of closing, however many batches they fill', () => {
  const batches: TransactionBatch[] = [];
  const writer = new BatchWriter((batch) => void batches.push(batch), 64, 1 << 16);
  for (let i = 0; i < 1000; i++) {
    const latencyMs = i % 10 === 0 ? undefined : (i * 37) % 400;
    writer.add({ time: ZERO + i / 100, client: '10.0.0.1', server: '10.0.0.53', name: `n${i}.example`, latencyMs });
  }
  writer.finish();
  const closings = batches.flatMap(({ col, count }) =>
    Array.from({ length: count }, (_, i) => col.closeSeconds[i] + col.closeNanos[i] / 1e9),
  );
  assert.equal(closings.length, 1000);
  assert.deepEqual(
    closings,
    closings.toSorted((a, b) => a - b),
  );
  assert.ok(batches.length > 15);
});

test('what cannot be written is said', () => {
  const writer = new BatchWriter(() => true);
  writer.add({ time: 0, client: '10.0.0.1', server: '10.0.0.2', name: 'a..b' });
  assert.throws(() => writer.finish(), /empty label/);
});

/** The rows that the engine makes of the messages in `batches`. */
function recaptured(batches: readonly TransactionBatch[]): TransactionBatch[] {
  const carriers: Carrier[] = [];
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++) {
      const c = batch.col;
      const { query, response } = batch.frames(i);
      query.forEach((number, copy) => {
        const seconds = copy === 0 ? c.openSeconds[i] : c.lastSeconds[i];
        const nanos = copy === 0 ? c.openNanos[i] : c.lastNanos[i];
        carriers.push(carrier(batch, i, { number, seconds, nanos, isQuery: true }));
      });
      for (const number of response) {
        const at = { number, seconds: c.answerSeconds[i], nanos: c.answerNanos[i], isQuery: false };
        carriers.push(carrier(batch, i, at));
      }
    }
  }
  carriers.sort((a, b) => a.seconds - b.seconds || a.nanos - b.nanos || a.number - b.number);
  const rows: TransactionBatch[] = [];
  const engine = new Engine({}, { rows: (batch) => void rows.push(batch) });
  for (const one of carriers) engine.message(one);
  engine.finish();
  return rows;
}

function carrier(
  { col: c, arena }: TransactionBatch,
  i: number,
  at: { number: number; seconds: number; nanos: number; isQuery: boolean },
): Carrier {
  const one = new Carrier();
  one.number = at.number;
  one.seconds = at.seconds;
  one.nanos = at.nanos;
  one.family = c.family[i];
  one.transport = c.transport[i];
  const client = [c.client0[i], c.client1[i], c.client2[i], c.client3[i]];
  const server = [c.server0[i], c.server1[i], c.server2[i], c.server3[i]];
  const [source, destination] = at.isQuery ? [client, server] : [server, client];
  [one.source0, one.source1, one.source2, one.source3] = source;
  [one.destination0, one.destination1, one.destination2, one.destination3] = destination;
  one.sourcePort = at.isQuery ? c.clientPort[i] : c.serverPort[i];
  one.destinationPort = at.isQuery ? c.serverPort[i] : c.clientPort[i];
  one.bytes = arena;
  one.at = at.isQuery ? c.queryAt[i] : c.responseAt[i];
  one.fragmented = !at.isQuery && c.fragmented[i] === 1;
  one.length = one.claimedLength = at.isQuery ? c.queryLength[i] : c.responseLength[i];
  return one;
}
