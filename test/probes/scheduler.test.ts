import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Scheduler } from '../../src/probes/scheduler.ts';

/** A clock that moves when it is told to; runs that end when they are told to. */
function bench(options: { concurrency: number; perTarget?: number }) {
  mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  const scheduler = new Scheduler({ perTarget: 1, ...options, random: () => 0, now: () => now });
  const settle = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return {
    scheduler,
    settle,
    async pass(ms: number): Promise<void> {
      for (let i = 0; i < ms; i++) {
        now++;
        mock.timers.tick(1);
        await settle();
      }
    },
    end(): void {
      scheduler.stop();
      mock.timers.reset();
    },
  };
}

interface Runs {
  began: number[];
  finish: ((isOk: boolean) => void)[];
}

function task(target: string, everyMs: number, at: () => number, more: { count?: number } = {}) {
  const runs: Runs = { began: [], finish: [] };
  let isOver = false;
  const one = {
    target,
    everyMs,
    ...more,
    run: () => {
      runs.began.push(at());
      return new Promise<boolean>((resolve) => runs.finish.push(resolve));
    },
    ended: () => {
      isOver = true;
    },
  };
  return { one, runs, isOver: () => isOver };
}

test('a task that is still under way is left out, and its rate stays', async () => {
  const b = bench({ concurrency: 10 });
  let clock = 0;
  const slow = task('a', 10, () => clock);
  b.scheduler.add(slow.one, 0);
  for (clock = 1; clock <= 35; clock++) await b.pass(1);
  assert.equal(slow.runs.began.length, 1);
  assert.equal(b.scheduler.skipped, 3, 'at 10, 20 and 30');
  slow.runs.finish[0](true);
  await b.settle();
  assert.equal(slow.runs.began.length, 1, 'it is not made up for');
  for (; clock <= 42; clock++) await b.pass(1);
  assert.equal(slow.runs.began.length, 2, 'its next turn is at 40');
  assert.equal(b.scheduler.running, 1);
  b.end();
});

test('counted tasks end; those without a pause go on when the run before has ended', async () => {
  const b = bench({ concurrency: 10 });
  const counted = task('a', 0, () => 0, { count: 3 });
  b.scheduler.add(counted.one, 0);
  await b.pass(2);
  for (let i = 0; i < 3; i++) {
    assert.equal(counted.runs.began.length, i + 1);
    counted.runs.finish[i](true);
    await b.settle();
    await b.pass(1);
  }
  assert.equal(counted.runs.began.length, 3);
  assert.equal(counted.isOver(), true);
  assert.equal(b.scheduler.skipped, 0);
  b.end();
});

test('never more at a time than may be, of all targets and of one', async () => {
  const b = bench({ concurrency: 3, perTarget: 2 });
  const same = Array.from({ length: 4 }, () => task('a', 1000, () => 0));
  const others = Array.from({ length: 4 }, (_, i) => task(`b${i}`, 1000, () => 0));
  for (const { one } of [...same, ...others]) b.scheduler.add(one, 0);
  await b.pass(2);
  const begun = (all: typeof same) => all.filter(({ runs }) => runs.began.length > 0).length;
  assert.equal(b.scheduler.running, 3);
  assert.equal(begun(same), 2);
  assert.equal(begun(others), 1);
  assert.equal(b.scheduler.waiting, 5);
  same[0].runs.finish[0](true);
  await b.settle();
  assert.equal(b.scheduler.running, 3);
  assert.equal(begun(same), 3, 'in the order in which they came');
  b.end();
});

test('however many targets hang, the others go on at their rate', async () => {
  const b = bench({ concurrency: 4, perTarget: 1 });
  let clock = 0;
  // Each takes nine of its ten milliseconds and fails.
  const dead = Array.from({ length: 50 }, (_, i) => {
    const one = task(`dead${i}`, 10, () => clock);
    one.one.run = () => new Promise((resolve) => setTimeout(() => resolve(false), 9));
    return one;
  });
  for (const { one } of dead) b.scheduler.add(one, 0);
  for (clock = 0; clock < 200; clock++) await b.pass(1);
  // By now all of them are known to fail: they share half of the places.
  const live = task('live', 10, () => clock);
  live.one.run = () => {
    live.runs.began.push(clock);
    return Promise.resolve(true);
  };
  b.scheduler.add(live.one, 0);
  const from = clock;
  for (; clock < from + 100; clock++) await b.pass(1);
  const { began } = live.runs;
  // The first comes a millisecond late: no timer is shorter.
  const gaps = began.slice(2).map((at, i) => at - began[i + 1]);
  assert.ok(gaps.length >= 8);
  assert.deepEqual(gaps, new Array(gaps.length).fill(10));
  b.end();
});

test('a first run that is late leaves nothing out', async () => {
  let clock = 0;
  let runs = 0;
  const scheduler = new Scheduler({ concurrency: 1, perTarget: 1, random: () => 0, now: () => clock });
  const ended = new Promise<void>((resolve) => {
    const run = (): Promise<boolean> => Promise.resolve(++runs > 0);
    scheduler.add({ target: 'a', everyMs: 10, count: 1, run, ended: resolve });
  });
  // The process is busy with three intervals' worth of others.
  clock = 35;
  await ended;
  assert.deepEqual([runs, scheduler.skipped], [1, 0]);
  scheduler.stop();
});
