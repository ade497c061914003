import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessage } from '../../src/app/decode.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import type { TreeNode } from '../../src/server/schema/transactions.ts';

const MESSAGE = encodeMessage({
  id: 0x1234,
  flags: ['qr', 'rd', 'ra'],
  questions: [{ name: 'www.example', type: 'A' }],
  answers: [{ name: 'www.example', type: 'MX', ttl: 60, data: '10 mail.example.' }],
});

function* all(nodes: readonly TreeNode[]): Generator<TreeNode> {
  for (const node of nodes) {
    yield node;
    yield* all(node.children ?? []);
  }
}

test('a message becomes a tree whose offsets point at its octets', () => {
  const tree = decodeMessage(MESSAGE, 0);
  assert.equal(tree.length, 1);
  assert.deepEqual([tree[0].offset, tree[0].length], [0, MESSAGE.length]);
  const labels = (tree[0].children ?? []).map(({ label }) => label);
  assert.deepEqual(labels.slice(0, 2), ['ID', 'Flags']);
  assert.ok(labels.includes('Question 1') && labels.includes('Answer 1'));
  const preference = [...all(tree)].find(({ label }) => label === 'preference');
  assert.equal(preference?.value, '10');
  const at = preference?.offset ?? 0;
  assert.deepEqual([...MESSAGE.subarray(at, at + (preference?.length ?? 0))], [0, 10]);
});

test('a message cut anywhere gives a tree that says so, within its octets', () => {
  for (let length = 0; length < MESSAGE.length; length++) {
    const nodes = [...all(decodeMessage(MESSAGE.subarray(0, length), 0))];
    assert.ok(
      nodes.some(({ fault }) => fault === true),
      `cut to ${length}`,
    );
    for (const { offset = 0, length: size = 0 } of nodes) assert.ok(offset <= length && offset + size <= length);
  }
});
