import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressText } from '../../src/core/address.ts';
import { addressWords, isInNetwork, type Network } from '../../src/core/network.ts';

test('an address read from its text is the one that was written, in any spelling', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const [a, b, c, d] = addressWords(6, text);
      const again = addressText(6, a, b, c, d);
      assert.equal(isIP(again), 6);
      assert.deepEqual(addressWords(6, again), [a, b, c, d]);
      // The URL parser of the runtime is another reader of the same text.
      assert.equal(new URL(`http://[${text}]/`).hostname, new URL(`http://[${again}]/`).hostname);
    }),
  );
  assert.deepEqual(addressWords(4, '192.0.2.255'), [0, 0, 0, 0xc00002ff]);
  assert.deepEqual(addressWords(6, '::ffff:192.0.2.1'), [0, 0, 0xffff, 0xc0000201]);
});

test('a network holds the addresses with its first bits, of its family only', () => {
  const network = (text: string, bits: number): Network => {
    const family = text.includes(':') ? 6 : 4;
    return { family, words: addressWords(family, text), bits };
  };
  const holds = (net: Network, text: string) => {
    const family = text.includes(':') ? 6 : 4;
    return isInNetwork(net, family, addressWords(family, text));
  };
  assert.ok(holds(network('192.0.2.0', 25), '192.0.2.127'));
  assert.ok(!holds(network('192.0.2.0', 25), '192.0.2.128'));
  assert.ok(holds(network('192.0.2.7', 32), '192.0.2.7') && !holds(network('192.0.2.7', 32), '192.0.2.6'));
  assert.ok(holds(network('0.0.0.0', 0), '203.0.113.9') && !holds(network('0.0.0.0', 0), '::1'));
  assert.ok(holds(network('2001:db8::', 33), '2001:db8:7fff::1'));
  assert.ok(!holds(network('2001:db8::', 33), '2001:db8:8000::1'));
});
