import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capture, nametap } from './nametap.ts';

const CAPTURE = capture('udp.pcap');

test('analyze: statistics, what deviates and what is usual, as text and as a page', () => {
  const text = nametap(['analyze', '-q', CAPTURE]);
  assert.equal(text.code, 0);
  assert.match(text.out, /What deviates/);
  assert.match(text.out, /What is usual in it\n {2}all traffic\n {4}All traffic has been known/);
  const page = nametap(['analyze', '-q', '-T', 'html', CAPTURE]);
  assert.match(page.out, /<h2>What deviates/);
  assert.match(page.out, /<h2>All traffic<small>/);
  assert.doesNotMatch(page.out, /<script/);
});
