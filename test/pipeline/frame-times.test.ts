import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameBatch } from '../../src/core/frames.ts';
import { BatchTimes } from '../../src/pipeline/frame-times.ts';

/** Frames from this number on, at these nanoseconds after 1000 s. */
function batch(first: number, ...nanos: number[]): FrameBatch {
  const frames = new FrameBatch(8);
  for (const [i, n] of nanos.entries()) {
    frames.number[i] = first + i;
    frames.seconds[i] = 1000;
    frames.nanos[i] = n;
  }
  frames.count = nanos.length;
  return frames;
}

test('times since the first frame and the frame before, over batches', () => {
  const times = new BatchTimes();
  assert.ok(Number.isNaN(times.sinceFirst(1000, 0)));
  times.begin(batch(1, 100, 250, 200));
  assert.equal(times.sinceFirst(1000, 250), 150);
  assert.deepEqual(
    [1, 2, 3].map((number) => times.sincePrevious(number)),
    [0, 150, -50],
  );
  assert.ok(Number.isNaN(times.sincePrevious(4)));
  times.end();
  assert.ok(Number.isNaN(times.sincePrevious(3)));
  times.begin(batch(4));
  times.end();
  times.begin(batch(4, 900));
  assert.equal(times.sincePrevious(4), 700);
  assert.equal(times.sinceFirst(1001, 100), 1e9);
});
