import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { Delivery } from '../../src/sinks/delivery.ts';
import type { SinkContext } from '../../src/sinks/sink.ts';
import { rows } from './numbered.ts';

const CONTEXT: SinkContext = {
  name: 'test',
  passes: () => true,
  version: '0',
  folder: '/dev/null/none',
  interfaces: [],
  registrable,
  vantage: 'client',
  exporter: null,
  notice: () => {},
};

test('the end waits no longer than told for a receiver that failed often and now says nothing', async () => {
  let attempts = 0;
  const target = {
    async send(_chunk: unknown, signal: AbortSignal): Promise<void> {
      attempts++;
      if (attempts > 6) await sleep(60_000, undefined, { signal });
      throw new Error('nobody there');
    },
    async close(): Promise<void> {},
  };
  const delivery = new Delivery(
    target,
    (writer) => (_batch, _row, ends) => {
      writer.byte(1);
      ends.push(writer.length);
      return true;
    },
    CONTEXT,
    { queue: 65_536 },
  );
  const batch = rows(0, 3);
  delivery.rows(batch, 0, batch.count);
  // Each attempt that fails doubles the pause behind it: seconds, after six.
  for (const deadline = Date.now() + 5000; attempts < 6 && Date.now() < deadline; await sleep(10)) delivery.retry();
  assert.equal(attempts, 6);
  const began = performance.now();
  await delivery.close(50);
  assert.ok(performance.now() - began < 1000, `it took ${performance.now() - began} ms`);
  assert.equal(attempts, 7);
  assert.equal(delivery.status().dropped.closed, 3);
});
