import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyTable } from '../../src/sketch/key-table.ts';

const WORDS = 16;
// The factors of MurmurHash3, which this table's hash is made after.
const FACTOR_1 = 0xcc9e2d51 | 0;
const FACTOR_2 = 0x1b873593;

const rotated = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));
const mixed = (word: number) => Math.imul(rotated(Math.imul(word, FACTOR_1), 15), FACTOR_2);
const unmixed = (word: number) => Math.imul(rotated(Math.imul(word, inverse(FACTOR_2)), 17), inverse(FACTOR_1));

/** Of an odd factor, modulo 2^32. */
function inverse(factor: number): number {
  let x = factor;
  for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(factor, x));
  return x;
}

test('keys that collide in MurmurHash3 under every seed all get their places', () => {
  const table = new KeyTable(8192);
  const key = new Int32Array(WORDS);
  for (let n = 0; n < 4096; n++) {
    const words = Array.from({ length: WORDS }, (_, i) => mixed(0x61626300 + i));
    for (let bit = 0; bit < 12; bit++) {
      if (((n >> bit) & 1) === 0) continue;
      // This difference comes to the top bit, passes the factor there, and the next word takes it away.
      words[bit] ^= rotated(0x8000_0000, 19);
      words[bit + 1] ^= 0x8000_0000;
    }
    key.set(words.map(unmixed));
    assert.equal(table.find(key, 0, WORDS), -1);
    assert.equal(table.insert(key, 0, WORDS), n);
  }
  assert.equal(table.refused, 0);
});
