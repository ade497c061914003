import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressWords, type Network } from '../../src/core/network.ts';
import { LEGS, TransactionBatch, type Vantage } from '../../src/core/transactions.ts';
import { Legs } from '../../src/correlate/legs.ts';

const network = (family: 4 | 6, text: string, bits: number): Network => {
  return { family, words: addressWords(family, text), bits };
};

function leg(legs: Legs, [client, server]: [string, string], recursion: boolean): string {
  const family = client.includes(':') ? 6 : 4;
  const { col } = TransactionBatch.create(8, 8);
  col.family[0] = family;
  const ends = [...addressWords(family, client), ...addressWords(family, server)];
  const names = ['client0', 'client1', 'client2', 'client3', 'server0', 'server1', 'server2', 'server3'] as const;
  names.forEach((name, k) => {
    col[name][0] = ends[k];
  });
  return LEGS[legs.legOf(col, 0, recursion)];
}

const ENDS: [string, string] = ['192.0.2.1', '198.51.100.53'];

test('before a resolver all queries are clients, at an authority none are', () => {
  for (const recursion of [true, false]) {
    assert.equal(leg(new Legs('client'), ENDS, recursion), 'client');
    assert.equal(leg(new Legs('authority'), ENDS, recursion), 'upstream');
    assert.equal(leg(new Legs(undefined), ENDS, recursion), 'unknown');
  }
});

test('at a resolver recursion desired tells the legs, or its addresses where they are known', () => {
  const guessed = new Legs('resolver');
  assert.deepEqual([leg(guessed, ENDS, true), leg(guessed, ENDS, false)], ['client', 'upstream']);
  const own = new Legs('resolver', [network(4, '198.51.100.0', 24), network(6, '2001:db8::53', 128)]);
  assert.equal(leg(own, ENDS, false), 'client');
  assert.equal(leg(own, ['198.51.100.53', '203.0.113.9'], true), 'upstream');
  assert.equal(leg(own, ['192.0.2.1', '203.0.113.9'], true), 'unknown');
  assert.equal(leg(own, ['2001:db8::1', '2001:db8::53'], true), 'client');
  assert.equal(leg(own, ['2001:db8::53', '2001:db8::1'], true), 'upstream');
});

test('every vantage of the list is understood', () => {
  for (const vantage of ['client', 'resolver', 'authority'] satisfies Vantage[]) {
    assert.notEqual(leg(new Legs(vantage), ENDS, true), 'unknown');
  }
});
