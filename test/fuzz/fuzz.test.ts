import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DNS, LLMNR, MDNS, NBNS } from '../../src/core/carrier.ts';
import { FATE } from '../../src/core/ledger.ts';
import { Engine } from '../../src/pipeline/engine.ts';
import { openFiles } from '../../src/sources/files.ts';
import { MessageView } from '../../src/wire/message.ts';
import { fuzzFilters, tryFilter } from './filters.ts';
import { fuzzFrames, seedFrames } from './frames.ts';
import { fuzzMessages, seedMessages, tryMessage } from './messages.ts';

const folder = fileURLToPath(new URL('cases/', import.meta.url));

for (const name of readdirSync(folder).sort()) {
  test(`case: ${name}`, async () => {
    if (name.endsWith('.message.hex')) {
      const bytes = Buffer.from(readFileSync(folder + name, 'utf8').replaceAll(/\s/g, ''), 'hex');
      assert.ok(bytes.length > 0);
      for (const protocol of [DNS, MDNS, LLMNR, NBNS]) tryMessage(new MessageView(), bytes, protocol);
    } else if (name.endsWith('.filter')) {
      tryFilter(readFileSync(folder + name, 'utf8'));
    } else {
      assert.match(name, /\.pcap(ng)?$/, 'a kind of case that is replayed here');
      const engine = new Engine({}, {});
      const source = await openFiles([folder + name]);
      for await (const batch of source.batches(new AbortController().signal)) engine.frames(batch);
      engine.finish();
      assert.ok(engine.ledger.received > 0);
      assert.deepEqual(engine.ledger.imbalance(), []);
      assert.equal(engine.ledger.frames[FATE.held], 0);
    }
  });
}

test('thirty thousand mutated messages: no throw, at most 64 steps per byte, sound ones survive a round trip', () => {
  const { messages, found, worstSteps } = fuzzMessages(30_000, 20_261_124);
  assert.equal(messages, 30_000);
  assert.deepEqual(found, []);
  assert.ok(worstSteps > 1 && worstSteps <= 64, `${worstSteps} steps per byte`);
});

test('ten thousand mutated frames through every layer and every output: no throw, the ledger sums', async () => {
  const seeds = await seedFrames();
  assert.ok(seeds.length > 300);
  const messages = fuzzFrames(seeds, 10_000, 20_261_124);
  assert.ok(messages > 1000, `${messages} messages`);
});

test('two thousand random filters: refused with a reason, or run on any message', () => {
  const { filters, accepted } = fuzzFilters(seedMessages(), 2000, 20_261_124);
  assert.equal(filters, 2000);
  assert.ok(accepted > 400, `${accepted} accepted`);
});
