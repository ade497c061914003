import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Ledger, OUTCOME } from '../../src/core/ledger.ts';
import { compileFilter } from '../../src/filter/compile.ts';
import { Engine } from '../../src/pipeline/engine.ts';
import { openFiles } from '../../src/sources/files.ts';

const FILE = fileURLToPath(new URL('../captures/udp.pcap', import.meta.url));

async function run(pairs: boolean): Promise<{ numbers: number[]; ledger: Ledger }> {
  const numbers: number[] = [];
  const filter = compileFilter('dns.flags.response == 1 and dns.qry.name contains "e"');
  const engine = new Engine({ filter, pairs }, { message: ({ number }) => numbers.push(number) });
  const source = await openFiles([FILE]);
  engine.interfaces = source.interfaces;
  for await (const batch of source.batches(new AbortController().signal)) engine.frames(batch);
  engine.finish();
  return { numbers, ledger: engine.ledger };
}

test('where nothing asks for pairs the same messages pass, and the ledger says that none were looked for', async () => {
  const paired = await run(true);
  const { numbers, ledger } = await run(false);
  assert.ok(numbers.length > 5);
  assert.deepEqual(numbers, paired.numbers);
  assert.deepEqual(ledger.imbalance(), []);
  assert.equal(ledger.messages[OUTCOME.unpaired], ledger.decoded);
  assert.equal(paired.ledger.messages[OUTCOME.unpaired], 0);
  const { messages: _, ...plain } = ledger.toJSON();
  const { messages: __, ...before } = paired.ledger.toJSON();
  assert.deepEqual(plain, before);
});
