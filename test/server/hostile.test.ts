import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FILTER } from '../../src/server/filters.ts';
import { problem } from '../../src/server/schema/common.ts';
import { namePage } from '../../src/server/schema/pages.ts';
import { statistics } from '../../src/server/schema/statistics.ts';
import { transactionsPage } from '../../src/server/schema/transactions.ts';
import { type Fixture, fixture, rowsOf } from './fixture.ts';

/** Labels as they may come from the wire, in presentation form. */
const LABELS = {
  script: '<script>alert(1)</script>',
  sql: "'\\; DROP TABLE transactions--",
  formula: "=cmd|'/c calc'!A1",
  plus: '+1+1',
  at: '\\@SUM(A1)',
  minus: '-2+3',
  escape: '\\027[31mred\\007',
  bidi: '\\226\\128\\174evil',
  zero: '\\000\\255',
  quote: '\\"a\\\\b',
  percent: '%00%2e%2e',
};
const NAMES = Object.values(LABELS).map((label) => `${label}.hostile.example`);
const TXT = '"=1+1" "\\027]0;title\\007" "<img src=x onerror=alert(1)>"';
const NOW = Date.now();

let f: Fixture;
before(async () => {
  f = await fixture();
  await f.add(
    rowsOf(
      NAMES.map((name, i) => ({
        time: NOW - 60_000 + i * 100,
        client: '10.0.0.1',
        name,
        type: 'TXT',
        answer: { answers: [{ name, type: 'TXT', ttl: 60, data: TXT }] },
      })),
    ),
  );
});
after(() => f.close());

/** C0 (but line ends), C1, bidirectional controls: what a terminal or a page would act on. */
const ACTS = /[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

test('JSON has them as text, never as markup of another content type', async () => {
  const response = await f.get('/api/v1/transactions?from=-1h&limit=100');
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  const text = await response.text();
  assert.doesNotMatch(text, ACTS);
  const { rows } = transactionsPage.parse(JSON.parse(text));
  assert.equal(rows.length, NAMES.length);
  assert.ok(
    rows.some(({ name }) => name?.includes('<script>')),
    'as it was on the wire',
  );
  assert.ok(rows.every(({ answers }) => answers?.[0].data.includes('onerror')));
});

test('a name is found by itself, whatever is in it, and finds nothing else', async () => {
  const { rows } = transactionsPage.parse(await f.json('/api/v1/transactions?from=-1h&limit=100'));
  assert.equal(rows.length, NAMES.length);
  for (const { name = '' } of rows) {
    const own = encodeURIComponent(FILTER.name(name));
    const linked = statistics.parse(await f.json(`/api/v1/statistics?from=-1h&f=${own}`));
    assert.equal(linked.rows[0].transactions, 1, name);
    const found = await f.get(`/api/v1/pdns?q=${encodeURIComponent(name)}`);
    assert.ok(found.status === 200 || found.status === 400, `${name}: ${found.status}`);
  }
  for (const name of rows.slice(0, 3).map((row) => row.name ?? '')) {
    const page = namePage.parse(await f.json(`/api/v1/names/${encodeURIComponent(name)}?from=-1h`));
    assert.equal(page.totals.transactions, 1, name);
  }
});

test('the tables are still there', async () => {
  for (const attack of ["x' OR 1=1 --", 'x"; DROP TABLE transactions; --', "' UNION SELECT 1 --"]) {
    for (const path of [
      `/api/v1/pdns?q=${encodeURIComponent(attack)}`,
      `/api/v1/names/${encodeURIComponent(attack)}`,
      `/api/v1/transactions?from=-1h&after=${encodeURIComponent(attack)}`,
      `/api/v1/statistics?from=-1h&group=${encodeURIComponent(attack)}`,
      `/api/v1/audit?after=${encodeURIComponent(attack)}`,
      `/query/${encodeURIComponent(attack)}`,
    ]) {
      assert.ok((await f.get(path)).status < 500, path);
    }
  }
  const all = statistics.parse(await f.json('/api/v1/statistics?from=-1h'));
  assert.equal(all.rows[0].transactions, NAMES.length);
});

test('a table program sees text in CSV, not formulas', async () => {
  const text = await (await f.get('/api/v1/export?format=csv&from=-1h')).text();
  assert.doesNotMatch(text, ACTS);
  const [header, ...lines] = csv(text);
  assert.equal(lines.length, NAMES.length);
  for (const line of lines) {
    line.forEach((cell, i) => {
      const isNumber = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(cell);
      assert.ok(isNumber || !/^[=+\-@\t\r]/.test(cell), `${header[i]}: ${cell}`);
    });
  }
});

test('NDJSON and the formats of passive DNS have no control characters', async () => {
  for (const path of [
    '/api/v1/export?format=ndjson&from=-1h',
    '/query/*.hostile.example',
    '/dnsdb/v2/lookup/rrset/name/*.hostile.example',
  ]) {
    const text = await (await f.get(path)).text();
    assert.doesNotMatch(text, ACTS, path);
    assert.ok(
      text
        .trim()
        .split('\n')
        .every((line) => typeof JSON.parse(line) === 'object'),
      path,
    );
  }
});

test('problems repeat what was asked as text only', async () => {
  const attack = '<script>alert(1)</script>\x1b[31m\u202e';
  for (const path of [
    `/api/v1/transactions?f=${encodeURIComponent(attack)}`,
    `/api/v1/transactions?${encodeURIComponent(attack)}=1`,
    `/api/v1/names/${encodeURIComponent(`${attack}..`)}`,
    `/api/v1/${encodeURIComponent(attack)}`,
    `/api/v1/pdns?q=${encodeURIComponent(`192.0.2.0/99 ${attack}`)}`,
  ]) {
    const response = await f.get(path);
    assert.equal(response.headers.get('content-type'), 'application/problem+json', path);
    const text = await response.text();
    assert.doesNotMatch(text, ACTS, path);
    problem.parse(JSON.parse(text));
  }
});

function csv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const match of text.matchAll(/("(?:[^"]|"")*"|[^,\n\r]*)(,|\r?\n|$)/g)) {
    const [whole, cell, end] = match;
    if (whole === '') break;
    rows[rows.length - 1].push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end !== ',') rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}
