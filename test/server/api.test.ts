import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { z } from '@hono/zod-openapi';
import { problem } from '../../src/server/schema/common.ts';
import { audit, fields, views } from '../../src/server/schema/meta.ts';
import { type Overview, overview } from '../../src/server/schema/overview.ts';
import { clientPage, namePage, servers } from '../../src/server/schema/pages.ts';
import { pdnsBatch, pdnsPage } from '../../src/server/schema/pdns.ts';
import { sensors } from '../../src/server/schema/sensors.ts';
import { statistics } from '../../src/server/schema/statistics.ts';
import { transactionDetail, transactionsPage, type TreeNode } from '../../src/server/schema/transactions.ts';
import { alerts } from '../../src/server/schema/alerts.ts';
import { CAPTURES } from '../store/batches.ts';
import { eventsOf } from './events.ts';
import { type Exchange, type Fixture, fixture, rowsOf, TOKEN } from './fixture.ts';

const NOW = Date.now();
const HOUR = 3_600_000;
/** Everything that the captures hold. */
const ALL = 'from=2000-01-01&to=2040-01-01';

/** An hour of traffic that ends now, with one of each kind. */
const EXCHANGES: Exchange[] = Array.from({ length: 300 }, (_, i): Exchange => {
  const time = NOW - HOUR + i * 11_000;
  const client = `10.0.0.${1 + (i % 5)}`;
  if (i % 50 === 0) return { time, client, name: `lost${i}.example.org` };
  if (i % 10 === 0) return { time, client, name: `nx${i}.example.net`, answer: { rcode: 'NXDOMAIN' } };
  const name = `www${i % 7}.example.com`;
  const data = `192.0.2.${i % 7}`;
  return { time, client, name, latencyMs: 5 + (i % 40), answer: { answers: [{ name, type: 'A', ttl: 300, data }] } };
});

let f: Fixture;
before(async () => {
  f = await fixture();
  for (const path of CAPTURES) await f.addCapture(path);
  await f.add(rowsOf(EXCHANGES));
});
after(() => f.close());

/** An answer that is what its schema says. */
async function read<T extends z.ZodType>(schema: T, path: string): Promise<z.output<T>> {
  const value = await f.json(path);
  const parsed = schema.safeParse(value);
  assert.ok(parsed.success, `${path}: ${parsed.error?.message}`);
  return parsed.data;
}

async function refused(path: string, status: number) {
  const response = await f.get(path);
  assert.equal(response.status, status, path);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  return problem.parse(await response.json());
}

test('statistics: one number, by group, over time, as distributions', async () => {
  const all = await read(
    statistics,
    '/api/v1/statistics?from=-2h&measures=transactions,unanswered,nxdomain,clients,latency',
  );
  const [row] = all.rows;
  assert.deepEqual([row.transactions, row.unanswered, row.nxdomain, row.clients], [300, 6, 24, 5]);
  assert.equal(row.latency?.unit, 'ms');
  assert.equal(row.latency?.n, 294);
  const types = await read(statistics, `/api/v1/statistics?${ALL}&group=type&order=-transactions&limit=3`);
  assert.equal(types.rows.length, 3);
  const counts = types.rows.map(({ transactions = 0 }) => transactions);
  assert.deepEqual(
    counts,
    [...counts].sort((a, b) => b - a),
  );
  const series = await read(statistics, '/api/v1/statistics?from=-1h&step=600&measures=transactions&limit=100');
  assert.ok(
    series.rows.length >= 6 && series.rows.every(({ time }) => time !== undefined && !Number.isNaN(Date.parse(time))),
  );
  const filtered = await read(
    statistics,
    `/api/v1/statistics?from=-2h&f=${encodeURIComponent('dns.flags.rcode == NXDOMAIN')}`,
  );
  assert.equal(filtered.rows[0].transactions, 24);
  const counted = async (f: string) => {
    const { rows } = await read(statistics, `/api/v1/statistics?from=-2h&f=${encodeURIComponent(f)}`);
    return rows[0]?.transactions ?? 0;
  };
  assert.equal(await counted('sensor == "sensor-1"'), 300);
  assert.equal(await counted('sensor == "another"'), 0);
  const [small, large] = [await counted('dns.message.length < 40'), await counted('not dns.message.length < 40')];
  assert.ok(small > 0 && large > 0 && small + large >= 300, `${small} and ${large}`);
});

test('what is asked wrongly is told with its parameter, its place, and what was meant', async () => {
  const filter = await refused(`/api/v1/statistics?f=${encodeURIComponent('dns.qry.nmae == "a"')}`, 400);
  assert.deepEqual([filter.parameter, filter.at, filter.suggestion], ['f', { offset: 0, length: 12 }, 'dns.qry.name']);
  const stored = await refused(`/api/v1/transactions?f=${encodeURIComponent('frame.len > 100')}`, 422);
  assert.match(stored.detail ?? '', /frame\.len/);
  assert.deepEqual(stored.at, { offset: 0, length: 9 });
  const parameter = await refused('/api/v1/overview?form=-1h', 400);
  assert.deepEqual([parameter.parameter, parameter.suggestion], ['form', 'from']);
  assert.equal((await refused('/api/v1/statistics?from=yesterday', 400)).parameter, 'from');
  assert.equal((await refused('/api/v1/statistics?from=now&to=-1h', 400)).parameter, 'from');
  assert.equal((await refused('/api/v1/statistics?group=type,rcode,client', 400)).parameter, 'group');
  assert.equal((await refused('/api/v1/statistics?measures=bananas', 400)).parameter, 'measures.0');
  assert.equal((await refused('/api/v1/statistics?order=-bananas', 400)).parameter, 'order');
  assert.equal((await refused('/api/v1/statistics?from=-30d&step=1', 400)).parameter, 'step');
  assert.equal((await refused('/api/v1/transactions?limit=100000', 400)).parameter, 'limit');
  await refused('/api/v1/transactions/nonsense', 400);
  await refused('/api/v1/transactions/0123456789abcdef', 404);
  await refused('/api/v1/nothing', 404);
  await refused('/api/v1/clients/not-an-address', 400);
  await refused(`/api/v1/names/${'x'.repeat(64)}.example`, 400);
});

test('transactions come newest first, page by page, each once', async () => {
  const seen: string[] = [];
  const times: string[] = [];
  let after: string | null = '';
  let pages = 0;
  while (after !== null) {
    const page: z.output<typeof transactionsPage> = await read(
      transactionsPage,
      `/api/v1/transactions?from=-2h&limit=64${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`,
    );
    seen.push(...page.rows.map(({ transaction }) => transaction));
    times.push(...page.rows.map(({ time }) => time));
    after = page.next;
    assert.ok(++pages < 20);
  }
  assert.equal(seen.length, 300);
  assert.equal(new Set(seen).size, 300);
  assert.deepEqual(times, [...times].sort().reverse());
});

test('a search streams what it finds, with its progress', async () => {
  const response = await f.get(`/api/v1/transactions?${ALL}&limit=50`, { accept: 'text/event-stream' });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const kinds: string[] = [];
  let found = 0;
  for await (const { event, data } of eventsOf(response)) {
    kinds.push(event);
    if (event === 'rows') found += transactionsPage.shape.rows.parse((data as { rows: unknown }).rows).length;
  }
  assert.equal(found, 50);
  assert.equal(kinds.at(-1), 'end');
  assert.ok(kinds.includes('progress'));
});

test('a transaction is decoded field by field: offsets lie in the message', async () => {
  const { rows } = await read(
    transactionsPage,
    `/api/v1/transactions?from=-2h&limit=1&f=${encodeURIComponent('dns.a')}`,
  );
  const detail = await read(transactionDetail, `/api/v1/transactions/${rows[0].transaction}`);
  assert.deepEqual(detail.transaction, rows[0]);
  assert.equal(detail.packets, null, 'no ring is kept');
  const octets = (detail.response?.hex ?? '').length / 2;
  assert.equal(octets, detail.transaction.response_bytes);
  const check = (nodes: readonly TreeNode[]): number =>
    nodes.reduce((sum, { offset = 0, length = 0, children = [] }) => {
      assert.ok(offset + length <= octets);
      return sum + 1 + check(children);
    }, 0);
  assert.ok(check(detail.response?.tree ?? []) > 20);
  assert.match(JSON.stringify(detail.query?.tree), /Recursion desired/);
});

test('a client that was looked at is written down, and who looked', async () => {
  await read(clientPage, '/api/v1/clients/10.0.0.1?from=-2h');
  await read(clientPage, '/api/v1/clients/10.0.0.1?from=-2h');
  const { rows } = await read(audit, '/api/v1/audit');
  const looks = rows.filter(({ action, subject }) => action === 'client.view' && subject === '10.0.0.1');
  assert.equal(looks.length, 1, 'once a minute');
  assert.deepEqual([looks[0].user, looks[0].address], ['operator', '127.0.0.1']);
});

test('the first screen in one call', async () => {
  const screen = await read(overview, '/api/v1/overview?from=-1h');
  const tile = (key: Overview['tiles'][number]['key']) => screen.tiles.find((one) => one.key === key);
  assert.equal(screen.tiles.length, 10);
  const total = screen.series.transactions.reduce((a, b) => a + b, 0);
  assert.ok(total >= 295 && total <= 300, `${total} transactions in the chart`);
  assert.equal(screen.series.time.length, screen.series.transactions.length);
  assert.ok(Math.abs((tile('qps')?.value ?? 0) - total / 3600) < 0.001);
  assert.ok(Math.abs((tile('nxdomain_ratio')?.value ?? 0) - 24 / 300) < 0.005);
  assert.equal(tile('clients')?.value, 5);
  assert.equal(tile('qps')?.expected, null, 'three like hours are not known');
  assert.equal(tile('qps')?.anomalous, false);
  const { latency_heatmap: heatmap } = screen;
  assert.ok(heatmap.bucket_ms.length > 0);
  assert.equal(heatmap.counts.length, heatmap.time.length);
  assert.ok(heatmap.counts.every((row) => row.length === heatmap.bucket_ms.length));
  const inHeatmap = heatmap.counts.flat().reduce((a, b) => a + b, 0);
  assert.ok(inHeatmap >= 289 && inHeatmap <= 294, `${inHeatmap} answered`);
  assert.deepEqual(
    screen.types.map(({ key }) => key),
    ['A'],
  );
  assert.deepEqual(
    screen.rcodes.map(({ key }) => key),
    ['NOERROR', 'NXDOMAIN'],
  );
  for (const { f: filter, count } of [...screen.types, ...screen.rcodes]) {
    const linked = await read(statistics, `/api/v1/statistics?from=-1h&f=${encodeURIComponent(filter ?? '')}`);
    assert.ok(Math.abs((linked.rows[0]?.transactions ?? 0) - count) <= 2, `${filter} shows its ${count}`);
  }
  assert.match(screen.state.sentence, /^(Normal|Attention|Degraded): .+\.$/);
  assert.equal(screen.freshness.newest !== null, true);
  assert.equal(screen.demo, null);
});

test('every number links to the transactions it counts', async () => {
  const page = await read(namePage, '/api/v1/names/example.com?from=-2h');
  assert.equal(page.registrable_domain, 'example.com');
  assert.equal(page.totals.transactions, 270);
  const linked = async (filter: string) =>
    (await read(statistics, `/api/v1/statistics?from=-2h&f=${encodeURIComponent(filter)}`)).rows[0].transactions;
  assert.equal(await linked(page.f), 270);
  for (const { f: filter, count } of [...page.top.clients, ...page.top.types, ...page.top.servers]) {
    assert.equal(await linked(filter ?? ''), count, filter ?? '');
  }
  assert.equal(page.subdomains.length, 7);
  assert.equal(
    page.subdomains.reduce((sum, { transactions }) => sum + transactions, 0),
    270,
  );
  assert.equal(page.statistics.ttl.p50, 300);
  assert.equal(
    page.series.transactions.reduce((a, b) => a + b, 0),
    270,
  );
  const client = await read(clientPage, '/api/v1/clients/10.0.0.2?from=-2h');
  assert.equal(client.totals.transactions, 60);
  assert.equal(
    client.heatmap.flat().reduce((a, b) => a + b, 0),
    60,
  );
  assert.equal(await linked(client.f), 60);
  const list = await read(servers, '/api/v1/servers?from=-2h');
  assert.deepEqual(
    list.rows.map(({ server, transactions, unanswered }) => [server, transactions, unanswered]),
    [['192.0.2.53', 300, 6]],
  );
  assert.equal(list.rows[0].latency.n, 294);
  assert.equal(
    list.rows[0].rcodes.reduce((sum, { count }) => sum + count, 0),
    294,
  );
});

test('passive DNS: forward, wildcard, inverse, block, many at once', async () => {
  const rowsFor = async (q: string) => (await read(pdnsPage, `/api/v1/pdns?q=${encodeURIComponent(q)}`)).rows;
  const [row] = await rowsFor('www3.example.com.');
  assert.deepEqual([row.rrname, row.rrtype, row.rdata], ['www3.example.com', 'A', '192.0.2.3']);
  assert.ok(row.count > 30 && row.time_first < row.time_last);
  assert.equal((await rowsFor('*.example.com')).filter(({ rrname }) => rrname.startsWith('www')).length, 7);
  assert.equal((await rowsFor('192.0.2.3')).length, 1);
  assert.equal((await rowsFor('192.0.2.0/29')).length, 7);
  await refused('/api/v1/pdns?q=192.0.2.0%2F99', 400);
  const posted = await f.send('POST', '/api/v1/pdns/batch', { q: ['www1.example.com', '192.0.2.0/99'] });
  const { results } = pdnsBatch.parse(await posted.json());
  assert.equal(results[0].rows.length, 1);
  assert.match(results[1].error ?? '', /./);
});

test('passive DNS for clients that exist: the common output format and DNSDB', async () => {
  const cof = await f.get('/query/www3.example.com');
  assert.equal(cof.headers.get('content-type'), 'application/x-ndjson');
  const [entry] = (await cof.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([entry.rrname, entry.rrtype, entry.rdata], ['www3.example.com.', 'A', ['192.0.2.3']]);
  assert.ok(Number.isInteger(entry.time_first) && Number.isInteger(entry.count));
  const v1 = await f.get('/lookup/rrset/name/www3.example.com/A');
  assert.equal(JSON.parse((await v1.text()).trim()).rrname, 'www3.example.com.');
  await refused('/lookup/rrset/name/gone.example.com', 404);
  const v2 = await f.get('/dnsdb/v2/lookup/rdata/ip/192.0.2.0,29?swclient=test&limit=3');
  const lines = (await v2.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(lines[0], { cond: 'begin' });
  assert.equal(lines.length, 5);
  assert.deepEqual(lines.at(-1), { cond: 'limited', msg: 'Result limit reached' });
  const raw = await f.get('/lookup/rdata/raw/c0000203');
  assert.equal(JSON.parse((await raw.text()).trim()).rrname, 'www3.example.com.');
  const basic = Buffer.from(`user:${TOKEN}`).toString('base64');
  const response = await fetch(`${f.server.url}/query/192.0.2.3`, { headers: { authorization: `Basic ${basic}` } });
  assert.match(await response.text(), /www3\.example\.com\./);
});

test('views: hunts are shipped and stay, own ones are saved and deleted', async () => {
  const list = await read(views, '/api/v1/views');
  assert.ok(list.rows.some(({ name, builtin }) => name === 'malware-keyword' && builtin));
  for (const { url } of list.rows) {
    const filter = new URL(url, 'http://x').searchParams.get('f') ?? '';
    assert.equal((await f.get(`/api/v1/statistics?from=-1h&f=${encodeURIComponent(filter)}`)).status, 200, filter);
  }
  const own = { name: 'mine', title: '<b>Mine</b>', url: '/explore?f=dns' };
  assert.equal((await f.send('POST', '/api/v1/views', own)).status, 201);
  assert.equal((await f.send('POST', '/api/v1/views', { ...own, title: 'Changed' })).status, 201);
  const mine = (await read(views, '/api/v1/views')).rows.filter(({ name }) => name === 'mine');
  assert.deepEqual(
    mine.map(({ title }) => title),
    ['Changed'],
  );
  for (const url of ['http://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)']) {
    assert.equal((await f.send('POST', '/api/v1/views', { ...own, url })).status, 400, url);
  }
  assert.equal((await f.send('POST', '/api/v1/views', { ...own, name: 'slow-a' })).status, 409);
  assert.equal((await f.send('DELETE', '/api/v1/views/slow-a')).status, 409);
  assert.equal((await f.send('DELETE', '/api/v1/views/mine')).status, 204);
  assert.equal((await f.send('DELETE', '/api/v1/views/mine')).status, 404);
  const { rows } = await read(audit, '/api/v1/audit?limit=3');
  assert.deepEqual(
    rows.map(({ action }) => action),
    ['view.delete', 'view.save', 'view.save'],
  );
});

test('exports: what a filter finds, as a file', async () => {
  const csv = await f.get('/api/v1/export?format=csv&from=-2h');
  assert.match(csv.headers.get('content-disposition') ?? '', /^attachment; filename="nametap-\d{8}T\d{6}Z\.csv"$/);
  assert.equal((await csv.text()).trim().split('\n').length, 301);
  const ndjson = await f.get(`/api/v1/export?format=ndjson&from=-2h&f=${encodeURIComponent('dns.flags.rcode == 3')}`);
  const lines = (await ndjson.text()).trim().split('\n');
  assert.equal(lines.length, 24);
  assert.equal((JSON.parse(lines[0]) as { rcode: string }).rcode, 'NXDOMAIN');
  const parquet = await f.get('/api/v1/export?format=parquet&from=-2h&limit=10');
  assert.equal(
    Buffer.from(await parquet.arrayBuffer())
      .subarray(0, 4)
      .toString(),
    'PAR1',
  );
  const pcapng = await refused('/api/v1/export?format=pcapng&from=-2h', 422);
  assert.match(pcapng.detail ?? '', /packets\.keep/);
});

test('the pipeline sums', async () => {
  const { sensors: list, store, sinks } = await read(sensors, '/api/v1/sensors');
  assert.deepEqual(
    list.map(({ name }) => name),
    ['sensor-1'],
  );
  for (const { in: came, out, lost } of list[0].ledger.funnel) {
    assert.equal(came, out + Object.values(lost).reduce((a, b) => a + b, 0));
  }
  assert.equal(store.degraded, null);
  assert.ok(store.appended >= 300 && store.bytes > 0);
  assert.equal(sinks[0].name, 'ndjson');
  assert.deepEqual((await read(alerts, '/api/v1/alerts')).rows, []);
  const { rows } = await read(fields, '/api/v1/fields');
  const rcode = rows.find(({ name }) => name === 'dns.flags.rcode');
  assert.ok(rcode?.stored === true && rcode.values?.some(({ number }) => number === 3));
  assert.equal(rows.find(({ name }) => name === 'frame.len')?.stored, false);
});
