import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { observed } from '../../src/app/observed.ts';
import { serve } from '../../src/app/serve.ts';
import type { Served, ServeHooks } from '../../src/app/serve-hooks.ts';
import { spanFields } from '../../src/tracing/spans.ts';
import { until } from '../until.ts';
import { configOf, temporaryFolder } from './serving.ts';

/** A collector that keeps what it is sent: OTLP over HTTP, protobuf, by path. */
async function collector(t: TestContext) {
  const bodies = new Map<string, Buffer[]>();
  const headers: NodeJS.Dict<string | string[]>[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const whole = Buffer.concat(parts);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole;
      const path = request.url ?? '';
      bodies.set(path, [...(bodies.get(path) ?? []), body]);
      headers.push(request.headers);
      response.setHeader('content-type', 'application/x-protobuf').end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    headers,
    has: (path: string, what: string | Buffer) => (bodies.get(path) ?? []).some((body) => body.includes(what)),
  };
}

test('a request, what it asks of the store, metrics and log reach a collector, as part of the caller’s trace', async (t) => {
  const told = await collector(t);
  const abort = new AbortController();
  t.after(() => abort.abort());
  const lines: { message: string; ids: Record<string, string> }[] = [];
  const say = (_: object, message: string) => void lines.push({ message, ids: spanFields() });
  const { promise: started, resolve } = Promise.withResolvers<Served>();
  const loaded = configOf(temporaryFolder(), {
    'capture-files': 'test/captures/udp.pcap',
    'telemetry-endpoint': told.url,
    'telemetry-headers': 'x-key: secret',
    'telemetry-every': '1s',
  });
  const hooks: ServeHooks = {
    signal: abort.signal,
    version: '1.2.3',
    log: { info: say, warn: say, error: say },
    command: [],
    started: resolve,
  };
  const running = observed(loaded, 'nametap', hooks, (heard) => serve(loaded, heard));
  const { url, signIn } = await started;
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const headers = {
    authorization: `Bearer ${new URL(signIn).hash.slice('#token='.length)}`,
    traceparent: `00-${traceId}-b7ad6b7169203331-01`,
  };
  const answer = await fetch(
    `${url}/api/v1/statistics?from=2023-03-04T10:00:00Z&to=2023-03-04T11:00:00Z&measures=names`,
    {
      headers,
    },
  );
  assert.equal(answer.status, 200);
  await answer.arrayBuffer();
  await until(() => told.has('/v1/traces', Buffer.from(traceId, 'hex')), 'the trace');
  for (const name of ['GET /api/v1/statistics', 'store statistics', 'store append', 'nametap', '1.2.3']) {
    await until(() => told.has('/v1/traces', name), name);
  }
  await until(() => told.has('/v1/metrics', 'nametap_transactions_total'), 'metrics');
  assert.ok(told.has('/v1/metrics', 'nametap_response_time_seconds'));
  await until(() => told.has('/v1/logs', 'The input has ended'), 'the log');
  assert.ok(told.headers.every((one) => one['x-key'] === 'secret'));
  abort.abort();
  await running;
  // Afterwards nothing is traced any more.
  assert.deepEqual(spanFields(), {});
});

test('a collector that is not there keeps nothing from working', async () => {
  const abort = new AbortController();
  const quiet = { info: () => {}, warn: () => {}, error: () => {} };
  const loaded = configOf(temporaryFolder(), {
    'capture-files': 'test/captures/udp.pcap',
    'telemetry-endpoint': 'http://127.0.0.1:9',
  });
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  const hooks: ServeHooks = {
    signal: abort.signal,
    version: '1.2.3',
    log: quiet,
    command: [],
    started: () => {},
    inputEnded: resolve,
  };
  const running = observed(loaded, 'nametap', hooks, (heard) => serve(loaded, heard));
  assert.equal(await ended, 17);
  abort.abort();
  assert.equal((await running).stored, 17);
});
