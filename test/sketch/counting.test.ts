import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Cardinality } from '../../src/sketch/cardinality.ts';
import { entropyBits, entropyOf } from '../../src/sketch/entropy.ts';
import { SAMPLE_SIZE, Samples } from '../../src/sketch/samples.ts';
import { Timeline } from '../../src/sketch/timeline.ts';

/** A well-spread 32-bit hash of a small number. */
function spread(i: number): number {
  let h = Math.imul(i ^ (i >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

test('cardinality is exact up to 64', () => {
  const seen = new Cardinality();
  for (let i = 0; i < 64; i++) for (let k = 0; k < 3; k++) seen.add(spread(i));
  assert.equal(seen.value, 64);
  assert.equal(seen.exact, true);
});

test('cardinality stays within four standard errors up to two million', () => {
  const seen = new Cardinality();
  let next = 100;
  for (let i = 1; i <= 2_000_000; i++) {
    seen.add(spread(i));
    if (i !== next) continue;
    assert.ok(Math.abs(seen.value - i) <= 4 * Cardinality.ERROR * i, `${seen.value} for ${i}`);
    next = i * 3;
  }
  assert.equal(seen.exact, false);
});

test('cardinality of a union is the same however it was split', () => {
  for (const [total, cut] of [
    [40, 20],
    [100, 50],
    [100, 99],
    [5000, 10],
    [5000, 2500],
  ]) {
    const whole = new Cardinality();
    const left = new Cardinality();
    const right = new Cardinality();
    for (let i = 0; i < total; i++) {
      whole.add(spread(i));
      (i < cut ? left : right).add(spread(i));
    }
    const merged = new Cardinality(structuredClone(left.state()));
    merged.merge(right);
    assert.equal(merged.value, whole.value, `${total} cut at ${cut}`);
    assert.equal(merged.exact, whole.exact);
  }
});

test('entropy: one outcome 0 bits, n equal ones log2 n, a fair against a loaded coin', () => {
  assert.equal(entropyBits([]), 0);
  assert.equal(entropyBits([12]), 0);
  assert.equal(entropyBits([3, 3, 3, 3]), 2);
  assert.ok(Math.abs(entropyOf([1, 1, 1, 2]) - 0.8112781244591328) < 1e-12);
});

test('a sample holds everything up to its size, and then the same values in any order', () => {
  const values = Array.from({ length: 5000 }, (_, i) => i);
  const offer = (list: number[], entry = 0) => {
    const samples = new Samples();
    for (const value of list) samples.add(entry, spread(value), value);
    return samples;
  };
  const kept = (samples: Samples, entry = 0) => [...samples.values(entry)].sort((a, b) => a - b);
  assert.deepEqual(kept(offer(values.slice(0, SAMPLE_SIZE))), values.slice(0, SAMPLE_SIZE));
  const smallest = values.toSorted((a, b) => spread(a) - spread(b)).slice(0, SAMPLE_SIZE);
  const whole = smallest.sort((a, b) => a - b);
  assert.deepEqual(kept(offer(values)), whole);
  assert.deepEqual(kept(offer(values.toReversed())), whole);
  const merged = Samples.from(structuredClone(offer(values.slice(1234)).state(1)));
  merged.merge(0, offer(values.slice(0, 1234), 20), 20);
  assert.deepEqual(kept(merged), whole);
  assert.equal(merged.offered(0), 5000);
});

test('samples move with their entries', () => {
  const samples = new Samples();
  for (let entry = 0; entry < 40; entry++) for (let k = 0; k <= entry; k++) samples.add(entry, spread(k), entry);
  samples.compact(Uint32Array.of(3, 5, 39, 70));
  assert.deepEqual(
    [0, 1, 2, 3, 4, 39].map((entry) => [samples.offered(entry), samples.values(entry)[0]]),
    [
      [4, 3],
      [6, 5],
      [40, 39],
      [0, undefined],
      [0, undefined],
      [0, undefined],
    ],
  );
});

test('a timeline counts everything, at the finest width that fits, in any order and split', () => {
  const times = fc.array(fc.integer({ min: 1_700_000_000, max: 1_700_000_000 + 5_000_000 }), { minLength: 1 });
  fc.assert(
    fc.property(times, fc.nat(), (seconds, cut) => {
      const of = (list: number[]) => {
        const line = new Timeline();
        for (const second of list) line.add(second, 0);
        return line;
      };
      const whole = of(seconds);
      const { counts, binSeconds, firstSeconds } = whole.value;
      assert.equal(
        counts.reduce((a, b) => a + b, 0),
        seconds.length,
      );
      assert.ok(counts.length <= 1024);
      assert.ok(counts[0] > 0 && (counts.at(-1) as number) > 0);
      const bins = new Map<number, number>();
      for (const second of seconds) {
        const bin = Math.floor(second / binSeconds) - firstSeconds / binSeconds;
        bins.set(bin, (bins.get(bin) ?? 0) + 1);
      }
      counts.forEach((count, i) => {
        assert.equal(count, bins.get(i) ?? 0);
      });
      assert.deepEqual(of(seconds.toReversed()).value, whole.value);
      const at = cut % (seconds.length + 1);
      const merged = new Timeline(structuredClone(of(seconds.slice(at)).state()));
      merged.merge(of(seconds.slice(0, at)));
      assert.deepEqual(merged.value, whole.value);
    }),
  );
});
