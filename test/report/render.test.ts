import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registrableStart } from '../../src/enrich/public-suffix.ts';
import { numberText, percentText, plainText, sizeText, spanText } from '../../src/core/figures.ts';
import { reportHtml } from '../../src/report/html.ts';
import { Report } from '../../src/report/report.ts';
import { reportText } from '../../src/report/text.ts';
import type { ReportValue } from '../../src/report/value.ts';
import { a, batchesOf, type Row } from './rows.ts';

function value(rows: Row[]): ReportValue {
  const report = new Report({}, registrableStart);
  for (const batch of batchesOf(rows)) report.add(batch);
  return report.value({ files: ['a\u202eb<script>.pcap'], filter: 'dns && "x" < \u0007' });
}

const some = value(
  Array.from({ length: 300 }, (_, i) => ({
    at: 1_700_000_000 + i,
    name: i === 7 ? '<img src=x onerror=alert(1)>&"\'.evil.com' : `host${i % 9}.example.com`,
    latencyNanos: 1_000_000 * (1 + (i % 40)),
    rcode: i % 10 === 0 ? 3 : 0,
    outcome: i % 50 === 1 ? 'unanswered' : 'answered',
    server: `10.0.0.${i % 3}`,
    answers: [a('192.0.2.1')],
  })),
);

test('text: every metric with value, unit and meaning, within the width', () => {
  const text = reportText(some, 80);
  assert.match(text, /^ {2}metric +value +unit +meaning$/m);
  assert.match(text, /^ {2}transactions +300 +a query with its response/m);
  assert.match(text, /^ {2}variance +[\d.,]+/m);
  assert.match(text, /^ {2}unit +ms +B +B +s +rec/m);
  assert.match(text, /example\.com/);
  for (const line of text.split('\n')) assert.ok(line.length <= 130, line);
  const wide = text.split('\n').filter((line) => line.length > 80);
  assert.deepEqual(wide, []);
});

test('text: nothing from outside reaches the terminal unescaped', () => {
  const text = reportText(some);
  // biome-ignore lint: control characters are what is looked for
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  assert.match(text, /a\\u\{202e\}b/);
});

test('html: one file that loads nothing, runs nothing, and escapes what came from outside', () => {
  const html = reportHtml(some);
  assert.doesNotMatch(html, /<script|<img|<link|<iframe|javascript:|\bon\w+=["']/i);
  assert.doesNotMatch(html, /\b(?:src|href)=|url\(|@import/i);
  assert.match(html, /default-src 'none'/);
  assert.match(html, /prefers-color-scheme:dark/);
  assert.match(html, /&#60;img/);
  assert.doesNotMatch(html, /\u202e/);
  const open = (html.match(/<(?:section|table|tbody|thead|tr|td|th|svg|div|main|p|h2)\b/g) ?? []).length;
  const close = (html.match(/<\/(?:section|table|tbody|thead|tr|td|th|svg|div|main|p|h2)>/g) ?? []).length;
  assert.equal(open, close, 'every element is closed');
  assert.doesNotMatch(html, /NaN|undefined|Infinity/);
});

test('nothing at all renders too', () => {
  const empty = value([]);
  assert.match(reportText(empty), /no DNS transactions/);
  assert.match(reportHtml(empty), /No DNS transactions/);
  assert.doesNotMatch(reportHtml(empty) + reportText(empty), /NaN|undefined|Infinity|null/);
});

test('one single transaction renders too', () => {
  const one = value([{}]);
  assert.doesNotMatch(reportHtml(one) + reportText(one), /NaN|undefined|Infinity/);
});

test('numbers as people read them', () => {
  assert.equal(numberText(1234567), '1,234,567');
  assert.equal(numberText(-1234), '-1,234');
  assert.equal(numberText(0.0123456), '0.01235');
  assert.equal(numberText(null), '–');
  assert.equal(percentText(0.041), '4.10 %');
  assert.equal(percentText(0.00001), '<0.01 %');
  assert.equal(spanText(0.45), '450 ms');
  assert.equal(spanText(250), '4 min 10 s');
  assert.equal(spanText(10_920), '3 h 2 min');
  assert.equal(plainText('a\x1b[31mb'), 'a\\u{1b}[31mb');
});

test('bytes have the unit that keeps them short', () => {
  const sizes = [0, 812, 999, 1000, 4096, 99_960, 268_400_000, 5e15];
  assert.deepEqual(sizes.map(sizeText), ['0 B', '812 B', '999 B', '1 kB', '4.1 kB', '100 kB', '268 MB', '5000 TB']);
});
