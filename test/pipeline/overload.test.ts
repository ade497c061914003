import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Overload } from '../../src/pipeline/overload.ts';

/** Rates that come out of a fill held for some time, looked at every 25 ms; time goes on from call to call. */
function holding(overload: Overload): (fill: number, ms: number) => number {
  let now = 0;
  return (fill, ms) => {
    let rate = 0;
    for (const end = now + ms; now < end; now += 25) rate = overload.look(fill, now);
    return rate;
  };
}

test('a ring that stays full halves the clients again and again, up to a limit', () => {
  const hold = holding(new Overload());
  assert.equal(hold(0.5, 10_000), 1);
  assert.equal(hold(1, 100), 1, 'a moment is no overload');
  assert.equal(hold(0.5, 25), 1);
  assert.equal(hold(0.9, 150), 1, 'and two moments are none');
  assert.equal(hold(0.9, 75), 2);
  assert.equal(hold(0.9, 200), 4);
  assert.equal(hold(1, 60_000), 1024);
});

test('what was left out comes back one step after the other, once it is calm', () => {
  const hold = holding(new Overload());
  hold(1, 625);
  assert.equal(hold(0.5, 60_000), 8, 'neither full nor calm: it stays');
  assert.equal(hold(0.1, 4900), 8);
  assert.equal(hold(0.1, 150), 4);
  assert.equal(hold(0.4, 25), 4, 'the calm is over');
  assert.equal(hold(0, 4900), 4);
  assert.equal(hold(0, 60_000), 1);
});

test('no more clients than asked for', () => {
  const hold = holding(new Overload(10));
  assert.equal(hold(0, 60_000), 10);
  assert.equal(hold(1, 225), 20);
  assert.equal(hold(0, 60_000), 10);
});
