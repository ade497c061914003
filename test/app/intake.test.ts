import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Intake, type IntakeOptions } from '../../src/app/intake.ts';
import { runRows } from '../../src/app/run.ts';
import { noteOwnSocket } from '../../src/client/own-traffic.ts';
import type { EncryptedFlow } from '../../src/core/encrypted-flow.ts';
import { idText, TransactionBatch } from '../../src/core/transactions.ts';
import { Privacy } from '../../src/enrich/privacy.ts';

const DEMO = fileURLToPath(new URL('../../assets/demo.pcap.gz', import.meta.url));
const { signal } = new AbortController();

/** A store that keeps the ids and clients of what it takes, as slowly as told. */
class Shelf {
  readonly ids: string[] = [];
  readonly clients = new Set<number>();
  most = 0;
  refuses = false;
  fails = false;
  #inside = 0;

  async append(batch: TransactionBatch): Promise<boolean> {
    if (this.refuses) return false;
    if (this.fails) throw new Error('the disk is gone');
    this.most = Math.max(this.most, ++this.#inside);
    await sleep(1);
    this.#inside--;
    const { idHigh, idLow, client3 } = batch.col;
    for (let i = 0; i < batch.count; i++) {
      this.ids.push(idText(idHigh[i], idLow[i]));
      this.clients.add(client3[i]);
    }
    return true;
  }
}

async function run(
  shelf: Shelf,
  more: Partial<IntakeOptions> = {},
  paths = false,
): Promise<[Intake, string[], unknown[]]> {
  const seen: string[] = [];
  const errors: unknown[] = [];
  const tail = {
    rows(batch: TransactionBatch, from: number, to: number): void {
      for (let i = from; i < to; i++) seen.push(idText(batch.col.idHigh[i], batch.col.idLow[i]));
    },
  };
  const intake = new Intake({
    store: shelf,
    origin: {},
    privacy: null,
    takers: [tail],
    waits: true,
    failed: (error) => errors.push(error),
    ...more,
  });
  const plan = { input: { kind: 'files' as const, paths: [DEMO] }, threads: 0, paths };
  const { ledger } = await runRows(plan, { signal, ready: () => intake.ready() }, (...rows) => intake.rows(...rows));
  await intake.settle();
  assert.deepEqual(ledger.imbalance(), []);
  return [intake, seen, errors];
}

test('every row reaches the tail and the store, once and in order, with and without path linking', async () => {
  for (const paths of [false, true]) {
    const shelf = new Shelf();
    const [intake, seen] = await run(shelf, {}, paths);
    assert.equal(seen.length, 999);
    assert.deepEqual(shelf.ids, seen);
    assert.equal(new Set(seen).size, 999);
    assert.deepEqual([intake.received, intake.stored, intake.waiting, shelf.most], [999, 999, 0, 1]);
  }
});

test('what the store refuses or fails at is counted by cause, and the run goes on', async () => {
  const full = new Shelf();
  full.refuses = true;
  const [refused, seen] = await run(full, { waits: false });
  assert.deepEqual(refused.lost, { store_queue: 999, store_failed: 0 });
  assert.equal(seen.length, 999, 'the tail does not depend on the store');
  const broken = new Shelf();
  broken.fails = true;
  const [failed, , errors] = await run(broken);
  assert.deepEqual(failed.lost, { store_queue: 0, store_failed: 999 });
  assert.match(String(errors[0]), /the disk is gone/);
});

test('a file waits while the store is behind', async () => {
  const shelf = new Shelf();
  const intake = new Intake({
    store: shelf,
    origin: {},
    privacy: null,
    takers: [],
    waits: true,
    failed: assert.ifError,
  });
  const full = () => {
    const batch = TransactionBatch.create(1024, 4096);
    batch.count = 1024;
    return batch;
  };
  for (let i = 0; i < 3; i++) intake.rows(full(), 0, 1024);
  const behind = intake.ready();
  assert.ok(behind instanceof Promise);
  await behind;
  assert.equal(intake.ready(), undefined);
  assert.equal(shelf.ids.length, 3 * 1024);
});

test('privacy comes first: neither tail nor store see a client', async () => {
  const shelf = new Shelf();
  const privacy = new Privacy({ level: 4 }, [{ from: 0, key: new Uint8Array(32) }]);
  const [, seen] = await run(shelf, { privacy });
  assert.deepEqual([...shelf.clients], [0]);
  assert.deepEqual(seen, shelf.ids);
  const counts = new Shelf();
  const [, shown] = await run(counts, { privacy: new Privacy({ level: 5 }, [{ from: 0, key: new Uint8Array(32) }]) });
  assert.equal(shown.length, 0, 'at level 5 no transaction is shown');
  assert.equal(counts.ids.length, 999);
});

test('encrypted flows are shown with what privacy leaves of them, but none of nametap’s own probes', () => {
  const seen: EncryptedFlow[] = [];
  const taker = { rows: () => {}, encrypted: (flow: EncryptedFlow) => void seen.push(flow) };
  const intake = (privacy: Privacy | null) =>
    new Intake({
      store: new Shelf(),
      origin: { sensor: 'here', interfaces: [], marks: [] },
      privacy,
      takers: [taker],
      waits: false,
      failed: () => {},
    });
  const flow: EncryptedFlow = {
    kind: 'dot',
    time: Date.now() / 1000,
    closeSeconds: 0,
    closeNanos: 0,
    closeNumber: 1,
    family: 4,
    client: [0, 0, 0, 0x0a000007],
    clientPort: 41_853,
    server: [0, 0, 0, 0x09090909],
    serverPort: 853,
    transport: 6,
  };
  intake(null).encrypted(flow);
  const close = noteOwnSocket('tcp', '10.0.0.7', 41_853);
  intake(null).encrypted(flow);
  close();
  const epochs = [{ from: 0, key: new Uint8Array(32) }];
  intake(new Privacy({ level: 1 }, epochs)).encrypted({ ...flow, clientPort: 9 });
  intake(new Privacy({ level: 5 }, epochs)).encrypted({ ...flow, clientPort: 9 });
  assert.deepEqual(
    seen.map(({ client }) => client[3]),
    [0x0a000007, 0x0a000000],
  );
});
