import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAME_FATES, Ledger } from '../../src/core/ledger.ts';
import { funnel } from '../../src/report/funnel.ts';

test('every fate has its stage: what goes in comes out or is lost, and carried is what remains', () => {
  const ledger = new Ledger();
  FRAME_FATES.forEach((_, i) => {
    ledger.frames[i] = 2 ** i;
    ledger.received += 2 ** i;
  });
  ledger.decoded = 70;
  ledger.shown = 50;
  const stages = funnel(ledger);
  let next = ledger.received;
  for (const stage of stages.filter(({ unit }) => unit === 'frames')) {
    assert.equal(stage.in, next);
    assert.equal(stage.in, stage.out + Object.values(stage.lost).reduce((a: number, b) => a + (b ?? 0), 0));
    next = stage.out;
  }
  assert.equal(next, 1, 'carried');
  assert.deepEqual(stages.at(-1), {
    stage: 'display filter',
    unit: 'messages',
    in: 70,
    out: 50,
    lost: { not_shown: 20 },
  });
});
