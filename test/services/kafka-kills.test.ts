import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from '../../scripts/services/kafka.ts';
import { runInline } from '../../src/app/run.ts';
import { counted, endAll, isThrough, metric, nametap, ship, until, work } from '../integration/kafka-run.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 21);
const VICTIMS = ['broker', 'worker', 'sensor'] as const;

test('kills of broker, worker and sensor at any moment cost and double nothing', { timeout: 590_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-kafka-kills-'));
  const capture = join(folder, 'capture.pcap');
  const generating = nametap('generate', '--clients', '6', '-w', capture);
  const kafka = await start();
  assert.equal(await generating.ended(), 0, generating.said());
  let rows = 0;
  await runInline(
    { input: { kind: 'files', paths: [capture] }, threads: 0 },
    { signal: new AbortController().signal },
    { rows: ({ count }) => void (rows += count) },
  );
  const ends = { broker: kafka.address, topic: 'kills', data: join(folder, 'worker') };
  const sensor = { ...ends, data: join(folder, 'sensor') };
  let worker = work(ends);
  t.after(async () => {
    await endAll();
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  for (let round = 0; round < ROUNDS; round++) {
    // Each round is a sensor of its own: what it sends is not known yet.
    const words = ['--sensor', `sensor-${round}`, '--kafka-spool-size', '64MiB'];
    const sending = ship(sensor, [capture], ...words);
    const victim = VICTIMS[round % VICTIMS.length];
    await sleep(600 + Math.random() * 2500);
    if (victim === 'broker') {
      await kafka.kill();
      await sleep(Math.random() * 1000);
      await kafka.restart();
    } else if (victim === 'worker') {
      await worker.end('SIGKILL');
      worker = work(ends);
    } else await sending.end('SIGKILL');
    let code = await sending.ended();
    // Whoever was killed is started again, as a supervisor would.
    while (code !== 0) {
      const again = ship(sensor, [capture], ...words);
      code = await again.ended();
      assert.equal(code, 0, again.said());
    }
    t.diagnostic(`round ${round}: ${victim} killed`);
  }
  await until('all is read', () => isThrough(worker), 120_000, worker);
  assert.ok((await metric(worker, 'nametap_bus_missing_batches_total')) === 0, 'no batch is missing');
  assert.equal(await worker.end(), 0, worker.said());
  assert.equal((await counted(ends.data)).transactions, ROUNDS * rows);
});
