import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransactionBatch } from '../../src/core/transactions.ts';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { transactionValue } from '../../src/rr/transaction.ts';
import { ChunkWriter } from '../../src/store/chunk-writer.ts';
import { Database } from '../../src/store/duckdb.ts';
import { RowEncoder } from '../../src/store/row-encoder.ts';
import { decodeRows, messagesOf, recordOf } from '../../src/store/rows.ts';
import { createTable, TRANSACTION_COLUMNS } from '../../src/store/schema.ts';
import { batchesOf, CAPTURES } from './batches.ts';

const utf8 = new TextEncoder();

test('every row of the captures comes back as the native record it was, with its messages', async () => {
  const database = await Database.open(null, { threads: '1' });
  const connection = await database.connect();
  await connection.run(createTable('t', TRANSACTION_COLUMNS));
  const writer = new ChunkWriter(TRANSACTION_COLUMNS);
  const encoder = new RowEncoder();
  const from = {
    sensor: utf8.encode('here'),
    interfaces: Array.from({ length: 64 }, () => utf8.encode('an interface of a long name')),
    marks: [],
  };
  const kept: { batch: TransactionBatch; i: number }[] = [];
  const appender = connection.appender('t');
  for (const path of CAPTURES) {
    for (const batch of (await batchesOf(path)).batches) {
      for (let i = 0; i < batch.count; i++) {
        encoder.copy(batch, Uint32Array.of(i), 0, 1, writer);
        encoder.read(batch, i);
        encoder.write(batch, i, writer, from);
        kept.push({ batch, i });
        if (writer.full) writer.flush(appender);
      }
    }
  }
  writer.flush(appender);
  appender.close();
  assert.ok(kept.length > 100, 'the captures have rows');
  const extra = { interfaceName: 'an interface of a long name', sensor: 'here', registrableDomain: registrable };
  let n = 0;
  for await (const chunk of connection.chunks('SELECT * FROM t ORDER BY rowid')) {
    const rows = decodeRows(chunk);
    for (let i = 0; i < chunk.count; i++, n++) {
      const { batch, i: at } = kept[n];
      const { col: c, arena } = batch;
      assert.deepEqual(recordOf(rows, i), transactionValue(batch, at, extra));
      const { query, response } = messagesOf(rows, i);
      const octets = (from: number, length: number) => (length === 0 ? null : arena.slice(from, from + length));
      assert.deepEqual(query, octets(c.queryAt[at], c.queryLength[at]));
      assert.deepEqual(response, octets(c.responseAt[at], c.responseLength[at]));
    }
  }
  assert.equal(n, kept.length);
  connection.close();
  database.close();
});
