import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Journal, type JournalEntry } from '../../src/actions/journal.ts';
import { UserError } from '../../src/core/errors.ts';
import { temporary } from './facts.ts';
import { blockOf } from './secondary.ts';

const block = (name: string): JournalEntry => ({ op: 'block', time: 1, block: blockOf(name) });

test('what is not a line of the journal is passed over and counted, wherever it stands', (t) => {
  const path = join(temporary(t), 'journal');
  const lines = [
    'no json',
    '[]',
    'null',
    '{"op":"explode","time":1}',
    '{"op":"undo"}',
    '{"op":"block","time":1}',
    '{"op":"block","time":1,"block":{"id":"x","kind":"domain","value":7,"by":"","reason":"","since":1,"until":2}}',
    '{"op":"decision","time":1,"decision":{}}',
    JSON.stringify(block('a.example')),
    '{"op":"flush","time":2,"by":"anna"}',
    '{"op":"block","time":3,"blo',
  ];
  writeFileSync(path, lines.join('\n'));
  const journal = new Journal(path);
  assert.equal(journal.damaged, 9);
  assert.deepEqual(
    journal.take().map(({ op }) => op),
    ['block', 'flush'],
  );
  journal.write(block('b.example'), true);
  journal.close();
  const next = new Journal(path);
  assert.deepEqual(next.take().at(-1), block('b.example'), 'the cut line swallowed nothing');
  next.replace([block('c.example')]);
  next.write(block('d.example'), true);
  next.close();
  const last = new Journal(path);
  assert.deepEqual([last.damaged, last.take()], [0, [block('c.example'), block('d.example')]]);
  last.close();
});

test('a journal that became long takes blocks, and no decisions any more', (t) => {
  const path = join(temporary(t), 'journal');
  writeFileSync(path, `${'x'.repeat(1023)}\n`.repeat(64 << 10).concat('y\n'));
  const journal = new Journal(path);
  const { size } = statSync(path);
  const decision = {
    ...blockOf('a.example'),
    outcome: 'never',
    why: '',
    detectors: [],
    first: 1,
    last: 1,
    count: 1,
    clients: null,
  } as const;
  journal.write({ op: 'decision', time: 1, decision }, false);
  assert.deepEqual([journal.skipped, statSync(path).size - size], [1, 0]);
  journal.write(block('a.example'), true);
  assert.ok(statSync(path).size > size);
  journal.close();
});

test('a journal that cannot be used says which', (t) => {
  assert.throws(
    () => new Journal(join(temporary(t), 'none', 'journal')),
    (error: unknown) =>
      error instanceof UserError && error.exit === 3 && /none\/journal cannot be used/.test(error.message),
  );
});
