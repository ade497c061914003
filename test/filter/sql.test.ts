import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storageOf } from '../../src/filter/columns.ts';
import { FilterError } from '../../src/filter/errors.ts';
import type { FilterField } from '../../src/filter/fields/field.ts';
import { FIELDS, findField } from '../../src/filter/fields/registry.ts';
import { rowFilter, UnstoredFieldError } from '../../src/filter/row.ts';
import { compileSql } from '../../src/filter/sql.ts';
import { ChunkWriter } from '../../src/store/chunk-writer.ts';
import { ALL, rowTest } from '../../src/store/condition.ts';
import { type Connection, Database } from '../../src/store/duckdb.ts';
import { decodeRows } from '../../src/store/rows.ts';
import { createTable, TRANSACTION_COLUMNS } from '../../src/store/schema.ts';
import {
  BY_COLUMNS,
  fillRows,
  filterContract,
  type FilterEngine,
  hold,
  INTERFACES,
  irregular,
  MARKS,
  rows,
} from './sql-property.ts';

let connection: Connection;
let engine: FilterEngine;

async function open(): Promise<FilterEngine> {
  const database = await Database.open(null, { threads: '1' });
  connection = await database.connect();
  await connection.run(createTable('t', TRANSACTION_COLUMNS));
  const writer = new ChunkWriter(TRANSACTION_COLUMNS);
  const appender = connection.appender('t');
  await fillRows(writer, () => writer.flush(appender));
  appender.close();
  engine = {
    ask: ({ may, sure }) =>
      connection.all(`SELECT (${may.sql}) AS may, (${sure.sql}) AS sure FROM t ORDER BY rowid`, [
        ...may.params,
        ...sure.params,
      ]),
    close: () => {
      connection.close();
      database.close();
      return Promise.resolve();
    },
  };
  return engine;
}

filterContract('DuckDB', open, { columns: 600, messages: 400 });

test('the rows are many, and few of them are irregular', () => {
  assert.ok(rows.length > 300, `${rows.length} rows`);
  assert.ok(
    irregular.size > 5 && irregular.size < rows.length / 4,
    `${irregular.size} of ${rows.length} are irregular`,
  );
});

test('of what lies in messages octet by octet, few messages have to be looked at', async () => {
  for (const [text, most] of [
    ['dns.a == 192.0.2.2', 0.5],
    ['dns.a in {192.0.2.7, 10.0.0.0/30}', 0.1],
    ['dns.aaaa == 2a00:1450:400c:c05::6d', 0.1],
    ['dns.txt contains "say" and dns.flags.response == 1', 0.1],
    ['dns.txt == "no such text"', 0.1],
  ] as const) {
    const { between } = await hold(engine, text);
    const regular = between.filter((row) => !irregular.has(row));
    assert.ok(regular.length <= most * rows.length, `${text}: ${regular.length} of ${rows.length}`);
  }
  assert.ok((await hold(engine, 'dns.a == 192.0.2.2')).passed > 0);
  assert.ok((await hold(engine, 'dns.txt contains "say"')).passed > 0);
});

test('filters on addresses, times and relations need no look at messages at all', () => {
  for (const text of [
    'ip.addr == 10.0.0.0/8',
    'dns.time > 1',
    'dns.response_missing',
    'udp.port == 53',
    'dns or mdns',
    '',
  ]) {
    assert.ok(compileSql(text).isExact, text);
  }
});

test('an empty filter, and one that nothing passes', async () => {
  assert.equal((await hold(engine, '')).passed, rows.length);
  assert.equal((await hold(engine, 'dns.time < -1000')).passed, 0);
});

test('a field that no transaction holds is named', () => {
  for (const [text, field, at] of [
    ['dns.time > 1 and frame.len > 100', 'frame.len', 17],
    ['eth.src == 00:11:22:33:44:55', 'eth.src', 0],
    ['"frame.number" == string(udp.stream)', 'udp.stream', 25],
  ] as const) {
    assert.throws(
      () => compileSql(text),
      (error) => error instanceof UnstoredFieldError && error.field === field && error.at === at && error.exit === 4,
    );
    assert.throws(() => rowFilter(text), UnstoredFieldError);
  }
  assert.throws(() => compileSql('dns.qry.nam == "a"'), FilterError);
});

test('every field is told by columns, by messages, or not at all', () => {
  const kinds = new Set(FIELDS.map((field) => storageOf(field)));
  assert.deepEqual([...kinds].sort(), ['column', 'message', 'none']);
  assert.equal(storageOf(findField('dns.qry.name') as FilterField), 'column');
  assert.equal(storageOf(findField('dns.mx.preference') as FilterField), 'message');
  assert.equal(storageOf(findField('eth.src') as FilterField), 'none');
});

test('rows of the store pass as the rows they were', async () => {
  for (const text of [
    ...BY_COLUMNS,
    'dns.a == 10.0.0.0/8',
    'dns.opt.code == 8',
    'dns.resp.ttl < 60',
    '_ws.malformed',
    'rule contains "odd"',
  ]) {
    const predicate = rowFilter(text, INTERFACES, { marks: MARKS });
    const passes = rowTest({ ...ALL, isExact: false, text });
    let n = 0;
    for await (const chunk of connection.chunks('SELECT * FROM t ORDER BY rowid')) {
      const stored = decodeRows(chunk);
      for (let i = 0; i < chunk.count; i++, n++) {
        assert.equal(passes(stored, i), predicate(rows[n].batch, rows[n].i), `${text}: row ${n}`);
      }
    }
    assert.equal(n, rows.length);
  }
});

test('a row is irregular where its messages say more than its columns', async () => {
  const found = await connection.all<{ name: string }>('SELECT name FROM t WHERE irregular = 1');
  const names = new Set(found.map(({ name }) => name));
  // Two questions; a response that repeats none; a name with escapes; a cut message.
  for (const name of ['one.test', 'asked.test', 'a\\.b\\032c.test', '']) assert.ok(names.has(name), name);
  for (const name of ['again.test', 'host', 'no.test', 'silent.test']) assert.ok(!names.has(name), name);
});
