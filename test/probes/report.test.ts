import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbeResult } from '../../src/core/probe.ts';
import { readBounds } from '../../src/probes/fail-on.ts';
import { junitText } from '../../src/probes/junit.ts';
import { commonMetrics } from '../../src/probes/metrics.ts';
import { beatOf, Tally } from '../../src/probes/tally.ts';

function result(ms: number | null, more: Partial<ProbeResult> = {}): ProbeResult {
  const outcome = ms === null ? 'timeout' : 'ok';
  return { time: 1000, outcome, ms, text: outcome, phases: {}, facts: {}, ...more };
}

function tallyOf(results: readonly ProbeResult[]): Tally {
  const tally = new Tally();
  for (const one of results) tally.add(one);
  return tally;
}

test('bounds: read, crossed, shown', () => {
  const tally = tallyOf([...Array.from({ length: 99 }, (_, i) => result(i + 1)), result(null)]);
  const crossed = (text: string) => readBounds(text).map((bound) => bound.isCrossed(tally));
  assert.deepEqual(crossed('p95>94ms, p95>95ms, p95>=95ms'), [true, false, true]);
  assert.deepEqual(crossed('loss>0.9%,loss>1%,max<1s,failed>0,failed>1%'), [true, false, true, true, false]);
  assert.equal(readBounds('loss>1%')[0].show(0.0123), '1.23%');
  assert.equal(readBounds('mean > 0.2s')[0].text, 'mean>0.2s');
  const nothing = tallyOf([result(null)]);
  assert.equal(readBounds('p95>1s')[0].isCrossed(nothing), true, 'no answer is no good time');
  for (const wrong of ['p96>1ms', 'p95=1ms', 'loss>1ms', 'p95>1', 'p95>', 'failed>x', '>1ms']) {
    assert.throws(() => readBounds(wrong), /--fail-on does not understand/, wrong);
  }
});

test('packets count as packets, checks of one question as themselves', () => {
  const tally = tallyOf([result(2, { trips: [1, 2, null, 3] }), result(null, { trips: [null, null] })]);
  assert.deepEqual([tally.checks, tally.failed, tally.sent, tally.lost], [2, 1, 6, 3]);
  assert.equal(tally.loss, 0.5);
  assert.equal(tally.times.n, 3);
  assert.equal(tally.jitter, 1);
});

test('a beat sums up results', () => {
  const beat = beatOf(
    [
      result(4, { phases: { connect: 1, first_byte: 3 } }),
      result(8, { phases: { connect: 3 } }),
      result(null, { outcome: 'refused', text: 'connection refused' }),
    ],
    7,
  );
  assert.deepEqual(beat, {
    time: 7,
    checks: 3,
    failed: 1,
    loss: 1 / 3,
    min: 4,
    p25: 4,
    p50: 4,
    p75: 8,
    max: 8,
    phases: { connect: 2, first_byte: 3 },
    outcome: 'refused',
    text: 'connection refused',
  });
});

test('JUnit: hostile texts stay texts', () => {
  const failure = result(null, { outcome: 'unexpected', text: '"><evil>\u0000&' });
  const text = junitText(
    'http',
    [{ target: 'http://a/?x=1&y=<2>', tally: tallyOf([failure]), failure }],
    [{ text: 'p95>1ms', isCrossed: true, value: '2ms' }],
  );
  assert.match(text, /tests="2" failures="2"/);
  assert.match(text, /name="http:\/\/a\/\?x=1&amp;y=&lt;2&gt;"/);
  assert.match(text, /the last: &quot;&gt;&lt;evil&gt;\\u\{0\}&amp;"/);
  assert.ok(!text.includes('<evil>'));
});

test('the hash of an address is that of others', () => {
  const hash = (address: string) =>
    commonMetrics(result(1, { address }), 1).find(({ name }) => name === 'probe_ip_addr_hash')?.value;
  // FNV-1a of 7f000001, and of ::1.
  assert.equal(hash('127.0.0.1'), 3668918509);
  assert.equal(hash('::1'), 1751717746);
});
