/** Traces read back from a real Jaeger: a request and its questions, a check and its phases, a batch over a real Kafka. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type JaegerService, start as startJaeger } from '../../scripts/services/jaeger.ts';
import { type Kafka, start as startKafka } from '../../scripts/services/kafka.ts';
import { CAPTURES } from '../store/batches.ts';
import { isThrough, nametap, ship, work } from '../integration/kafka-run.ts';
import { until } from '../until.ts';

let jaeger: JaegerService;
let kafka: Kafka;
const folder = mkdtempSync(join(tmpdir(), 'nametap-telemetry-'));
before(async () => {
  [jaeger, kafka] = await Promise.all([startJaeger(), startKafka()]);
});
after(async () => {
  await Promise.all([jaeger.stop(), kafka.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

interface Span {
  traceID: string;
  spanID: string;
  operationName: string;
  processID: string;
  references: { refType: string; spanID: string }[];
}
interface Trace {
  spans: Span[];
  processes: Record<string, { serviceName: string }>;
}

async function traces(service: string, operation: string): Promise<Trace[]> {
  const query = new URLSearchParams({ service, operation, limit: '200', lookback: '1h' });
  const { data } = (await (await fetch(`${jaeger.api}/api/traces?${query}`)).json()) as { data: Trace[] };
  return data;
}

/** The way from the root down to each span: `service operation > …`. */
function paths({ spans, processes }: Trace): string[] {
  const named = (span: Span) => `${processes[span.processID].serviceName} ${span.operationName}`;
  const wayTo = (span: Span): string => {
    const above = span.references.find(({ refType }) => refType === 'CHILD_OF');
    const parent = spans.find(({ spanID }) => spanID === above?.spanID);
    return parent === undefined ? named(span) : `${wayTo(parent)} > ${named(span)}`;
  };
  return spans.map(wayTo);
}

test('a request is a span with its questions to the store below it, and the line of the log that belongs to it says so', async () => {
  const target = createServer((_, response) => response.end('fine')).listen(0, '127.0.0.1');
  await once(target, 'listening');
  const { port } = target.address() as AddressInfo;
  const config = join(folder, 'nametap.yaml');
  writeFileSync(
    config,
    `probes: { checks: { page: { type: http, targets: ['http://127.0.0.1:${port}/'], every: 1s } } }`,
  );
  const words = [
    '--data',
    join(folder, 'serve'),
    '--listen',
    '127.0.0.1:0',
    '--capture-user',
    'root',
    '--telemetry-endpoint',
    jaeger.address,
  ];
  const serving = nametap('serve', CAPTURES[0], '--config', config, ...words);
  try {
    await until(() => /page +(http:\S+)/.test(serving.said()), 'an address', 60_000);
    const [, link] = /page +(http:\S+)/.exec(serving.said()) ?? [];
    const { origin, hash } = new URL(link);
    const headers = { authorization: `Bearer ${hash.slice('#token='.length)}` };
    const answer = await fetch(`${origin}/api/v1/statistics?from=0&to=now&measures=names`, { headers });
    assert.equal(answer.status, 200, await answer.text());
    await until(async () => (await traces('nametap', 'GET /api/v1/statistics')).length > 0, 'the request');
    const [request] = await traces('nametap', 'GET /api/v1/statistics');
    assert.ok(
      paths(request).includes('nametap GET /api/v1/statistics > nametap store statistics'),
      paths(request).join('\n'),
    );
    await until(async () => (await traces('nametap', 'probe http')).length > 0, 'the check');
    const [check] = await traces('nametap', 'probe http');
    assert.ok(
      paths(check).some((path) => path.startsWith('nametap probe http > nametap connect')),
      paths(check).join('\n'),
    );
  } finally {
    await serving.end();
    target.close();
  }
});

test('one trace goes from sensor over broker and worker to the store', async () => {
  const ends = { broker: kafka.address, topic: 'traced', data: join(folder, 'worker') };
  const telemetry = ['--telemetry-endpoint', jaeger.address];
  const worker = work(ends, ...telemetry);
  try {
    const sensor = ship({ ...ends, data: join(folder, 'sensor') }, CAPTURES, ...telemetry);
    assert.equal(await sensor.ended(), 0, sensor.said());
    await until(() => isThrough(worker), 'the worker', 30_000);
    await until(async () => (await traces('nametap-worker', 'store append')).length > 0, 'spans');
    const all = (await traces('nametap-worker', 'store append')).flatMap(paths);
    const wanted =
      'nametap-sensor sink send > nametap-sensor kafka send > nametap-worker bus take > nametap-worker store append';
    assert.ok(all.includes(wanted), all.join('\n'));
  } finally {
    await worker.end();
  }
});
