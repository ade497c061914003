import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageOf } from '../../scripts/evaluate/page.ts';
import {
  mean,
  meanHalf,
  median,
  medianInterval,
  poisson,
  rate,
  share,
  wilson,
} from '../../scripts/evaluate/statistics.ts';

const near = (a: number, b: number, by = 0.005) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

test('intervals are those of the tables', () => {
  near(wilson(29, 29).low, 0.883);
  assert.equal(wilson(29, 29).high, 1);
  near(wilson(5, 10).low, 0.237);
  near(wilson(5, 10).high, 0.763);
  // Garwood's exact bounds: 0 → 3.689, 3 → 0.619 to 8.767, 10 → 4.795 to 18.39.
  near(poisson(0).high, 3.689, 0.08);
  near(poisson(3).low, 0.619, 0.02);
  near(poisson(3).high, 8.767, 0.02);
  near(poisson(10).low, 4.795, 0.02);
  near(poisson(10).high, 18.39, 0.02);
});

test('figures as text', () => {
  assert.equal(share(29, 29), '29/29 = 100 % [88, 100]');
  assert.equal(share(0, 16), '0/16 = 0 % [0, 19]');
  assert.match(rate(5, 5000, 1000, 'client-days'), /^5 = 1\.00 \[0\.32, 2\.33\] per 1,000 client-days$/);
});

test('centres', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.deepEqual(medianInterval([5, 1, 4, 2, 3]), { low: 1, high: 5 });
  assert.equal(mean([1, 2, 3]), 2);
  near(meanHalf([1, 2, 3]), 1.13, 0.01);
});

test('the page says what was met, what was missed and what was not run', () => {
  const experiment = { id: 'E0', title: 'Nothing', method: 'None.' };
  const other = { ...experiment, id: 'E01' };
  const figures = [
    { what: 'a', value: '1|2', aim: '1', isMet: true },
    { what: 'b', value: '2', aim: '1', isMet: false, anchor: 'x' },
  ];
  const page = pageOf([
    { experiment, figures },
    { experiment: other, figures: undefined },
  ]);
  assert.match(page, /\| a \| 1\\\|2 \| 1 \| met \|  \|/);
  assert.match(page, /\| b \| 2 \| 1 \| \*\*missed\*\* \| x \|/);
  assert.match(page, /\*\*Not run\*\*/);
});

test('one experiment run anew leaves the others as they are', () => {
  const of = (id: string, value: string) => ({
    experiment: { id, title: 'Title', method: 'Method.' },
    figures: [{ what: 'w', value }],
  });
  const first = pageOf([of('E1', 'one'), of('E2', 'two'), of('E10', 'ten')]);
  const second = pageOf([of('E2', 'new')], first);
  assert.equal(second, pageOf([of('E1', 'one'), of('E2', 'new'), of('E10', 'ten')]));
  assert.ok(second.indexOf('| w | new') < second.indexOf('| w | ten'));
});
