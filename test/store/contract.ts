import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TransactionBatch } from '../../src/core/transactions.ts';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { rowFilter } from '../../src/filter/row.ts';
import { type Transaction, transactionValue } from '../../src/rr/transaction.ts';
import { summarize } from '../../src/sketch/summary.ts';
import { passiveMatch } from '../../src/store/passive-match.ts';
import type { Measure, PassiveQuery, StatisticsQuery, Store } from '../../src/store/store.ts';
import { batchesOf, CAPTURES } from './batches.ts';

/** Everything there is. */
const ALWAYS = { from: 0, to: 4e12 };
const ORIGIN = { sensor: 'here', interfaces: ['eth0', 'eth1'] };

/** What every implementation of the Store role does: run over the project's captures. */
export function storeContract(name: string, open: (folder: string) => Promise<Store>): void {
  let store: Store;
  let expected: Transaction[] = [];
  const kept: TransactionBatch[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'nametap-store-'));

  before(async () => {
    store = await open(folder);
    for (const path of CAPTURES) {
      for (const batch of (await batchesOf(path)).batches) {
        for (let i = 0; i < batch.count; i++) expected.push(recordOf(batch, i));
        kept.push(TransactionBatch.from(batch.buffer.slice(0)));
        assert.equal(await store.append(batch, ORIGIN, true), true);
        assert.equal(batch.buffer.byteLength, 0, 'the buffer is transferred');
      }
    }
    await store.flush();
    expected = expected.sort((a, b) =>
      a.time < b.time ? 1 : a.time > b.time ? -1 : a.transaction < b.transaction ? 1 : -1,
    );
  });
  after(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  test(`${name}: every row comes back as the native record it was, newest first`, async () => {
    const { rows } = await all(store, { ...ALWAYS, limit: 10_000 });
    assert.ok(rows.length > 100);
    assert.equal(rows.length, expected.length);
    assert.deepEqual(rows, expected);
  });

  test(`${name}: pages follow each other without gap or repetition`, async () => {
    const rows: Transaction[] = [];
    let after: string | undefined;
    for (let pages = 0; pages < 1000; pages++) {
      const page = await all(store, { ...ALWAYS, limit: 7, ...(after !== undefined && { after }) });
      rows.push(...page.rows);
      if (page.next === null) break;
      after = page.next;
    }
    assert.deepEqual(
      rows.map((row) => row.transaction),
      expected.map((row) => row.transaction),
    );
  });

  for (const filter of [
    'dns.flags.response == 0',
    'dns.flags.rcode == 3',
    'dns.qry.name contains "example"',
    'ip.addr == 192.0.2.1 or ipv6.addr == 2001:db8::/32',
    'dns.a',
    'dns.resp.ttl > 300 and not dns.qry.type == 1',
    'dns.cname or dns.opt',
    'dns.time > 0.01',
  ]) {
    test(`${name}: a filter finds what it finds in memory: ${filter}`, async () => {
      const interfaces = ORIGIN.interfaces.map((interfaceName) => ({ name: interfaceName, link: 1, snaplen: 0 }));
      const passes = rowFilter(filter, interfaces);
      const wanted = kept.flatMap((batch) =>
        Array.from({ length: batch.count }, (_, i) =>
          passes(batch, i) ? [recordOf(batch, i).transaction] : [],
        ).flat(),
      );
      const { rows } = await all(store, { ...ALWAYS, filter, limit: 10_000 });
      assert.deepEqual(rows.map((row) => row.transaction).sort(), wanted.sort());
      const [total] = (await store.statistics({ ...ALWAYS, filter, measures: ['transactions'] })).rows;
      assert.equal(total?.transactions, wanted.length);
    });
  }

  test(`${name}: a wrong filter is told with its place before anything runs`, async () => {
    assert.throws(() => store.transactions({ ...ALWAYS, filter: 'dns.qry.nme == "x"' }), { name: 'FilterError' });
    await assert.rejects(store.statistics({ ...ALWAYS, filter: 'dns.qry.name ==', measures: ['transactions'] }), {
      name: 'FilterError',
    });
  });

  test(`${name}: statistics count what the rows say`, async () => {
    const measures: Measure[] = [
      'transactions',
      'queries',
      'nxdomain',
      'unanswered',
      'query_bytes',
      'latency',
      'size',
      'ttl',
      'clients',
      'names',
    ];
    const [row] = (await store.statistics({ ...ALWAYS, measures })).rows;
    const sum = (value: (record: Transaction) => number) => expected.reduce((all, record) => all + value(record), 0);
    assert.equal(row.transactions, expected.length);
    assert.equal(
      row.queries,
      sum(({ queries }) => queries),
    );
    assert.equal(
      row.nxdomain,
      sum(({ rcode }) => (rcode === 'NXDOMAIN' ? 1 : 0)),
    );
    assert.equal(
      row.unanswered,
      sum(({ outcome }) => (outcome === 'unanswered' ? 1 : 0)),
    );
    assert.equal(
      row.query_bytes,
      sum((record) => record.query_bytes ?? 0),
    );
    const clients = new Set(expected.map(({ client }) => client)).size;
    assert.ok(Math.abs((row.clients ?? 0) - clients) <= 0.06 * clients, `${row.clients} of ${clients} clients`);
    for (const [key, values] of [
      ['latency', expected.flatMap((record) => record.latency_ms ?? [])],
      ['size', expected.flatMap((record) => record.response_bytes ?? [])],
      ['ttl', expected.flatMap((record) => record.ttl_min ?? [])],
    ] as const) {
      const exact = summarize(values);
      const found = row[key];
      assert.ok(found !== undefined);
      assert.equal(found.n, exact.n);
      assert.equal(found.min, exact.min);
      assert.equal(found.max, exact.max);
      for (const part of ['mean', 'variance', 'p50', 'p95', 'p99'] as const) {
        const [a, b] = [found[part] ?? Number.NaN, exact[part] ?? Number.NaN];
        const most = part.startsWith('p') ? 0.004 : 1e-9;
        assert.ok(Math.abs(a - b) <= most * Math.abs(b) + 1e-9, `${key} ${part}: ${a} for ${b}`);
      }
    }
  });

  test(`${name}: groups and steps sum to the whole`, async () => {
    for (const group of [
      'type',
      'rcode',
      'domain',
      'client',
      'server',
      'name',
      'transport',
      'latency_bucket',
      'hour_of_week',
      'sensor',
    ] as const) {
      const { rows } = await store.statistics({
        ...ALWAYS,
        group: [group],
        measures: ['transactions', 'latency'],
        limit: 1000,
      });
      assert.equal(
        rows.reduce((all, row) => all + (row.transactions ?? 0), 0),
        expected.length,
        group,
      );
      for (let i = 1; i < rows.length; i++) assert.ok((rows[i - 1].transactions ?? 0) >= (rows[i].transactions ?? 0));
    }
    const byType = new Map<string | null, number>();
    const plain = expected.filter(({ protocol }) => protocol === undefined);
    for (const { type } of plain) byType.set(type ?? null, (byType.get(type ?? null) ?? 0) + 1);
    const { rows } = await store.statistics({
      ...ALWAYS,
      filter: 'dns',
      group: ['type'],
      measures: ['transactions'],
      limit: 1000,
    });
    assert.deepEqual(new Map(rows.map((row) => [row.type ?? null, row.transactions])), byType);
    const stepped = await store.statistics({ ...ALWAYS, step: 60, measures: ['transactions'] });
    assert.equal(
      stepped.rows.reduce((all, row) => all + (row.transactions ?? 0), 0),
      expected.length,
    );
    const both = await store.statistics({
      ...ALWAYS,
      step: 3600,
      group: ['transport', 'rcode'],
      measures: ['transactions'],
      limit: 1000,
    });
    assert.equal(
      both.rows.reduce((all, row) => all + (row.transactions ?? 0), 0),
      expected.length,
    );
  });

  test(`${name}: a range has both ends where it says`, async () => {
    const ms = (text: string) => Date.parse(text.replace(/\d{6}Z$/, 'Z'));
    const times = expected.map(({ time }) => ms(time)).sort((a, b) => a - b);
    const from = times[Math.floor(times.length / 4)];
    const to = times[Math.floor((times.length * 3) / 4)];
    const inside = expected.filter(({ time }) => ms(time) >= from && ms(time) < to);
    const query: StatisticsQuery = { from, to, measures: ['transactions'] };
    assert.equal((await store.statistics(query)).rows[0].transactions, inside.length);
    assert.deepEqual((await all(store, { from, to, limit: 10_000 })).rows, inside);
  });

  test(`${name}: a transaction is found by its id, with its messages and what belongs to it`, async () => {
    const asked = expected.find((record) => record.tcp_retry !== undefined) ?? expected[0];
    const found = await store.transaction(asked.transaction);
    assert.deepEqual(found?.record, asked);
    assert.equal(found?.query?.length, asked.query_bytes);
    assert.equal((await store.related(asked.transaction)).tcp_retry?.transaction, asked.tcp_retry);
    assert.equal(await store.transaction('0123456789abcdef'), null);
    assert.equal(await store.transaction(`'; DROP TABLE meta; --`), null);
  });

  test(`${name}: passive DNS forward, inverse and by wildcard`, async () => {
    const find = (text: string, more: Partial<PassiveQuery> = {}) => {
      const match = passiveMatch(text);
      assert.ok(match !== undefined, text);
      return store.passive({ match, limit: 10_000, ...more });
    };
    const seen = new Map<string, { name: string; type: string; data: string; count: number }>();
    for (const { answers = [], protocol } of expected) {
      if (protocol !== undefined) continue;
      for (const { name: owner, type, data } of answers) {
        if (type !== 'A') continue;
        const key = `${owner.toLowerCase()} ${data}`;
        const row = seen.get(key) ?? { name: owner.toLowerCase(), type, data, count: 0 };
        row.count++;
        seen.set(key, row);
      }
    }
    assert.ok(seen.size > 3);
    for (const { name: owner, data, count } of [...seen.values()].slice(0, 20)) {
      const forward = (await find(owner, { type: 'A' })).rows.find(({ rdata }) => rdata === data);
      assert.ok(forward !== undefined, owner);
      assert.equal(forward.count, count);
      for (const text of [data, `${data}/24`, `${data}-${data}`]) {
        assert.ok(
          (await find(text)).rows.some(({ rrname, rdata }) => rrname === owner && rdata === data),
          text,
        );
      }
      const labels = owner.split('.');
      if (labels.length < 3) continue;
      assert.ok((await find(`*.${labels.slice(1).join('.')}`)).rows.some(({ rrname }) => rrname === owner));
      assert.ok((await find(`${labels[0]}.*`)).rows.some(({ rrname }) => rrname === owner));
      assert.equal((await find(owner, { firstAfter: 4e12 })).rows.length, 0);
    }
    const alias = expected.find(({ cnames, addresses }) => cnames !== undefined && addresses !== undefined);
    assert.ok(alias?.name !== undefined && alias.addresses !== undefined);
    const folded = (await find(alias.name)).rows.filter(({ cnames }) => cnames !== undefined);
    assert.deepEqual(
      folded[0]?.cnames,
      alias.cnames?.map((text) => text.toLowerCase()),
    );
    assert.ok(alias.addresses.includes(folded[0].rdata));
  });

  test(`${name}: names without an answer are remembered`, async () => {
    const missing = expected.find(({ rcode, protocol }) => rcode === 'NXDOMAIN' && protocol === undefined);
    assert.ok(missing?.name !== undefined);
    const history = await store.nameHistory(`${missing.name.toUpperCase()}.`);
    assert.ok(history.some(({ kind, type }) => kind === 'nxdomain' && type === missing.type));
    assert.deepEqual(await store.nameHistory('nobody.asked.this.example'), []);
  });

  test(`${name}: what is imported is merged into passive DNS`, async () => {
    const row = {
      rrname: 'Imported.Example.',
      rrtype: 'AAAA',
      rdata: '2001:db8::7',
      time_first: 1000,
      time_last: 2000,
      count: 5,
      sensor: 'old',
    };
    assert.equal(await store.importPassive([row, { ...row, time_first: 500, time_last: 900, count: 2 }]), 2);
    const match = passiveMatch('2001:db8::/64');
    assert.ok(match !== undefined);
    const { rows } = await store.passive({ match });
    assert.deepEqual(
      rows.filter(({ rrname }) => rrname === 'imported.example'),
      [
        {
          rrname: 'imported.example',
          rrtype: 'AAAA',
          rdata: '2001:db8::7',
          time_first: 500,
          time_last: 2000,
          count: 7,
          sensor: 'old',
          rare: true,
        },
      ],
    );
  });

  test(`${name}: texts with a NUL or half a character are texts like others`, async () => {
    const text = 'nul\0 half\ud800.example';
    const seen = { rrtype: 'TXT', time_first: 1000, time_last: 2000, count: 1 };
    assert.equal(await store.importPassive([{ ...seen, rrname: text, rdata: text, cnames: [text], sensor: text }]), 1);
    assert.deepEqual(await store.nameHistory(text), []);
    assert.equal(await store.records.get('views', text), null);
    assert.equal(await store.records.delete('views', text), false);
    await store.records.put('views', { text: 'a\0b' }, { id: 'nul', time: 5 });
    assert.deepEqual((await store.records.get('views', 'nul'))?.value, { text: 'a\0b' });
    await store.records.delete('views', 'nul');
  });

  test(`${name}: records are written, replaced, listed newest first and deleted`, async () => {
    const { records } = store;
    await records.put('views', { url: '?f=1' }, { id: `it's; DROP TABLE records`, time: 10 });
    await records.put('views', { url: '?f=2' }, { id: `it's; DROP TABLE records`, time: 20 });
    const id = await records.put('views', ['a', null, 1.5], { time: 30 });
    assert.deepEqual(await records.get('views', `it's; DROP TABLE records`), {
      id: `it's; DROP TABLE records`,
      time: 20,
      value: { url: '?f=2' },
    });
    assert.deepEqual(
      (await records.list('views')).map(({ time }) => time),
      [30, 20],
    );
    assert.deepEqual(
      (await records.list('views', { after: id })).map(({ time }) => time),
      [20],
    );
    assert.deepEqual(
      (await records.list('views', { from: 15, to: 25 })).map(({ time }) => time),
      [20],
    );
    assert.equal(await records.get('users', id), null);
    assert.equal(await records.delete('views', id), true);
    assert.equal(await records.delete('views', id), false);
    const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => records.put('audit', i)));
    assert.equal(new Set(ids).size, 20);
    assert.equal((await records.list('audit', { limit: 5 })).length, 5);
  });

  test(`${name}: exports hold the filtered rows`, async () => {
    const filter = 'dns.flags.response == 1';
    const wanted = [...(await all(store, { ...ALWAYS, filter, limit: 10_000 })).rows].reverse();
    for (const format of ['ndjson', 'csv', 'parquet'] as const) {
      const path = join(folder, `export.${format}`);
      const { rows, bytes } = await store.export({ ...ALWAYS, filter, format }, path);
      assert.equal(rows, wanted.length, format);
      const content = readFileSync(path);
      assert.equal(content.length, bytes);
      const lines = content.toString('latin1').split('\n');
      if (format === 'ndjson')
        assert.deepEqual(
          lines.filter(Boolean).map((line) => JSON.parse(line) as unknown),
          wanted,
        );
      else if (format === 'parquet') assert.equal(content.toString('latin1', 0, 4), 'PAR1');
      else assert.ok(lines[0].startsWith('time,client,'));
    }
  });

  test(`${name}: an abort ends a search`, async () => {
    const abort = new AbortController();
    abort.abort();
    await assert.rejects(all(store, { ...ALWAYS, limit: 10_000 }, abort.signal), { name: 'AbortError' });
  });

  test(`${name}: nothing is lost, and everything is there after it was closed`, async () => {
    await store.compact();
    const status = await store.status();
    assert.equal(status.appended, expected.length);
    assert.deepEqual(status.dropped, {});
    assert.equal(status.degraded, null);
    assert.equal(
      status.tables
        .filter(({ name: table }) => table.startsWith('transactions'))
        .reduce((sum, { rows }) => sum + rows, 0),
      expected.length,
    );
    const before = await store.statistics({
      ...ALWAYS,
      group: ['domain'],
      measures: ['transactions', 'size'],
      limit: 1000,
    });
    await store.close();
    store = await open(folder);
    assert.deepEqual((await all(store, { ...ALWAYS, limit: 10_000 })).rows, expected);
    assert.deepEqual(
      await store.statistics({ ...ALWAYS, group: ['domain'], measures: ['transactions', 'size'], limit: 1000 }),
      before,
    );
    assert.equal((await store.records.list('audit')).length, 20);
    assert.equal((await store.status()).remark, null);
  });
}

function recordOf(batch: TransactionBatch, i: number): Transaction {
  return transactionValue(batch, i, {
    interfaceName: ORIGIN.interfaces[batch.col.interfaceId[i]],
    sensor: ORIGIN.sensor,
    registrableDomain: registrable,
  });
}

async function all(
  store: Store,
  query: Parameters<Store['transactions']>[0],
  signal?: AbortSignal,
): Promise<{ rows: Transaction[]; next: string | null }> {
  const rows: Transaction[] = [];
  let next: string | null = null;
  for await (const page of store.transactions(query, signal)) {
    rows.push(...page.rows);
    if (page.done) ({ next } = page);
  }
  return { rows, next };
}
