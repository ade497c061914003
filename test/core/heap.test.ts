import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Heap } from '../../src/core/heap.ts';

test('items come out in order, whatever the order in which they went in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new Heap<number>((a, b) => a < b);
      for (const number of numbers) heap.push(number);
      assert.equal(heap.size, numbers.length);
      const out = numbers.map(() => heap.pop());
      assert.deepEqual(
        out,
        numbers.toSorted((a, b) => a - b),
      );
      assert.equal(heap.pop(), undefined);
      assert.equal(heap.first, undefined);
    }),
  );
});
