import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { start } from '../../scripts/services/clickhouse.ts';
import { Connection } from '../../src/store/clickhouse/connection.ts';
import { retentionStatements, statementsOf } from '../../src/store/clickhouse/ddl.ts';
import { openStore } from '../../src/store/open.ts';
import type { ClickHouseOptions, StatisticsRow, StoreOptions } from '../../src/store/store.ts';
import { numberedBatch } from './clickhouse-batches.ts';

const service = await start({ user: 'nametap', password: `p'"\\ s` });
after(() => service.stop());

const options: ClickHouseOptions = {
  url: service.address,
  user: 'nametap',
  password: `p'"\\ s`,
  database: 'setup',
};
const open = (more: Partial<ClickHouseOptions> = {}, rest: Partial<StoreOptions> = {}) =>
  openStore({ engine: 'clickhouse', path: null, clickhouse: { ...options, ...more }, ...rest });

test("the engine understands a cluster's tables: replicated, dealt to shards, with volumes and tiers", async () => {
  const connection = new Connection({ ...options, database: 'default' });
  const cluster = {
    ...options,
    cluster: "it's `two`",
    policy: 'tiered',
    coldVolume: "cold'er",
    coldDays: 3,
    detailDays: 2,
  };
  const retention = { transactionsDays: 30, minutesDays: 90, hoursDays: 730, passiveDays: 400, recordsDays: 365 };
  const statements = [...statementsOf(cluster, retention), ...retentionStatements(cluster, retention, () => true)];
  for (const statement of statements) {
    const tree = await connection.all(`EXPLAIN AST ${statement}`);
    assert.ok(tree.length > 1, statement);
    assert.match(statement, / ON CLUSTER `it's \\`two\\``/);
  }
  const tables = statements.filter((statement) => statement.startsWith('CREATE TABLE'));
  const named = (name: string) => tables.find((statement) => statement.includes(` ${name} ON CLUSTER`)) ?? '';
  assert.match(
    named('transactions_local'),
    /ReplicatedMergeTree\('\/clickhouse\/tables\/\{shard\}\/setup\/transactions', '\{replica\}'\)/,
  );
  assert.match(
    named('transactions_local'),
    /INTERVAL 3 DAY TO VOLUME 'cold\\'er', .* INTERVAL 30 DAY SETTINGS .*storage_policy = 'tiered'/,
  );
  assert.match(named('transactions_local'), /client_port UInt16 CODEC\(T64, ZSTD\(1\)\) TTL .* INTERVAL 2 DAY/);
  assert.match(
    named('transactions'),
    /Distributed\('it\\'s `two`', currentDatabase\(\), transactions_local, cityHash64\(domain\)\)/,
  );
  // Every server has the records, whatever its shard.
  assert.match(
    named('records'),
    /ReplicatedReplacingMergeTree\('\/clickhouse\/tables\/all\/setup\/records', '\{shard\}-\{replica\}', version, gone\)/,
  );
  assert.equal(
    tables.some((statement) => statement.includes(' records_local')),
    false,
  );
  await connection.close();
});

test('what keeps a store from opening is said in a sentence', async () => {
  await assert.rejects(open({ password: 'wrong' }), {
    name: 'UserError',
    exit: 3,
    message: /^ClickHouse at 127\.0\.0\.1:\d+ does not let nametap in\. Correct store\.clickhouse\.user/,
  });
  await assert.rejects(open({ url: 'http://127.0.0.1:9' }), {
    name: 'UserError',
    exit: 3,
    message: /^ClickHouse at 127\.0\.0\.1:9 cannot be reached: .*ECONNREFUSED.*\. Start it, or correct/,
  });
  await assert.rejects(open({ database: 'nothing' }, { readOnly: true }), { name: 'UserError', exit: 3 });
  await (await open({ database: 'newer' })).close();
  const connection = new Connection({ ...options, database: 'newer' });
  await connection.run("INSERT INTO meta SELECT 'schema', '99', 18446744073709551615, 0");
  await connection.close();
  await assert.rejects(open({ database: 'newer' }), {
    name: 'UserError',
    message: /has schema 99, this nametap knows/,
  });
});

test('how long things are kept is changed while the store is open, and by the next start', async (t) => {
  const store = await open({ detailDays: 2 }, { retention: { transactionsDays: 30 } });
  const connection = new Connection(options);
  t.after(async () => {
    await connection.close();
    await store.close();
  });
  const made = async (table: string) =>
    String(
      (
        await connection.one<{ q: string }>(
          'SELECT create_table_query AS q FROM system.tables WHERE database = ? AND name = ?',
          ['setup', table],
        )
      )?.q,
    );
  assert.match(await made('transactions'), /TTL greatest\(.*toIntervalDay\(30\)/);
  assert.doesNotMatch(await made('minutes'), /TTL/);
  await store.keep({ transactionsDays: 7, minutesDays: 90, recordsDays: 100 });
  assert.match(await made('transactions'), /toIntervalDay\(7\)/);
  assert.match(await made('minutes'), /toIntervalDay\(90\)/);
  assert.match(await made('records'), /toIntervalDay\(100\).* WHERE kind IN \('alerts'/);
  await (await open({ detailDays: 2 }, { retention: {} })).close();
  assert.doesNotMatch(await made('minutes'), /TTL/);
});

test('what is imported is as old as its import, also in what is made of it', async (t) => {
  const keep = { transactionsDays: 30, minutesDays: 30, hoursDays: 30 };
  const store = await open({ database: 'imported' }, { retention: keep });
  t.after(() => store.close());
  const batch = await numberedBatch(0);
  const { count } = batch;
  await store.append(batch, {}, true);
  await store.compact();
  const range = { from: 0, to: 4e12 };
  const sum = (rows: readonly StatisticsRow[]) => rows.reduce((all, { transactions = 0 }) => all + transactions, 0);
  const measures = ['transactions'] as const;
  for (const group of ['type', 'domain', 'client'] as const) {
    const { rows, source } = await store.statistics({ ...range, group: [group], measures, limit: 1000 });
    assert.equal(source, 'hours');
    assert.equal(sum(rows), count, group);
  }
  const pages = await Array.fromAsync(store.transactions({ ...range, limit: 10_000 }));
  assert.equal(pages.at(-1)?.found, count);
});

test('a store whose server is away says so, and closes all the same', async () => {
  const away = await start();
  const store = await open({ url: away.address, user: 'default', password: undefined });
  await away.kill();
  for (let n = 0; n < 3; n++) await store.append(await numberedBatch(n), { token: `raw/0/${n}` }, true);
  const flushed = store.flush().then(
    () => 'kept',
    (error: unknown) => String(error),
  );
  assert.match(
    (await store.status()).degraded ?? '',
    /^ClickHouse at 127\.0\.0\.1:\d+ (?:does not take|cannot be asked)/,
  );
  await store.close();
  assert.match(await flushed, /ClickHouse refused transactions: .*ECONNREFUSED/);
  rmSync(away.folder, { recursive: true, force: true });
});
