import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TransactionBatch } from '../../src/core/transactions.ts';
import { findField } from '../../src/filter/fields/registry.ts';
import { NEEDLE_FIELDS, type Needle, needlesOf } from '../../src/filter/needles.ts';
import { rowFilter } from '../../src/filter/row.ts';
import { Values } from '../../src/filter/value.ts';
import { octetsText } from '../../src/store/addresses.ts';
import { openStore } from '../../src/store/open.ts';
import { RowEncoder } from '../../src/store/row-encoder.ts';
import type { Store } from '../../src/store/store.ts';
import { holding, StretchCollector } from '../../src/store/stretches.ts';
import { eachMessage } from '../filter/row-messages.ts';
import { join as joined } from '../sinks/rows.ts';
import { SCENARIO } from '../sinks/scenario.ts';
import { batchesOf, CAPTURES } from './batches.ts';

const ALWAYS = { from: 0, to: 4e12 };

async function allBatches(): Promise<TransactionBatch[]> {
  const lists = await Promise.all(CAPTURES.map(async (path) => (await batchesOf(path)).batches));
  return [...joined(SCENARIO), ...lists.flat()];
}

/** Filters on values that a row has, as a filter reads them. */
function filtersOf(batch: TransactionBatch, i: number): string[] {
  const found = new Set<string>();
  const values = new Values();
  eachMessage(batch, i, [], (subject) => {
    for (const name of NEEDLE_FIELDS) {
      values.clear();
      findField(name)?.read(subject, values);
      for (const value of values.list.slice(0, values.count)) {
        const text = value instanceof Uint8Array ? octetsText(value) : JSON.stringify(String(value).toUpperCase());
        found.add(`${name} == ${text}`);
      }
    }
  });
  return [...found];
}

test('what a filter looks for in a row is in the stretch of the row', async () => {
  const encoder = new RowEncoder();
  let tried = 0;
  let irregular = 0;
  for (const batch of await allBatches()) {
    for (let i = 0; i < batch.count; i++) {
      const collector = new StretchCollector();
      encoder.read(batch, i);
      collector.add(batch, i, encoder, 5);
      const [{ held }] = collector.take(true);
      for (const filter of filtersOf(batch, i)) {
        if (!rowFilter(filter)(batch, i)) continue;
        const needles = needlesOf(`${filter} and frame.time > "1971-01-01"`);
        assert.equal(needles?.length, 1, filter);
        assert.ok(holding(needles ?? [])(held), filter);
        tried++;
        if (encoder.isIrregular) irregular++;
      }
    }
  }
  assert.ok(tried > 500 && irregular > 5, `${tried} tried, ${irregular} in irregular rows`);
});

test('a filter says which values it cannot do without', () => {
  const values = (text: string) => needlesOf(text)?.map(({ value }: Needle) => String(value));
  assert.deepEqual(values('dns.qry.name == "WWW.Example.com."'), ['www.example.com']);
  assert.deepEqual(values('192.0.2.1 == dns.a'), ['192,0,2,1']);
  assert.deepEqual(values('dns.a in {192.0.2.1, 192.0.2.2} and dns.flags.rcode == 0'), ['192,0,2,1', '192,0,2,2']);
  assert.deepEqual(values('dns.a == 192.0.2.1 or dns.qry.name == "a.example"'), ['192,0,2,1', 'a.example']);
  assert.deepEqual(values('dns.a in {192.0.2.1, 192.0.2.2} and dns.qry.name == "x"'), ['x']);
  for (const text of [
    '',
    'dns.a',
    'dns.a == 192.0.2.0/24',
    'dns.a != 192.0.2.1',
    'dns.a in {192.0.2.1 .. 192.0.2.9}',
    'dns.a not in {192.0.2.1}',
    'not dns.a == 192.0.2.1',
    'dns.a == 192.0.2.1 or dns.flags.rcode == 3',
    'dns.qry.name contains "example"',
    'lower(dns.qry.name) == "x"',
    'dns.a == dns.a',
  ]) {
    assert.equal(needlesOf(text), undefined, text);
  }
});

test('a name or an address that is nowhere is told without reading; others are found', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'nametap-stretches-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  let store = await openStore({ path });
  const batches = await allBatches();
  const kept = batches.flatMap((batch) => Array.from({ length: batch.count }, (_, i) => filtersOf(batch, i)).flat());
  const count = Math.floor(kept.length / 10);
  const filters = [...new Set(kept)].filter((_, k) => k % count === 0);
  const expected = new Map(filters.map((filter) => [filter, matching(batches, filter)]));
  for (const batch of batches) await store.append(batch, {}, true);
  const check = async (what: string) => {
    for (const [filter, wanted] of expected) {
      assert.deepEqual(await found(store, filter), wanted, `${what}: ${filter}`);
      const [row] = (await store.statistics({ ...ALWAYS, filter, measures: ['transactions'] })).rows;
      assert.equal(row?.transactions, wanted.length, `${what}: ${filter}`);
    }
  };
  await store.flush();
  await check('before it is learnt');
  await store.compact();
  await check('in files');
  for (const filter of [
    `dns.qry.name == "${'a'.repeat(200)}.${'b'.repeat(300)}"`,
    'dns.qry.name == "not.there.example"',
    'dns.a == 203.0.113.99',
    'dns.aaaa == 2001:db8:ffff::1',
  ]) {
    const pages = await Array.fromAsync(store.transactions({ ...ALWAYS, filter }));
    assert.deepEqual(
      pages.map(({ rows, scanned, done }) => ({ rows, scanned, done })),
      [{ rows: [], scanned: 0, done: true }],
    );
    const { rows } = await store.statistics({ ...ALWAYS, filter, measures: ['transactions'] });
    assert.equal(rows[0]?.transactions ?? 0, 0);
  }
  for (const batch of await allBatches()) await store.append(batch, {}, true);
  await store.close();
  store = await openStore({ path });
  for (const [filter, wanted] of expected) {
    const twice = [...new Set(await found(store, filter))];
    assert.deepEqual(twice, wanted, `after a start: ${filter}`);
  }
  await store.close();
});

function matching(batches: readonly TransactionBatch[], filter: string): string[] {
  const passes = rowFilter(filter);
  const id = ({ col: { idHigh, idLow } }: TransactionBatch, i: number) =>
    (BigInt(idHigh[i]) * 0x1_0000_0000n + BigInt(idLow[i])).toString(16).padStart(16, '0');
  return batches
    .flatMap((batch) => Array.from({ length: batch.count }, (_, i) => (passes(batch, i) ? [id(batch, i)] : [])).flat())
    .sort();
}

async function found(store: Store, filter: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { rows } of store.transactions({ ...ALWAYS, filter, limit: 10_000 })) {
    ids.push(...rows.map(({ transaction }) => transaction));
  }
  return ids.sort();
}
