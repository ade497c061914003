import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransactionBatch } from '../../src/core/transactions.ts';
import type { MessagePredicate } from '../../src/correlate/matcher.ts';
import { Engine } from '../../src/pipeline/engine.ts';
import { HeldMessages } from '../../src/pipeline/held-messages.ts';
import { Carrier } from '../../src/core/carrier.ts';
import { MessageJoin } from '../../src/core/join.ts';
import { MessageView } from '../../src/wire/message.ts';
import { answer, query, type Step } from '../correlate/run.ts';
import { carrierOf } from '../sinks/rows.ts';

/** Messages as they come out: frame number, response's frame, and whether none came. */
function shown(steps: readonly Step[], filter: MessagePredicate | null = null): { messages: unknown[]; rows: number } {
  const messages: unknown[] = [];
  let rows = 0;
  const held = new HeldMessages(filter, {
    message: (carrier, view, join) => {
      assert.equal(view.id, (carrier.bytes[carrier.at] << 8) | carrier.bytes[carrier.at + 1]);
      messages.push([carrier.number, join.responseIn, join.responseMissing]);
    },
    rows: (batch: TransactionBatch) => {
      rows += batch.count;
    },
  });
  const engine = new Engine({}, held.outputs);
  const carrier = new Carrier();
  steps.forEach((step, i) => engine.message(carrierOf(step, i + 1, carrier)));
  engine.finish();
  held.finish();
  assert.deepEqual(engine.ledger.imbalance(), []);
  assert.equal(held.shown, messages.length);
  assert.equal(held.givenUp, 0);
  return { messages, rows };
}

const missing = {
  matches: (_: Carrier, __: MessageView, join: MessageJoin) => join.responseMissing,
};
const steps = [
  query(1),
  query(1.1, { message: { id: 8 } }),
  query(1.2, { message: { id: 9 } }),
  answer(1.3, { message: { id: 9 } }),
  answer(1.4),
];

test('messages with their fate come out in capture order', () => {
  const { messages, rows } = shown(steps);
  assert.deepEqual(messages, [
    [1, 5, false],
    [2, 0, true],
    [3, 4, false],
    [4, 0, false],
    [5, 0, false],
  ]);
  assert.equal(rows, 3);
});

test('a filter on the fate passes the query, and its row', () => {
  assert.deepEqual(shown(steps, missing), { messages: [[2, 0, true]], rows: 1 });
});

test('copies of a query have one fate each, mirrored ones behind the answer too', () => {
  const copies = [query(1), query(1.5), answer(1.51), query(1.515)];
  assert.deepEqual(shown(copies).messages, [
    [1, 3, false],
    [2, 3, false],
    [3, 0, false],
    [4, 3, false],
  ]);
});

test('messages of twelve octets take memory too: beyond the limit the oldest goes on without its fate', () => {
  let out = 0;
  const held = new HeldMessages(null, { message: () => out++ }, 100_000);
  const carrier = new Carrier();
  carrier.bytes = new Uint8Array(12);
  carrier.length = carrier.claimedLength = 12;
  const view = new MessageView();
  for (carrier.number = 1; carrier.number <= 1000; carrier.number++) {
    held.outputs.message?.(carrier, view, new MessageJoin());
  }
  assert.ok(1000 - out < 100, `${1000 - out} are held`);
  assert.equal(held.givenUp, out);
  held.finish();
  assert.equal(out, 1000);
});
