import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { start } from '../../scripts/services/clickhouse.ts';
import { openStore } from '../../src/store/open.ts';
import type { Measure, StatisticsQuery, StatisticsRow, Store } from '../../src/store/store.ts';
import { type Fixture, fixture } from '../server/fixture.ts';
import { numberedBatch } from './clickhouse-batches.ts';

/** Batches of a hundred seconds each, from here on. */
const BATCHES = 60;
const FROM = 1_700_000_000_000;
const TO = FROM + BATCHES * 100_000;
/** True of every row, and not answered from rollups. */
const COUNTED = 'dns.flags.response == 0 or dns.flags.response == 1';
const MEASURES: Measure[] = ['transactions', 'queries', 'nxdomain', 'errors', 'query_bytes', 'truncated', 'latency'];

const service = await start();
const clickhouse = { url: service.address, user: 'default', database: 'panels' };
/** Everything that can be rolled up is; the pages of both engines count the rows. */
let rolled: Store;
const pages: Record<string, Fixture> = {};

before(async () => {
  const now = () => TO;
  pages.DuckDB = await fixture({ now });
  pages.ClickHouse = await fixture({ now }, { engine: 'clickhouse', clickhouse, flushMs: 1000 });
  for (const page of Object.values(pages)) {
    await page.add(await Promise.all(Array.from({ length: BATCHES }, (_, n) => numberedBatch(n))));
  }
  rolled = await openStore({ engine: 'clickhouse', path: null, clickhouse, countedRows: 0 });
});
after(async () => {
  await rolled.close();
  for (const page of Object.values(pages)) await page.close();
  await service.stop();
});

const keyOf = ({ time, domain, client, server, type, rcode }: StatisticsRow) =>
  JSON.stringify([time, domain, client, server, type, rcode]);

/** The same groups with the same numbers; percentiles within what histograms promise. */
function same(found: readonly StatisticsRow[], wanted: readonly StatisticsRow[], error: number): void {
  assert.ok(wanted.length > 0);
  const byKey = new Map(wanted.map((row) => [keyOf(row), row]));
  assert.deepEqual(new Set(found.map(keyOf)), new Set(byKey.keys()));
  for (const row of found) {
    const other = byKey.get(keyOf(row)) ?? {};
    for (const [name, a] of Object.entries(row)) {
      const b = other[name as Measure];
      if (typeof a !== 'object' || a === null || typeof b !== 'object') {
        assert.equal(a, b, `${keyOf(row)} ${name}`);
        continue;
      }
      for (const part of ['n', 'mean', 'variance', 'min', 'max'] as const) assert.equal(a[part], b[part], part);
      for (const part of ['p50', 'p95', 'p99'] as const) {
        const [x, y] = [a[part] ?? 0, b[part] ?? 0];
        assert.ok(Math.abs(x - y) <= error * y + 1e-9, `${keyOf(row)} ${name} ${part}: ${x} for ${y}`);
      }
    }
  }
}

const WHOLE_HOURS = { from: FROM - (FROM % 3_600_000), to: TO - (TO % 3_600_000) + 3_600_000 };
const QUESTIONS: Record<string, Partial<StatisticsQuery>> = {
  'the whole range': { measures: [...MEASURES, 'size', 'ttl', 'answers'] },
  'a range with edges': { from: FROM + 123_456, to: TO - 77_001 },
  'hour by hour': { step: 3600 },
  'minute by minute': { step: 60 },
  'by type and rcode': { group: ['type', 'rcode'], limit: 1000 },
  'by type, hour by hour': { group: ['type'], step: 3600, limit: 1000 },
  'by domain': { group: ['domain'], limit: 1000 },
  'by domain, minute by minute': { group: ['domain'], step: 60, limit: 1000 },
  'by client': { ...WHOLE_HOURS, group: ['client'], limit: 1000 },
  'by server, hour by hour': { ...WHOLE_HOURS, group: ['server'], step: 3600, limit: 1000 },
};
for (const [what, question] of Object.entries(QUESTIONS)) {
  test(`rollups of ClickHouse say what DuckDB counts: ${what}`, async () => {
    const query: StatisticsQuery = { from: FROM, to: TO, measures: MEASURES, ...question };
    const found = await rolled.statistics(query);
    assert.notEqual(found.source, 'transactions');
    const counted = await pages.DuckDB.store.statistics({ ...query, filter: COUNTED });
    assert.equal(counted.source, 'transactions');
    same(found.rows, counted.rows, 0.025);
  });
}

test('clients, names, domains and servers are counted alike, from sketches too', async () => {
  const measures: Measure[] = ['clients', 'names', 'domains', 'servers'];
  const query: StatisticsQuery = { from: FROM, to: TO, measures };
  const [exact] = (await pages.DuckDB.store.statistics({ ...query, filter: COUNTED })).rows;
  const [sketched] = (await rolled.statistics(query)).rows;
  const [rows] = (await pages.ClickHouse.store.statistics(query)).rows;
  for (const name of ['clients', 'names', 'domains', 'servers'] as const) {
    const n = exact[name] ?? 0;
    assert.ok(n > 0);
    assert.equal(rows[name], n);
    assert.ok(Math.abs((sketched[name] ?? 0) - n) <= 0.03 * n, `${name}: ${sketched[name]} for ${n}`);
  }
});

test('the heat map of latencies sums to all transactions', async () => {
  const query: StatisticsQuery = {
    from: FROM,
    to: TO,
    step: 3600,
    group: ['latency_bucket'],
    measures: ['transactions'],
    limit: 100,
  };
  const sum = (rows: readonly StatisticsRow[]) => rows.reduce((all, { transactions = 0 }) => all + transactions, 0);
  const found = await rolled.statistics(query);
  assert.notEqual(found.source, 'transactions');
  const counted = await pages.DuckDB.store.statistics({ ...query, filter: COUNTED });
  assert.equal(sum(found.rows), sum(counted.rows));
  assert.ok(found.rows.length > 3);
});

/** Paths of the API whose answers are those of the history alone. */
const PATHS = [
  '/statistics?from=-2h&measures=transactions,unanswered,nxdomain,clients,names,latency,size,ttl',
  '/statistics?from=-2h&step=600&group=rcode&measures=transactions',
  '/statistics?from=-2h&group=domain&measures=transactions,latency,size&limit=50',
  `/statistics?from=-2h&group=name,type&measures=transactions&f=${encodeURIComponent('dns.a or dns.flags.rcode == NXDOMAIN')}&limit=100`,
  '/transactions?from=-2h&limit=50',
  `/transactions?from=-2h&limit=20&f=${encodeURIComponent('dns.resp.ttl > 60')}`,
  '/servers?from=-2h',
  '/pdns?q=*.test',
  '/pdns?q=192.0.2.0%2F24',
  '/overview?from=-1h',
];
for (const path of PATHS) {
  test(`the page shows the same over both engines: ${path}`, async () => {
    const [duckdb, clickHouse] = await Promise.all(
      [pages.DuckDB, pages.ClickHouse].map((page) => page.json(`/api/v1${path}`)),
    );
    assert.deepEqual(plain(clickHouse), plain(duckdb));
    assert.ok(JSON.stringify(duckdb).length > 100);
  });
}

/** Without what tells of the server itself, and how far a search went beyond what it found. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => (['scanned_to', 'lag_s'].includes(key) ? undefined : inner)),
  );
}
