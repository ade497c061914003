import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainSet } from '../../src/detect/domain-set.ts';

test('a domain holds what lies below it, and nothing that only ends like it', () => {
  const set = new DomainSet(['# a list', 'Example.COM.', '*.example.net  # all of it', '', 'co.uk']);
  assert.equal(set.size, 3);
  for (const name of ['example.com', 'a.b.example.com', 'example.net', 'x.co.uk'])
    assert.equal(set.has(name), true, name);
  for (const name of ['badexample.com', 'com', 'uk', '.', '']) assert.equal(set.has(name), false, name);
});
