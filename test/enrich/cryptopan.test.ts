import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CryptoPan } from '../../src/enrich/cryptopan.ts';
import { parseIpv4, parseIpv6 } from '../../src/wire/field.ts';

// The key and the sample trace published with the reference implementation.
const PUBLISHED_KEY = Uint8Array.from(
  Buffer.from('1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202', 'hex'),
);
const PUBLISHED = [
  ['128.11.68.132', '135.242.180.132'],
  ['129.118.74.4', '134.136.186.123'],
  ['130.132.252.244', '133.68.164.234'],
  ['141.223.7.43', '141.167.8.160'],
  ['141.233.145.108', '141.129.237.235'],
  ['152.163.225.39', '151.140.114.167'],
  ['156.29.3.236', '147.225.12.42'],
  ['165.247.96.84', '162.9.99.234'],
  ['166.107.77.190', '160.132.178.185'],
  ['192.102.249.13', '252.138.62.131'],
  ['192.215.32.125', '252.43.47.189'],
  ['192.233.80.103', '252.25.108.8'],
  ['192.41.57.43', '252.222.221.184'],
  ['193.150.244.223', '253.169.52.216'],
];
// What yacryptopan 1.0.2 gives for its own example key.
const SECOND_KEY = new TextEncoder().encode('32-char-str-for-AES-key-and-pad.');
const SECOND = [
  ['192.0.2.1', '192.0.125.244'],
  ['0.0.0.0', '7.3.253.250'],
  ['255.255.255.255', '253.184.39.255'],
  ['2001:db8::1', '27fe:8bc7:fee:1e:1e1f:f0fe:f0e1:83fd'],
  ['2001:db8::2', '27fe:8bc7:fee:1e:1e1f:f0fe:f0e1:83fe'],
  ['2001:db8:1::1', '27fe:8bc7:fef:e01e:9e:efc:732:fe05'],
  ['fe80::1', 'fc03:fe14:51:e0e1:ff9e:f72:372a:ffc5'],
];
const octets = (text: string) => (text.includes(':') ? parseIpv6(text) : parseIpv4(text));

test('Crypto-PAn gives the published pseudonyms, of IPv4 and IPv6', () => {
  const published = new CryptoPan(PUBLISHED_KEY);
  for (const [address, pseudonym] of PUBLISHED)
    assert.deepEqual(published.pseudonym(octets(address)), octets(pseudonym));
  const second = new CryptoPan(SECOND_KEY);
  for (const [address, pseudonym] of SECOND) assert.deepEqual(second.pseudonym(octets(address)), octets(pseudonym));
});

test('pseudonyms share as many leading bits as the addresses do', () => {
  const pan = new CryptoPan(PUBLISHED_KEY);
  const shared = (a: Uint8Array, b: Uint8Array): number => {
    const bits = (bytes: Uint8Array) => Array.from(bytes, (octet) => octet.toString(2).padStart(8, '0')).join('');
    const [x, y] = [bits(a), bits(b)];
    let n = 0;
    while (n < x.length && x[n] === y[n]) n++;
    return n;
  };
  for (const size of [4, 16]) {
    const address = fc.uint8Array({ minLength: size, maxLength: size });
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: size }), (a, b, same) => {
        b.set(a.subarray(0, same));
        assert.equal(shared(pan.pseudonym(a), pan.pseudonym(b)), shared(a, b));
      }),
      { numRuns: 100 },
    );
  }
});
