import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Keeper } from '../../src/alerts/keeper.ts';

test('alerts: a store that fails does not keep the program from ending; what failed is written later', async () => {
  let isBroken = true;
  const written: string[] = [];
  const records = {
    put: async (kind: string) => {
      if (isBroken) throw new Error('the disk is full');
      written.push(kind);
      return kind;
    },
    get: async () => null,
    list: async () => [],
  };
  const keeper = new Keeper(records, 10, { lost: 0 }, () => undefined);
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  keeper.noteMutes([]);
  await assert.rejects(keeper.flush(), /the disk is full/);
  assert.equal(timers(), before, 'no timer that the process waits for');
  isBroken = false;
  await keeper.flush();
  assert.deepEqual(written, ['settings']);
});
