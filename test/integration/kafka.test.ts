import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Kafka, start } from '../../scripts/services/kafka.ts';
import { runInline } from '../../src/app/run.ts';
import { rowFilter } from '../../src/filter/row.ts';
import { CAPTURES } from '../store/batches.ts';
import { counted, isThrough, metric, nametap, ship, until, work } from './kafka-run.ts';

let kafka: Kafka;
const folder = mkdtempSync(join(tmpdir(), 'nametap-kafka-test-'));
const capture = join(folder, 'capture.pcap');

before(async () => {
  const generating = nametap('generate', '--clients', '12', '-w', capture);
  kafka = await start();
  assert.equal(await generating.ended(), 0, generating.said());
});
after(async () => {
  await kafka.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Transactions of files, and of these those that pass a filter, counted without any bus. */
async function expected(paths: string[], filter: string): Promise<{ all: number; passing: number }> {
  const passes = rowFilter(filter, []);
  let all = 0;
  let passing = 0;
  await runInline(
    { input: { kind: 'files', paths }, threads: 0 },
    { signal: new AbortController().signal },
    {
      rows: (batch) => {
        all += batch.count;
        for (let i = 0; i < batch.count; i++) if (passes(batch, i)) passing++;
      },
    },
  );
  return { all, passing };
}

test('a capture goes from sensor to broker to worker to store, whole and once', { timeout: 90_000 }, async () => {
  const ends = { broker: kafka.address, topic: 'whole', data: join(folder, 'whole') };
  const files = [capture, ...CAPTURES];
  const filter = 'dns.flags.rcode == 3';
  const { all, passing } = await expected(files, filter);
  assert.ok(all > 20_000 && passing > 50, `${all} transactions, ${passing} of them NXDOMAIN`);
  let worker = work(ends);
  const sensor = { ...ends, data: join(folder, 'sensor') };
  const first = ship(sensor, files);
  // One is killed while it works; the next one goes on.
  await until(
    'rows come',
    async () => (await metric(worker, 'nametap_bus_transactions_total')) > 0,
    40_000,
    worker,
    first,
  );
  assert.equal(await worker.end('SIGKILL'), null);
  assert.equal(await first.ended(), 0, first.said());
  worker = work(ends);
  await until('all is read', () => isThrough(worker), 30_000, worker);
  // Sent again, all of it is known.
  const second = ship(sensor, files);
  assert.equal(await second.ended(), 0, second.said());
  const known = async () => (await metric(worker, 'nametap_bus_repeated_total')) === all;
  await until('what came twice is known', known, 20_000, worker);
  assert.equal(await worker.end(), 0, worker.said());
  assert.equal((await counted(ends.data)).transactions, all);
  assert.equal((await counted(ends.data, filter)).transactions, passing);
});
