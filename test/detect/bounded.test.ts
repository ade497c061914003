import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bounded } from '../../src/detect/bounded.ts';

test('there are never more keys than told, what is used stays, what goes is counted', () => {
  const gone: string[] = [];
  const bounded = new Bounded<string, { n: number }>(8, (_, key) => void gone.push(key));
  let made = 0;
  for (let i = 0; i < 100; i++) {
    const kept = bounded.take('kept', () => ({ n: made++ }));
    assert.equal(kept.n, 0, 'the same state all along');
    bounded.take(`k${i}`, () => ({ n: i }));
    assert.ok(bounded.size <= 8);
  }
  assert.equal(bounded.evicted, gone.length);
  assert.ok(!gone.includes('kept') && gone.includes('k0'));
  assert.equal(bounded.evicted + bounded.size, 101);
  assert.equal(bounded.peek('k99')?.n, 99);
  assert.equal(bounded.peek('k0'), undefined);
  assert.deepEqual(new Map(bounded).get('kept'), { n: 0 });
  assert.equal(bounded.delete('kept'), true);
  assert.equal(bounded.delete('kept'), false);
  bounded.clear();
  assert.equal(bounded.size, 0);
});
