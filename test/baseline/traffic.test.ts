import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { TrafficModel } from '../../src/baseline/traffic.ts';
import { type Exchange, rowsOf } from '../server/fixture.ts';

const HOUR = 3_600_000;
/** A Monday midnight. */
const START = Date.UTC(2026, 0, 5);
const FIRST = START / HOUR;

/** `count` transactions in an hour since START; one in ten is NXDOMAIN, one in twenty unanswered. */
function hourOf(hour: number, count: number): Exchange[] {
  return Array.from({ length: count }, (_, i) => ({
    time: START + hour * HOUR + (i + 0.5) * (HOUR / count),
    client: '192.0.2.7',
    name: `n${i}.example`,
    ...(i % 20 !== 3 && { answer: i % 10 === 0 ? { rcode: 'NXDOMAIN' } : { rcode: 'NOERROR' } }),
  }));
}

function learn(model: TrafficModel, from: number, to: number, count: (hour: number) => number): void {
  for (let hour = from; hour < to; hour++) {
    for (const batch of rowsOf(hourOf(hour, count(hour)))) model.rows(batch, 0, batch.count);
  }
}

const daily = (hour: number): number => (hour % 24 < 8 ? 20 : 100);

test('after three days it knows how much is usual at this hour, and which part of it fails', () => {
  const model = new TrafficModel();
  learn(model, 0, 50, daily);
  assert.equal(model.usual('transactions', FIRST + 50), null, 'two days are too few');
  learn(model, 50, 24 * 4 + 10, daily);
  const now = FIRST + 24 * 4 + 10;
  const rate = model.usual('transactions', now);
  assert.ok(rate !== null && Math.abs(rate.level - 100) < 3 && rate.sigma < 5, JSON.stringify(rate));
  const night = model.usual('transactions', now + 16);
  assert.ok(night !== null && Math.abs(night.level - 20) < 2, JSON.stringify(night));
  const nxdomain = model.usual('nxdomain_ratio', now);
  assert.ok(nxdomain !== null && Math.abs(nxdomain.level - 0.1) < 0.01, JSON.stringify(nxdomain));
  const unanswered = model.usual('unanswered_ratio', now);
  assert.ok(unanswered !== null && Math.abs(unanswered.level - 0.05) < 0.01, JSON.stringify(unanswered));
  assert.deepEqual(model.usual('servfail_ratio', now)?.level, 0);
  assert.equal(model.usual('transactions', now - 5), null, 'what has been learnt is not compared with itself');
});

test('an hour with an alarm teaches nothing, nor does the hour in which it began to watch', () => {
  const calm = new TrafficModel();
  const attacked = new TrafficModel();
  learn(calm, 0, 24 * 4, daily);
  learn(attacked, 0, 24 * 3, daily);
  for (const hour of [72, 73]) {
    for (const batch of rowsOf(hourOf(hour, 900))) attacked.rows(batch, 0, batch.count);
    attacked.disturb();
  }
  learn(attacked, 74, 24 * 4, daily);
  // The first hour of all teaches nothing either: this one was seen on three other days.
  const at = FIRST + 24 * 4 + 1;
  assert.ok(Math.abs((attacked.usual('transactions', at)?.level ?? 0) - 20) < 3);
  assert.ok(Math.abs((calm.usual('transactions', at)?.level ?? 0) - 20) < 3);
  const late = new TrafficModel();
  for (const batch of rowsOf(hourOf(0, 4))) late.rows(batch, 0, batch.count);
  learn(late, 1, 24 * 4, daily);
  assert.ok((late.usual('transactions', at)?.level ?? 0) > 15, 'the part of an hour is no hour');
});

test('silence is learnt while it watches; over a restart hours are missing, not empty', () => {
  const model = new TrafficModel();
  learn(model, 0, 24 * 4 + 1, (hour) => (hour % 24 < 8 ? 0 : 100));
  model.tick((START + (24 * 4 + 2) * HOUR) / 1000);
  assert.equal(model.usual('transactions', FIRST + 24 * 4 + 3)?.level, 0);
  const again = new TrafficModel();
  assert.equal(again.load(deserialize(serialize(model.save()))), true);
  learn(again, 24 * 8 + 9, 24 * 8 + 12, () => 100);
  assert.ok(Math.abs((again.usual('transactions', FIRST + 24 * 8 + 12)?.level ?? 0) - 100) < 3);
  assert.equal(new TrafficModel().load({ seasons: new Float32Array(3), since: 0 }), false);
});

test("what nametap itself asks is none of the traffic's", () => {
  const alone = new TrafficModel();
  const beside = new TrafficModel();
  learn(alone, 0, 24 * 4, () => 40);
  for (let hour = 0; hour < 24 * 4; hour++) {
    for (const batch of rowsOf(hourOf(hour, 40))) beside.rows(batch, 0, batch.count);
    for (const batch of rowsOf(hourOf(hour, 500))) {
      const own = new Set(Array.from({ length: batch.count }, (_, i) => i));
      beside.rows(batch, 0, batch.count, own);
    }
  }
  const at = FIRST + 24 * 4;
  assert.deepEqual(beside.usual('transactions', at), alone.usual('transactions', at));
});
