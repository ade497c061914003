import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSlots } from '../../src/app/line-slots.ts';
import type { RenderedRows } from '../../src/app/rendered.ts';

const rows = (count: number, length: number, first = 0): RenderedRows => ({
  count,
  col: {
    closeSeconds: Float64Array.from({ length: count }, (_, i) => first + i),
    closeNanos: Uint32Array.from({ length: count }, (_, i) => i * 7),
    closeNumber: Float64Array.from({ length: count }, (_, i) => 1e10 + i),
  },
  ends: Uint32Array.from({ length: count }, (_, i) => Math.floor(((i + 1) * length) / count)),
  bytes: Uint8Array.from({ length }, (_, i) => i + first),
});
const never = () => false;

test('rows come out as they were put in, of the same memory in another thread', () => {
  const worker = new LineSlots();
  const main = new LineSlots(worker.memory);
  for (let i = 0; i < 20; i++) {
    const given = rows(1 + i * 20, 1000 * i, i);
    const slot = worker.put(given, never);
    const { done, ...found } = main.rows(slot, given.count, given.bytes.length);
    assert.deepEqual(found, given);
    done?.();
  }
});

test('a worker waits for its oldest slot, and does not where it is stopped', () => {
  const slots = new LineSlots();
  const taken: number[] = [];
  let asked = 0;
  for (let slot = slots.put(rows(2, 30), never); slot >= 0; slot = slots.put(rows(2, 30), () => ++asked > 0)) {
    taken.push(slot);
  }
  assert.deepEqual(taken, [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(asked, 1);
  slots.rows(0, 2, 30).done?.();
  assert.equal(slots.put(rows(2, 30), never), 0);
});

test('what does not fit goes another way', () => {
  const slots = new LineSlots();
  assert.equal(slots.put(rows(513, 600), never), -1);
  assert.equal(slots.put(rows(1, (1 << 20) + 1), never), -1);
  assert.equal(slots.put(rows(512, 1 << 20), never), 0);
});
