import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeAll } from '../../src/app/close-all.ts';

test('what does not close keeps nothing else open, and is told', async () => {
  const closed: string[] = [];
  const part = (name: string, error?: Error) => ({
    close: async () => {
      closed.push(name);
      if (error !== undefined) throw error;
    },
  });
  const told: unknown[] = [];
  const full = new Error('the disk is full');
  await closeAll([part('sinks'), part('judge', full), part('server')], (error) => told.push(error));
  assert.deepEqual([closed, told], [['sinks', 'judge', 'server'], [full]]);
});
