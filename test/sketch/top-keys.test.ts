import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashOf, KeyTable } from '../../src/sketch/key-table.ts';
import { FIRST_TALLY, TopKeys } from '../../src/sketch/top-keys.ts';

const key = new Int32Array(64);
/** A key of 1 to 6 words for a number. */
function write(i: number): number {
  const words = 1 + (i % 6);
  key.fill(i, 0, words);
  return words;
}
function add(top: TopKeys, i: number, tally = 0): void {
  top.add(key, 0, write(i));
  if (tally > 0) top.keys.doubles[top.keys.double + FIRST_TALLY] += tally;
}
function number(top: TopKeys, entry: number): number {
  const { array, from } = top.keys.key(entry);
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
        assert.equal(top.value(entry, FIRST_TALLY), 2 * count);
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
    assert.ok(top.value(entry, FIRST_TALLY) <= count, 'tallies are never too high');
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
    const entry = top.add(key, 0, write(i));
    names[entry] = i;
    // Some keys come often, so that they survive.
    if (i > 5) top.add(key, 0, write(i % 5));
  }
  assert.ok(top.size <= 1000);
  for (let entry = 0; entry < top.size; entry++) assert.equal(names[entry], number(top, entry));
  for (let i = 0; i < 5; i++) assert.ok(top.keys.find(key, 0, write(i)) >= 0, 'frequent keys stay');
});

test('a key table keeps records over chunk borders, growth and compaction', () => {
  const table = new KeyTable(100_000, { ints: 2, doubles: 3 });
  for (let i = 0; i < 20_000; i++) {
    assert.equal(table.insert(key, 0, write(i)), i);
    table.words[table.int + 1] = ~i;
    table.doubles[table.double + 2] = i / 7;
  }
  const check = (entry: number, i: number) => {
    assert.equal(table.find(key, 0, write(i)), entry);
    assert.deepEqual([table.words[table.int], table.words[table.int + 1]], [0, ~i]);
    assert.deepEqual([...table.numbers(entry)], [0, 0, i / 7]);
    const at = table.at;
    table.seek(0);
    table.seekAt(at);
    assert.equal(table.doubles[table.double + 2], i / 7);
  };
  for (let i = 0; i < 20_000; i += 7) check(i, i);
  table.compact(Uint32Array.from({ length: 5000 }, (_, i) => i * 4 + 3));
  assert.equal(table.size, 5000);
  for (let entry = 0; entry < 5000; entry += 3) check(entry, entry * 4 + 3);
  assert.equal(table.find(key, 0, write(8)), -1);
  const copy = KeyTable.from(structuredClone(table.state()));
  assert.equal(copy.find(key, 0, write(7)), table.find(key, 0, write(7)));
  assert.deepEqual(copy.numbers(1), table.numbers(1));
});

test('a key that came in right behind another is found from there, and only such a one', () => {
  const table = new KeyTable(100_000, { doubles: 1 });
  for (let i = 0; i < 30_000; i++) table.insert(key, 0, write(i));
  table.compact(Uint32Array.from({ length: 20_000 }, (_, i) => i + (i >> 1)));
  for (let entry = 0; entry < 20_000; entry++) {
    const i = entry + (entry >> 1);
    assert.equal(table.find(key, 0, write(i)), entry);
    assert.equal(table.findNext(key, 0, write(i)), -1, 'not itself');
    const next = entry + 1 + ((entry + 1) >> 1);
    assert.equal(table.findNext(key, 0, write(next)), entry === 19_999 ? -1 : entry + 1);
  }
});

test('touching reads, and changes nothing', () => {
  const table = new KeyTable(1000, { ints: 1 });
  const hashes = new Int32Array(600);
  const ints = new Int32Array(600);
  const addresses = new Int32Array(600);
  for (let i = 0; i < 600; i++) {
    hashes[i] = hashOf(key, 0, write(i));
    if (i % 2 === 0) {
      table.insert(key, 0, write(i), hashes[i]);
      table.words[table.int] = i + 1;
      addresses[i] = table.at + 1;
    }
  }
  table.touch(hashes, 10, 600, ints);
  table.touchAt(addresses, 10, 600);
  table.touchAt(Int32Array.of(0, -5, 0x7fffffff), 0, 3);
  assert.ok(
    ints.filter((n, i) => i >= 10 && i % 2 === 0 && n === i + 1).length > 200,
    'nearly all are where they begin',
  );
  assert.equal(table.size, 300);
});
