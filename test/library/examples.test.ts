import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exampleFolder, examples, expected, isLive, runNode } from './examples.ts';

const folder = exampleFolder();
after(() => rmSync(folder, { recursive: true, force: true }));

const all = examples();
all.forEach(({ code }, i) => writeFileSync(join(folder, `example-${i}.ts`), code));

test('there are examples of every entry of the library', () => {
  for (const entry of ['nametap', 'nametap/pcap', 'nametap/wire', 'nametap/filter', 'nametap/client']) {
    assert.ok(
      all.some(({ code }) => code.includes(`from '${entry}'`)),
      `an example imports ${entry}`,
    );
  }
});

test('every example passes the type check', async () => {
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
  const { status, stdout } = await runNode(folder, [tsc, '-p', '.']);
  const told = stdout.replaceAll(/example-(\d+)\.ts/g, (_, i: string) => all[Number(i)].where);
  assert.equal(status, 0, told);
});

for (const [i, example] of all.entries()) {
  // What captures on an interface runs in test/integration.
  if (isLive(example)) continue;
  test(`${example.where} runs and prints what it says`, async () => {
    const { status, stdout, stderr } = await runNode(folder, [`example-${i}.ts`]);
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
    assert.notEqual(stdout, '', 'it shows something');
    const lines = expected(example.code);
    if (lines.length > 0) assert.deepEqual(stdout.trimEnd().split('\n'), lines);
  });
}
