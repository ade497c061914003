import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { schemaOf } from '../../src/app/config-schema.ts';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { parquetSink } from '../../src/sinks/parquet-sink.ts';
import type { SinkContext } from '../../src/sinks/sink.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { expected, rows } from './numbered.ts';

const root = mkdtempSync(join(tmpdir(), 'nametap-parquet-'));
after(() => rmSync(root, { recursive: true }));
const notices: string[] = [];

function open(store: Store | null, settings: Record<string, unknown>) {
  const context: SinkContext = {
    name: 'lake',
    passes: () => true,
    version: '1.2.3',
    folder: join(root, 'kept'),
    interfaces: [],
    registrable,
    vantage: 'client',
    exporter: store,
    notice: (level, message) => notices.push(`${level}: ${message}`),
  };
  // The schema was made from the same declaration.
  return parquetSink.open(schemaOf(parquetSink.settings).parse(settings) as never, context);
}

/** Name and time (s) of every row in the files, by file. */
async function contents(folder: string): Promise<{ file: string; name: string; seconds: number }[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const sql = `SELECT parse_filename(filename) AS file, name, (time // 1000000000) AS seconds
    FROM read_parquet(?, filename = true) ORDER BY time`;
  const found = await connection.runAndReadAll(sql, [join(folder, '*.parquet')]);
  return found.getRowObjects().map(({ file, name, seconds }) => ({
    file: String(file),
    name: String(name),
    seconds: Number(seconds),
  }));
}

const stampOf = (seconds: number): string =>
  `dns-${new Date(seconds * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z.parquet`;

test('Parquet files hold every transaction of their stretch once; what an outage left out is made up for', async (t) => {
  const store = await openStore({ path: join(root, 'store'), flushMs: 50 });
  t.after(() => store.close());
  const folder = join(root, 'lake');
  const start = Math.floor(Date.now() / 10_000) * 10 - 120;
  await store.append(rows(0, 120, start), {}, true);
  await store.flush();
  // The last file before the outage: it may end early, and is written again.
  mkdirSync(folder);
  writeFileSync(join(folder, stampOf(start)), 'cut');
  writeFileSync(join(folder, 'mine.txt'), 'mine');
  const sink = open(store, { folder, every: '10s' });
  await sink.close(1000);
  const found = await contents(folder);
  assert.deepEqual(
    found.map(({ name }) => name),
    expected(0, 120),
  );
  for (const { file, seconds } of found) assert.equal(file, stampOf(Math.floor(seconds / 10) * 10));
  assert.equal(sink.status().written, 120);
  assert.deepEqual(notices, []);
  assert.deepEqual(
    readdirSync(folder).filter((name) => !name.endsWith('.parquet')),
    ['mine.txt'],
  );

  const fewer = open(store, { folder: join(root, 'few'), every: '10s', keep: 3, filter: 'dns.qry.name contains "9"' });
  await fewer.close(1000);
  assert.ok(readdirSync(join(root, 'few')).length <= 3);
});

test('a folder that cannot be written is told, and tried again', async (t) => {
  const store = await openStore({ path: null });
  t.after(() => store.close());
  const folder = join(root, 'gone');
  const sink = open(store, { folder, every: '1s' });
  await store.append(rows(0, 1, Math.floor(Date.now() / 1000)), {}, true);
  await store.flush();
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'in the way');
  await sink.close(1000);
  assert.equal(sink.status().failed, 1);
  assert.match(String(sink.status().error), /gone/);
  assert.match(notices[0], /^warn: /);
});

test('without a store there is nothing to write', () => {
  assert.throws(
    () => open(null, { folder: join(root, 'none') }),
    /^UserError: The sink lake writes Parquet from the store/,
  );
});
