import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ledger } from '../../src/core/ledger.ts';
import { Dissector } from '../../src/net/dissect.ts';
import { openFiles } from '../../src/sources/files.ts';
import { corpus, hasCorpus, manifest } from '../sources/corpus.ts';

/** What one worker of several finds in a capture: its messages, and the frames it accounts for. */
async function share(path: string, shard: number, shards: number) {
  const ledger = new Ledger();
  const found: string[] = [];
  const dissector = new Dissector(
    {
      message: (c) => found.push([c.number, c.messageInFrame, c.length, c.source3, c.sourcePort].join(' ')),
      unreachable: (c) => found.push(`${c.number} unreachable`),
    },
    ledger,
    { shard, shards },
  );
  const source = await openFiles([path]);
  for await (const batch of source.batches(new AbortController().signal)) dissector.frames(batch);
  dissector.finish();
  assert.deepEqual(ledger.imbalance(), [], path);
  return { ledger, found };
}

test('workers that share a capture find together what one finds, frame by frame', async (t) => {
  if (!hasCorpus()) return t.skip('the shared captures are not beside this checkout');
  for (const { file } of manifest()) {
    const path = fileURLToPath(new URL(file, corpus));
    const whole = await share(path, 0, 1);
    for (const shards of [2, 3]) {
      const total = new Ledger();
      const found: string[] = [];
      for (let shard = 0; shard < shards; shard++) {
        const part = await share(path, shard, shards);
        total.add(part.ledger);
        found.push(...part.found);
      }
      assert.deepEqual(found.sort(), whole.found.sort(), `${file} in ${shards}`);
      assert.deepEqual(total, whole.ledger, `${file} in ${shards}`);
    }
  }
});
