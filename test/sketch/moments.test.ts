import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Moments } from '../../src/sketch/moments.ts';

const whole = fc.oneof(
  fc.integer({ min: 0, max: 70000 }),
  fc.integer({ min: -1_000_000, max: 2 ** 31 - 1 }),
  fc.maxSafeInteger(),
);

function exact(values: number[]): { mean: number; variance: number } {
  const n = BigInt(values.length);
  let sum = 0n;
  let squares = 0n;
  for (const value of values) {
    sum += BigInt(value);
    squares += BigInt(value) ** 2n;
  }
  return { mean: Number(sum) / values.length, variance: Number(n * squares - sum * sum) / values.length ** 2 };
}

function of(values: number[]): Moments {
  const moments = new Moments();
  for (const value of values) moments.add(value);
  return moments;
}

test('moments are exact for whole numbers of any size', () => {
  fc.assert(
    fc.property(fc.array(whole, { minLength: 1, maxLength: 300 }), (values) => {
      const moments = of(values);
      assert.deepEqual({ mean: moments.mean, variance: moments.variance }, exact(values));
      assert.equal(moments.min, Math.min(...values));
      assert.equal(moments.max, Math.max(...values));
    }),
  );
});

test('more values than fit between two carries are still exact', () => {
  const values = Array.from({ length: 10_000 }, (_, i) => 4_398_046_511_103 - i * 7919);
  const moments = of(values);
  assert.deepEqual({ mean: moments.mean, variance: moments.variance }, exact(values));
});

test('any split over workers gives the same numbers, to the last bit', () => {
  fc.assert(
    fc.property(fc.array(whole, { minLength: 1 }), fc.nat(), (values, cut) => {
      const at = cut % (values.length + 1);
      const merged = Moments.from(structuredClone(of(values.slice(at)).state()));
      merged.merge(of(values.slice(0, at)));
      assert.deepEqual(merged.state(), of(values).state());
    }),
  );
});

test('variance divides by n: 2, 4, 4, 4, 5, 5, 7, 9 has variance 4', () => {
  assert.equal(of([2, 4, 4, 4, 5, 5, 7, 9]).variance, 4);
  assert.equal(of([2, 4, 4, 4, 5, 5, 7, 9]).mean, 5);
});

test('large values with small differences do not cancel', () => {
  assert.equal(of([1e15, 1e15 + 1, 1e15 + 2]).variance, 2 / 3);
});
