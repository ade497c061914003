import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { SCHEMA_VERSION } from '../../src/store/schema.ts';
import { batchesOf, CAPTURES } from '../store/batches.ts';
import { nametap } from './nametap.ts';

const data = mkdtempSync(join(tmpdir(), 'nametap-data-'));
let rows = 0;

before(async () => {
  const store = await openStore({ path: join(data, 'store') });
  for (const batch of (await batchesOf(CAPTURES[0])).batches) {
    rows += batch.count;
    await store.append(batch, {}, true);
  }
  await store.close();
});
after(() => rmSync(data, { recursive: true }));

test('nametap store status says what is kept', () => {
  const { code, out } = nametap(['store', 'status', '--data', data]);
  assert.equal(code, 0);
  assert.match(out, /^folder .*store$/m);
  assert.match(out, new RegExp(`^transactions +${rows}$`, 'm'));
  const json = JSON.parse(nametap(['store', 'status', '--json', '--data', data]).out) as { schema: number };
  assert.equal(json.schema, SCHEMA_VERSION);
});

test('nametap store export, compact and migrate work on the files', () => {
  const file = join(data, 'out.ndjson');
  const exported = nametap(['store', 'export', file, '-T', 'ndjson', '--data', data]);
  assert.equal(exported.code, 0);
  assert.match(exported.out, new RegExp(`^${rows} transactions in `));
  assert.equal(readFileSync(file, 'utf8').split('\n').length - 1, rows);
  assert.match(nametap(['store', 'compact', '--data', data]).out, /before, .* now\.$/m);
  assert.match(nametap(['store', 'migrate', '--data', data]).out, /has schema \d+/);
  assert.match(nametap(['store', 'status', '--data', data]).out, /^transactions \(parquet\) /m);
});

test('nametap store says what is wrong in a sentence', () => {
  assert.equal(nametap(['store', 'explode']).code, 1);
  const none = nametap(['store', 'status', '--data', join(data, 'none')]);
  assert.equal(none.code, 3);
  assert.match(none.err, /There is no store/);
  const wrong = nametap(['store', 'export', join(data, 'x'), '-Y', 'dns.qry.nme', '--data', data]);
  assert.equal(wrong.code, 4);
});
