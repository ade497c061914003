import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { analyseCapture } from '../../src/library/browser.ts';
import { encodeMessage } from '../../src/library/wire.ts';
import { decodeMessage } from '../../src/app/decode.ts';
import { segments } from '../../web/src/explore/editor/segments.ts';
import { complete } from '../../web/src/explore/editor/complete.ts';
import { check, fieldInfos } from '../../web/src/explore/editor/language.ts';
import { estimate, Log } from '../../web/src/explore/log/log.ts';
import type { RowSource } from '../../web/src/explore/log/source.ts';
import { lineOf, octetsOf, pathOf, sign, treeLines, visibleLines } from '../../web/src/explore/detail/link.ts';

const fields = fieldInfos();
/** Completion at the mark `|`: labels, and the text once the first item is taken. */
function at(marked: string): { labels: string[]; first: string } {
  const caret = marked.indexOf('|');
  const text = marked.replace('|', '');
  const found = complete(text, caret, fields);
  if (found === undefined) return { labels: [], first: text };
  const { from, to, items } = found;
  return { labels: items.map(({ label }) => label), first: text.slice(0, from) + items[0].insert + text.slice(to) };
}

test('completion offers fields, then operators, then values, then joins', () => {
  assert.equal(at('|').labels[0], 'dns.qry.name');
  assert.equal(at('dns.qr|').first, 'dns.qry.name');
  assert.equal(at('rcode|').first, 'dns.flags.rcode');
  assert.equal(at('not (qry.ty|').first, 'not (dns.qry.type');
  assert.deepEqual(at('dns.qry.name |').labels.slice(0, 3), ['==', 'contains', 'matches']);
  assert.deepEqual(at('dns.time |').labels.slice(0, 3), ['==', '!=', '>']);
  assert.equal(at('dns.qry.name con|').first, 'dns.qry.name contains');
  assert.equal(at('dns.flags.rcode == nx|').first, 'dns.flags.rcode == NXDOMAIN');
  assert.equal(at('dns.qry.type in {A, AA|').first, 'dns.qry.type in {A, AAAA');
  assert.deepEqual(at('dns.flags.rcode == 3 |').labels, ['and', 'or']);
  assert.equal(at('dns.flags.rcode == 3 and dns.qry.na|').first, 'dns.flags.rcode == 3 and dns.qry.name');
  assert.equal(at('dns.q|ry.type == A').first, 'dns.qry.name == A', 'the rest of the word goes too');
  assert.deepEqual(at('dns.qry.name contains "dns.|').labels, [], 'nothing within a string');
  assert.deepEqual(at('dns.flags.truncated == |').labels, ['1', '0']);
});

test('every value and field that completion inserts is understood', () => {
  for (const { name, kind, values } of fields) {
    assert.equal(check(name, () => true).mistake, null, name);
    if (kind === 'protocol') continue;
    const start = `${name} == `;
    const items = values.length === 0 ? [] : complete(start, start.length, fields)?.items;
    for (const { insert } of items ?? []) assert.equal(check(start + insert, () => true).mistake, null, start + insert);
  }
});

test('a mistake is told with its place, and what would mend it', () => {
  const wrong = check('ip.src == 10.0.0.1 and dns.qry.nmae == "x"').mistake;
  assert.deepEqual([wrong?.at, wrong?.length, wrong?.fix], [23, 12, 'dns.qry.name']);
  assert.equal(check('dns.id = 4').mistake?.fix, '==');
  assert.equal(check('').mistake, null);
  const frame = check('dns and frame.len > 100').mistake;
  assert.deepEqual([frame?.at, frame?.length], [8, 9]);
  assert.match(frame?.reason ?? '', /not kept with transactions/);
  assert.equal(check('dns and frame.len > 100', () => true).mistake, null);
  assert.match(check('dns.flags.truncated').hints[0], /true or false/);
});

test('fields that history does not hold are marked, as the server says', () => {
  const row = { name: 'dns.qry.name', title: '', group: '', type: '', kind: '', folds: true, stored: false };
  const told = fieldInfos({ rows: [row] });
  assert.equal(told.find(({ name }) => name === 'dns.qry.name')?.stored, false);
  assert.equal(complete('dns.qry.name', 12, told)?.items[0].off, true);
});

test('lines and octets of a message are linked both ways', () => {
  const message = encodeMessage({
    id: 0x1234,
    flags: ['qr', 'rd'],
    questions: [{ name: 'www.example.com', type: 'A' }],
    answers: [{ name: 'www.example.com', type: 'A', ttl: 300, data: '192.0.2.1' }],
  });
  const lines = treeLines(decodeMessage(message, 0));
  assert.equal(lines[lineOf(lines, 0)].node.label, 'ID');
  const last = lineOf(lines, message.length - 1);
  assert.match(lines[last].node.value, /192\.0\.2\.1/);
  assert.deepEqual([lines[last].at, lines[last].end], [message.length - 4, message.length]);
  // Every octet belongs to a line that is not the whole message; every line lies within the message.
  for (let octet = 0; octet < message.length; octet++) {
    const line = lines[lineOf(lines, octet)];
    assert.ok(line.depth > 0, `octet ${octet}`);
  }
  for (const { at, end, parent } of lines) {
    assert.ok(end <= message.length);
    if (parent >= 0 && at >= 0 && lines[parent].at >= 0) assert.ok(at >= lines[parent].at && end <= lines[parent].end);
  }
  const path = pathOf(lines, last);
  assert.deepEqual([path[0], lines[path.at(-1) ?? 0].depth], [last, 0]);
  assert.deepEqual(visibleLines(lines, new Set([0])), [0]);
  assert.equal(visibleLines(lines, new Set()).length, lines.length);
});

test('a tree of any depth becomes lines; hexadecimal that is none ends', () => {
  let deep: { label: string; value: string; children?: (typeof deep)[] } = { label: 'x', value: '' };
  for (let i = 0; i < 100_000; i++) deep = { label: 'x', value: '', children: [deep] };
  assert.equal(treeLines([deep]).length, 5000);
  assert.deepEqual([...octetsOf('00fFzz11')], [0, 255]);
  assert.equal([0x41, 0x20, 0x00, 0xff, 0x3c].map(sign).join(''), 'A ··<');
});

const stop = new AbortController();
/** Rows of a real capture, as the page's worker gives them. */
async function captureSource(name: string): Promise<RowSource> {
  const bytes = readFileSync(new URL(`../captures/${name}`, import.meta.url));
  const analysis = await analyseCapture(new Blob([bytes]), { name, signal: stop.signal, progress: () => {} });
  return {
    hasHistory: false,
    async page({ f, limit, after }, { rows, end }) {
      const numbers = analysis.find(f);
      const from = Number(after ?? 0);
      const to = Math.min(numbers.length, from + limit);
      rows(Array.from(numbers.subarray(from, to), (n) => analysis.transaction(n)));
      end({ next: to < numbers.length ? String(to) : null, scanned_to: '', complete: true });
    },
    detail: () => Promise.reject(new Error('not asked for')),
  };
}

test('a log takes page after page, leaves out what it knows, and is bounded in front', async () => {
  const source = await captureSource('udp.pcap');
  const log = new Log(source, { from: '-1h', to: 'now', f: 'dns' });
  log.start();
  await setImmediate();
  const { length } = log.rows.value;
  assert.ok(length > 0 && !log.search.value.running);
  assert.deepEqual(log.reached, { found: length, oldest: log.rows.value.at(-1)?.time });
  log.prepend(log.rows.value.slice(0, 3), 100);
  assert.equal(log.rows.value.length, length, 'known rows are not shown twice');
  const fresh = log.rows.value.slice(0, 2).map((row, i) => ({ ...row, transaction: `fresh${i}` }));
  log.prepend(fresh, length);
  assert.deepEqual(log.rows.value.slice(0, 2), fresh);
  assert.equal(log.rows.value.length, length, 'the oldest gave way');
});

test('a wrong filter is an error of the search; what failed is tried again from where it was', async () => {
  const log = new Log(await captureSource('udp.pcap'), { from: '-1h', to: 'now', f: 'dns.nothing == 1' });
  log.start();
  await setImmediate();
  assert.match(log.search.value.error?.message ?? '', /dns\.nothing/);
  assert.equal(log.search.value.running, false);
  log.more();
  assert.notEqual(log.search.value.error, null, 'scrolling does not repeat what is wrong');
});

test('how many there are is judged by the newest', () => {
  assert.equal(estimate(100, 1000, 50_000), 5000);
  assert.equal(estimate(100, 100, 100), 100);
  assert.equal(estimate(100, 260, 3011), 1200, 'two digits');
  assert.equal(estimate(0, 1000, 50_000), null);
  assert.equal(estimate(10, 0, 50_000), null);
  assert.equal(estimate(100, 90, 1000), 1000, 'rows that came meanwhile do not make more than all');
});

test('a filter is cut into runs that are its text, with what is wrong marked', () => {
  const text = 'ip.src == 10.0.0.1 and dns.qry.nmae == "x"';
  const runs = segments(text, { at: 23, length: 12 }, 23);
  assert.equal(runs.map((run) => run.text).join(''), text);
  assert.deepEqual(
    runs.filter(({ wrong }) => wrong).map((run) => run.text),
    ['dns.qry.nmae'],
  );
  const missing = segments('dns.id ==', { at: 9, length: 1 }, -1);
  assert.deepEqual(missing.at(-1), { at: 9, text: ' ', kind: 'space', wrong: true });
});
