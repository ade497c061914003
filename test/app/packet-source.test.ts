import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { packetSource } from '../../src/app/packet-source.ts';
import { runInline, runRows } from '../../src/app/run.ts';
import type { TransactionBatch } from '../../src/core/transactions.ts';
import type { Transaction } from '../../src/rr/transaction.ts';
import { type Fixture, fixture } from '../server/fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-packets-'));
const CAPTURE = fileURLToPath(new URL('../captures/lookups.pcapng', import.meta.url));
const RANGE = 'from=2000-01-01T00:00:00Z&to=2040-01-01T00:00:00Z';
let served: Fixture;

before(async () => {
  const ring = join(folder, 'packets');
  served = await fixture({ packets: packetSource(ring, {}) });
  const batches: TransactionBatch[] = [];
  await runInline(
    {
      input: { kind: 'files', paths: [CAPTURE] },
      threads: 0,
      packets: { folder: ring, bytes: 1 << 24, fileBytes: 1 << 20 },
    },
    { signal: new AbortController().signal },
    { rows: (batch) => void batches.push(batch) },
  );
  await served.add(batches);
});
after(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

const search = (f: string) => `/api/v1/transactions?${RANGE}&limit=1000&f=${encodeURIComponent(f)}`;
const ids = (rows: readonly Transaction[]) => rows.map(({ transaction }) => transaction);

test('history is asked for fields of the frame where packets are held', async () => {
  const { rows } = (await served.json(search('frame.len > 90'))) as { rows: Transaction[] };
  assert.equal(rows.length, 17);
  const all = (await served.json(search(''))) as { rows: Transaction[] };
  const known = new Set(ids(all.rows));
  assert.ok(
    ids(rows).every((id) => known.has(id)),
    'the ids are those of the store',
  );
  const streamed = await served.get(search('frame.len > 90'), { accept: 'text/event-stream' });
  assert.match(await streamed.text(), /event: rows[\s\S]*event: end/);
});

test('a transaction shows its packets; an export holds exactly those of the filter', async () => {
  const { rows } = (await served.json(search('dns.qry.type == 1'))) as { rows: Transaction[] };
  const detail = (await served.json(`/api/v1/transactions/${rows[0].transaction}`)) as {
    packets: { direction: string }[];
  };
  assert.deepEqual(
    detail.packets.map(({ direction }) => direction),
    ['query', 'response'],
  );
  for (const f of ['dns.qry.type == 1', 'frame.len > 90']) {
    const wanted = (await served.json(search(f))) as { rows: Transaction[] };
    const file = await served.get(`/api/v1/export?${RANGE}&format=pcapng&f=${encodeURIComponent(f)}`);
    assert.equal(file.status, 200);
    const path = join(folder, 'export.pcapng');
    writeFileSync(path, new Uint8Array(await file.arrayBuffer()));
    let found = 0;
    await runRows(
      { input: { kind: 'files', paths: [path] }, threads: 0 },
      { signal: new AbortController().signal },
      (_, from, to) => {
        found += to - from;
      },
    );
    assert.equal(found, wanted.rows.length, f);
  }
});

test('what only packets tell cannot be counted by the store: the field is named', async () => {
  const response = await served.get(`/api/v1/statistics?${RANGE}&measures=transactions&f=frame.len%20%3E%2090`);
  assert.equal(response.status, 422);
  assert.match(await response.text(), /frame\.len/);
});
