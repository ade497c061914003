import assert from 'node:assert/strict';
import { isIPv4 } from 'node:net';
import { test } from 'node:test';
import { addressKind } from '../../src/core/address-kind.ts';
import { addressWords } from '../../src/core/network.ts';

const KINDS = {
  public: ['8.8.8.8', '172.32.0.1', '192.0.1.1', '100.128.0.1', '223.255.255.255', '2a00::1', '::1:0:0'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1', 'fec0::1', '::ffff:10.0.0.1'],
  shared: ['100.64.0.1', '100.127.255.255'],
  loopback: ['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1'],
  link_local: ['169.254.169.254', 'fe80::1', 'febf::1'],
  unspecified: ['0.0.0.0', '0.1.2.3', '::'],
  multicast: ['224.0.0.251', '239.1.1.1', 'ff02::fb'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  reserved: ['240.0.0.1', '255.255.255.255', '198.18.0.1', '198.19.0.1', '192.0.0.1', '100::1'],
};

test('addresses are of the kind that the registries say', () => {
  for (const [kind, list] of Object.entries(KINDS)) {
    for (const text of list) {
      const family = isIPv4(text) ? 4 : 6;
      assert.equal(addressKind(family, ...addressWords(family, text)), kind, text);
    }
  }
});
