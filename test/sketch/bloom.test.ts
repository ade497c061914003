import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bloomHas, bloomOf } from '../../src/sketch/bloom.ts';
import { mix } from '../../src/wire/name.ts';

test('a filter has every hash it was made of, and hardly any other', () => {
  for (const count of [0, 1, 7, 1000, 60_000]) {
    const octets = bloomOf(Int32Array.from({ length: count }, (_, i) => mix(i)));
    assert.ok(octets.length <= 1 + count * 1.25 + 1);
    for (let i = 0; i < count; i++) assert.ok(bloomHas(octets, mix(i) | 0), `${i} of ${count}`);
    let wrong = 0;
    for (let i = 0; i < 100_000; i++) if (bloomHas(octets, mix(1_000_000 + i) | 0)) wrong++;
    if (count > 100 || count === 0) assert.ok(wrong < 1500, `${wrong} of 100,000 with ${count}`);
  }
});
