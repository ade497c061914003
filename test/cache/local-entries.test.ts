import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalEntries } from '../../src/cache/local-entries.ts';

test('what was not asked for the longest goes first, and memory has a bound', () => {
  const entries = new LocalEntries(4 * (128 + 2 * 11));
  for (const key of 'abcd') entries.set(key, '0123456789');
  assert.equal(entries.size, 4);
  assert.equal(entries.get('a'), '0123456789');
  entries.set('e', '0123456789');
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].map((key) => entries.get(key) !== undefined),
    [true, false, true, true, true],
  );
  assert.equal(entries.evicted, 1);
  assert.equal(entries.bytes, 4 * (128 + 2 * 11));
});

test('what is larger than all room is not kept, nor what was there under its key', () => {
  const entries = new LocalEntries(500);
  entries.set('a', 'short');
  entries.set('a', 'x'.repeat(500));
  assert.equal(entries.get('a'), undefined);
  assert.deepEqual([entries.size, entries.bytes], [0, 0]);
});

test('tags are forgotten one by one, or all of them', () => {
  const entries = new LocalEntries(10_000);
  entries.set('a', '1', 'views');
  entries.set('b', '2', 'users');
  entries.set('c', '3');
  entries.forget('views');
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => entries.get(key)),
    [undefined, '2', '3'],
  );
  entries.forget();
  assert.deepEqual(
    ['b', 'c'].map((key) => entries.get(key)),
    [undefined, '3'],
  );
});
