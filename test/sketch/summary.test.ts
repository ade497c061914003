import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Distribution, summarize } from '../../src/sketch/summary.ts';

function of(values: number[]): Distribution {
  const distribution = new Distribution(42);
  for (const value of values) distribution.add(value);
  return distribution;
}

const PERCENTILES = ['p50', 'p90', 'p95', 'p99'] as const;

test('percentiles stay within the stated error of the exact ones', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 1 }), (values) => {
      const exact = summarize(values, 'ns');
      const found = of(values).summary('ns');
      for (const p of PERCENTILES) {
        const want = exact[p] as number;
        const got = found[p] as number;
        assert.ok(Math.abs(got - want) <= want * (found.error as number) + 1e-9, `${p}: ${got} for ${want}`);
      }
    }),
  );
});

test('whole numbers below 256 have exact percentiles', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1 }), (values) => {
      const exact = summarize(values, '');
      const found = of(values).summary('');
      for (const p of PERCENTILES) assert.equal(found[p], exact[p]);
    }),
  );
});

test('any split over workers gives the same summary', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1_000_000, max: 2 ** 31 - 1 })), fc.nat(), (values, cut) => {
      const at = cut % (values.length + 1);
      const merged = Distribution.from(structuredClone(of(values.slice(0, at)).state()));
      merged.merge(of(values.slice(at)));
      assert.deepEqual(merged.summary('ns'), of(values).summary('ns'));
    }),
  );
});

test('nothing gives nulls, not NaN', () => {
  for (const empty of [summarize([], 'ms'), of([]).summary('ms')]) {
    const { n, unit, ...numbers } = empty;
    assert.equal(n, 0);
    assert.equal(unit, 'ms');
    for (const value of Object.values(numbers)) assert.equal(value, null);
    assert.equal(JSON.stringify(empty).includes('NaN'), false);
  }
});

test('summarize: nearest rank percentiles and population variance', () => {
  const summary = summarize(
    Float64Array.from({ length: 100 }, (_, i) => 100 - i),
    'ms',
  );
  assert.deepEqual(
    { ...summary },
    {
      n: 100,
      mean: 50.5,
      variance: 833.25,
      stddev: Math.sqrt(833.25),
      min: 1,
      max: 100,
      p50: 50,
      p90: 90,
      p95: 95,
      p99: 99,
      unit: 'ms',
    },
  );
});

test('a summary in another unit is scaled, its variance by the square', () => {
  const summary = of([1_000_000, 3_000_000]).summary('ms', 1e6);
  assert.equal(summary.mean, 2);
  assert.equal(summary.variance, 1);
  assert.equal(summary.min, 1);
  assert.equal(summary.max, 3);
});

test('responses stamped before their query keep their sign', () => {
  const summary = of([-500, -500, -100]).summary('ns');
  assert.equal(summary.min, -500);
  assert.equal(summary.max, -100);
  assert.equal(summary.p50, -100, 'below 1 the histogram knows only the bounds');
});
