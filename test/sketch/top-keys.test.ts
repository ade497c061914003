import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyTable } from '../../src/sketch/key-table.ts';
import { FIRST_TALLY, TopKeys } from '../../src/sketch/top-keys.ts';

const key = new Int32Array(64);
/** A key of 1 to 6 words for a number. */
function write(i: number): number {
  const words = 1 + (i % 6);
  key.fill(i, 0, words);
  return words;
}
function add(top: TopKeys, i: number, tally = 0): void {
  const entry = top.add(key, write(i));
  if (tally > 0) top.values[entry * top.stride + FIRST_TALLY] += tally;
}
function number(top: TopKeys, entry: number): number {
  const { array, from } = top.keys.record(entry);
  return array[from];
}

test('exact while every key has room', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 500 })), (stream) => {
      const top = new TopKeys(512, 1);
      const truth = new Map<number, number>();
      for (const i of stream) {
        add(top, i, 2);
        truth.set(i, (truth.get(i) ?? 0) + 1);
      }
      assert.equal(top.exact, true);
      assert.equal(top.size, truth.size);
      for (let entry = 0; entry < top.size; entry++) {
        const count = truth.get(number(top, entry)) as number;
        assert.equal(top.count(entry), count);
        assert.equal(top.error(entry), 0);
        assert.equal(top.values[entry * top.stride + FIRST_TALLY], 2 * count);
      }
    }),
  );
});

/** Checks every promise of TopKeys against the truth. */
function check(top: TopKeys, truth: Map<number, number>): void {
  const here = new Set<number>();
  assert.ok(top.size <= top.keys.capacity);
  for (let entry = 0; entry < top.size; entry++) {
    const i = number(top, entry);
    here.add(i);
    const count = truth.get(i) as number;
    assert.ok(top.count(entry) >= count, `never too low: ${top.count(entry)} for ${count}`);
    assert.ok(top.count(entry) - top.error(entry) <= count, `error bound: ${top.count(entry)} for ${count}`);
    assert.ok(top.error(entry) <= top.floor);
    assert.ok(top.values[entry * top.stride + FIRST_TALLY] <= count, 'tallies are never too high');
  }
  for (const [i, count] of truth) if (!here.has(i)) assert.ok(count <= top.floor, `${i} seen ${count}, not here`);
}

function skewed(n: number, range: number): number[] {
  let s = 12345;
  return Array.from({ length: n }, () => {
    s = (Math.imul(s, 1103515245) + 12345) >>> 0;
    return Math.floor(range ** (s / 2 ** 32)) - 1;
  });
}

test('full: counts are never too low, off by at most their error, and what is absent was rare', () => {
  const stream = skewed(200_000, 50_000);
  const truth = new Map<number, number>();
  const top = new TopKeys(1024, 1);
  for (const i of stream) {
    add(top, i, 1);
    truth.set(i, (truth.get(i) ?? 0) + 1);
  }
  assert.equal(top.exact, false);
  check(top, truth);
  assert.ok(top.floor <= (2 * stream.length) / 1024, `floor ${top.floor}`);
  const ranked = [...truth].sort((a, b) => b[1] - a[1]).slice(0, 20);
  assert.deepEqual(
    top
      .top(20)
      .map((entry) => number(top, entry))
      .sort((a, b) => a - b),
    ranked.map(([i]) => i).sort((a, b) => a - b),
  );
});

test('merged: the same promises; exact when both sides are', () => {
  for (const [capacity, range] of [
    [1024, 900],
    [1024, 50_000],
    [1024, 2_000],
  ]) {
    const stream = skewed(60_000, range);
    const truth = new Map<number, number>();
    const left = new TopKeys(capacity, 1);
    const right = new TopKeys(capacity, 1);
    stream.forEach((i, at) => {
      add(at % 3 === 0 ? left : right, i, 1);
      truth.set(i, (truth.get(i) ?? 0) + 1);
    });
    const merged = TopKeys.from(structuredClone(left.state()));
    merged.merge(TopKeys.from(structuredClone(right.state())));
    check(merged, truth);
    if (range === 900) {
      assert.equal(merged.exact, true);
      assert.equal(merged.size, truth.size);
    }
  }
});

test('unique keys only: memory stays bounded and the owner hears of every move', () => {
  const top = new TopKeys(1000);
  const names: number[] = [];
  top.onCompact = (kept) => {
    kept.forEach((from, to) => {
      names[to] = names[from];
    });
    names.length = kept.length;
  };
  for (let i = 0; i < 50_000; i++) {
    const entry = top.add(key, write(i));
    names[entry] = i;
    // Some keys come often, so that they survive.
    if (i > 5) top.add(key, write(i % 5));
  }
  assert.ok(top.size <= 1000);
  for (let entry = 0; entry < top.size; entry++) assert.equal(names[entry], number(top, entry));
  for (let i = 0; i < 5; i++) assert.ok(top.keys.find(key, write(i)) >= 0, 'frequent keys stay');
});

test('a key table keeps records over chunk borders, growth and compaction', () => {
  const table = new KeyTable(100_000);
  const total = (i: number) => (i % 6) + 1 + (i % 40);
  for (let i = 0; i < 20_000; i++) {
    const words = write(i);
    for (let k = words; k < total(i); k++) key[k] = i ^ k;
    assert.equal(table.insert(key, words, total(i)), i);
  }
  const check = (entry: number, i: number) => {
    const record = table.record(entry);
    assert.equal(record.total, total(i));
    assert.equal(record.array[record.from], i);
    for (let k = record.words; k < record.total; k++) assert.equal(record.array[record.from + k], i ^ k);
    assert.equal(table.find(key, write(i)), entry);
  };
  for (let i = 0; i < 20_000; i += 7) check(i, i);
  table.compact(Uint32Array.from({ length: 5000 }, (_, i) => i * 4 + 3));
  assert.equal(table.size, 5000);
  for (let entry = 0; entry < 5000; entry += 3) check(entry, entry * 4 + 3);
  assert.equal(table.find(key, write(8)), -1);
  const copy = KeyTable.from(structuredClone(table.state()));
  assert.equal(copy.find(key, write(7)), table.find(key, write(7)));
});
