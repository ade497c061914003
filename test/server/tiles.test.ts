import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tilesOf } from '../../src/server/tiles.ts';

const HOUR = 3_600_000;
const NOW = 1_764_806_400_000;

/** Queries a second of the last hour, in which 3600 transactions were seen. */
function rate(oldest: number | null): number | null | undefined {
  const tiles = tilesOf({
    range: { from: NOW - HOUR, to: NOW },
    now: { transactions: 3600 },
    previous: {},
    usual: null,
    fresh: null,
    loss: 0,
    oldest,
  });
  return tiles.find(({ key }) => key === 'qps')?.value;
}

test('a rate is of the time that was seen, not of the time before a first start', () => {
  assert.equal(rate(NOW - 2 * HOUR), 1);
  assert.equal(rate(NOW - HOUR / 4), 4);
  assert.equal(rate(null), 1);
});
