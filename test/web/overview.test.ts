import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  between,
  bytes,
  count,
  defang,
  duration,
  milliseconds,
  percent,
  plain,
  rate,
  rateFormat,
} from '../../web/src/format.ts';
import { answerOf } from '../../web/src/answer.ts';
import { everyDoubling } from '../../web/src/overview/doublings.ts';
import { fates } from '../../web/src/overview/fates.ts';
import { gauge } from '../../web/src/overview/gauge.ts';
import { perSecond } from '../../web/src/overview/per-second.ts';
import { sentenceOf, told } from '../../web/src/overview/told.ts';
import { sparkPath } from '../../web/src/ui/spark-path.ts';
import { quantileRow } from '../../web/src/ui/quantile.ts';
import { say } from '../../src/server/said.ts';
import type { Transaction } from '../../src/server/schema/transactions.ts';
import type { Sensor } from '../../src/server/schema/sensors.ts';

test('numbers are short and never read nothing for something', () => {
  assert.deepEqual([0, 812, 9120, 18_400, 999_960, 1_234_567, 66e9].map(count), [
    '0',
    '812',
    '9,120',
    '18.4k',
    '1M',
    '1.23M',
    '66G',
  ]);
  assert.deepEqual(
    [0, 0.00001, 0.041, 0.5, 1].map((value) => plain(percent(value))),
    ['0 %', '<0.01 %', '4.1 %', '50 %', '100 %'],
  );
  assert.deepEqual(
    [18_420, 31.4, 0.25, 0.001, 0].map((value) => plain(rate(value))),
    ['18.4 k/s', '31.4 /s', '15 /min', '3.6 /h', '0 /s'],
  );
  assert.deepEqual(
    [0.038, 3.1449, 412, 4096].map((value) => plain(milliseconds(value))),
    ['38 µs', '3.14 ms', '412 ms', '4.1 s'],
  );
  assert.deepEqual([1.23, 240, 12_000, 86_400 * 12].map(duration), ['1.23 s', '4 min', '3 h 20 min', '12 d']);
  assert.deepEqual([0, 0.25, 1.5].map(rateFormat(1.5)), ['0/s', '0.25/s', '1.5/s']);
  assert.deepEqual([0.25, 0.5].map(rateFormat(0.5)), ['15/min', '30/min']);
  assert.deepEqual([5000, 20_000].map(rateFormat(20_000)), ['5000/s', '20k/s']);
  assert.equal(between(percent(0.01), percent(0.03)), '1 – 3 %');
  assert.equal(between(milliseconds(0.5), milliseconds(3)), '500 µs – 3 ms');
  assert.equal(plain(bytes(84_000)), '84 kB');
  assert.equal(defang('http://a.example'), 'hxxp[:]//a[.]example');
});

test('the last bucket counts for the part of it that is over', () => {
  const time = ['2026-11-24T12:00:00.000Z', '2026-11-24T12:01:00.000Z'];
  const series = {
    step: 60,
    time,
    transactions: [600, 300],
    nxdomain_ratio: [0.1, null],
    servfail_ratio: [0, 0],
    unanswered_ratio: [0, 0],
    expected: { transactions: { low: [300, 300], high: [900, null] }, nxdomain_ratio: null },
    anomalies: [{ time: time[0], series: 'transactions' as const, value: 600 }],
  };
  const half = perSecond(series, Date.parse(time[1]) + 30_000, null);
  assert.deepEqual(half.rate[0].values, [10, 10]);
  const lagging = perSecond(series, Date.parse(time[1]) + 60_000, Date.parse(time[1]) + 30_000);
  assert.deepEqual(lagging.rate[0].values, [10, 10], 'what is on its way is not missing');
  assert.deepEqual(lagging.nxdomain[0].values, [0.1, null]);
  const stopped = perSecond(series, Date.parse(time[1]) + 60_000, Date.parse(time[0]) - 60_000);
  assert.deepEqual(stopped.rate[0].values, [10, 5], 'nothing came: that is so');
  assert.deepEqual(half.band, { low: [5, 5], high: [15, null] });
  assert.deepEqual(half.anomalies, [{ time: Date.parse(time[0]), value: 10 }]);
  assert.deepEqual(perSecond(series, Date.parse(time[1]) + 1000, null).rate[0].values, [10, null]);
  assert.deepEqual(perSecond({ ...series, time: [], transactions: [] }, 0, null).rate[0].values, []);
});

test('a gauge holds its band in the middle and its value within its ends', () => {
  const { low, high, at } = gauge(15, { low: 10, high: 20 });
  assert.ok(Math.abs(low - 100 / 3) < 1e-9 && Math.abs(high - 200 / 3) < 1e-9 && Math.abs(at - 50) < 1e-9);
  assert.equal(gauge(1e9, { low: 10, high: 20 }).at, 100);
  assert.equal(gauge(-1e9, { low: 10, high: 20 }).at, 0);
  assert.ok(Number.isFinite(gauge(0, { low: 0, high: 0 }).at));
});

test('quantiles lie in the row that reaches them', () => {
  assert.equal(quantileRow([0, 0], 0.5), null);
  assert.equal(quantileRow([0, 10, 0, 0], 0.5), 1.5);
  assert.equal(quantileRow([50, 50], 0.5), 1);
  assert.equal(quantileRow([99, 0, 1], 0.99), 1);
  assert.equal(quantileRow([1, 0, 1], 1), 3);
});

test('sparklines break at what is not known', () => {
  assert.equal(sparkPath([0, 10], 10, 12), 'M0 11L10 1');
  assert.equal(sparkPath([1, null, 1], 10, 12), 'M0 1M10 1');
  assert.equal(sparkPath([], 10, 12), '');
});

test('an answer in one line', () => {
  const of = (part: Partial<Transaction>) => {
    const { text, key } = answerOf({ outcome: 'answered', rcode: 'NOERROR', ...part } as Transaction);
    return key ?? text;
  };
  const record = (type: string, data: string) => ({ name: 'a', type, class: 'IN', ttl: 1, data });
  assert.equal(of({ addresses: ['192.0.2.1', '192.0.2.2'] }), '192.0.2.1 +1');
  assert.equal(of({ addresses: ['192.0.2.1'], cnames: ['b.example', 'c.example'] }), 'c.example → 192.0.2.1');
  assert.equal(of({ answers: [record('MX', '10 mail.example')] }), '10 mail.example');
  assert.equal(of({ rcode: 'NXDOMAIN' }), 'NXDOMAIN');
  assert.equal(of({ outcome: 'unanswered' }), 'answer.unanswered');
  assert.equal(of({ answer_kind: 'nodata' }), 'answer.nodata');
  assert.equal(of({}), 'answer.nodata');
});

test('the fates of frames are added up over sensors, what was lost apart', () => {
  const sensor = (frames: Record<string, number>) => ({ ledger: { frames } }) as unknown as Sensor;
  assert.deepEqual(fates([sensor({ carried: 90, not_dns: 5 }), sensor({ carried: 5, kernel: 1, ring: 0 })]), [
    { cause: 'carried', n: 95, lost: false },
    { cause: 'not_dns', n: 5, lost: false },
    { cause: 'kernel', n: 1, lost: true },
  ]);
});

test('a heatmap has every doubling between those that occur', () => {
  const { bucket_ms, counts } = everyDoubling({ time: ['t'], bucket_ms: [0, 0.5, 4], counts: [[1, 2, 3]] });
  assert.deepEqual(bucket_ms, [0.0625, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32]);
  assert.deepEqual(counts, [[0, 0, 1, 2, 0, 0, 3, 0, 0, 0]]);
  assert.deepEqual(everyDoubling({ time: [], bucket_ms: [], counts: [] }).bucket_ms, []);
});

test('a reason that the sentence tells is linked there, the others stand behind it', async () => {
  const reason = (level: 'degraded' | 'attention', n: number, link: string | null) => ({
    key: `${n}`,
    ...say('state.alerts', { n }),
    level,
    link,
  });
  const state = {
    level: 'degraded' as const,
    sentence: 'Degraded: 1 open alert; 2 open alerts; 2 more.',
    told: 2,
    rest: say('state.more', { n: 2 }),
    reasons: [
      reason('attention', 7, null),
      reason('degraded', 1, '/alerts'),
      reason('degraded', 2, '/sensors'),
      reason('degraded', 3, null),
    ],
  };
  const { pieces, rest } = told(state);
  assert.deepEqual(pieces, [
    { text: 'Degraded: ', link: null },
    { text: '1 open alert', link: '/alerts' },
    { text: '; ', link: null },
    { text: '2 open alerts', link: '/sensors' },
    { text: '; ', link: null },
    { text: '2 more', link: null },
    { text: '.', link: null },
  ]);
  assert.deepEqual(
    rest.map(({ text }) => text),
    ['7 open alerts', '3 open alerts'],
  );
  assert.equal(sentenceOf(state), state.sentence);
});
