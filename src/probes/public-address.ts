import { isIP } from 'node:net';
import { addressWords, isInAny, type Network } from '../core/network.ts';
import { networkOf } from '../enrich/client-names.ts';

/**
 * Addresses that are of no server on the Internet: this machine, private and local networks, multicast, what is set apart for
 * other uses (IANA special-purpose registries), IPv4 in IPv6.
 */
const NOT_PUBLIC =
  `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
  192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 ::/8 64:ff9b::/96 64:ff9b:1::/48
  100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8`
    .split(/\s+/)
    .map(networkOf);

/** False for what is no address, too. */
export function isPublic(address: string): boolean {
  const words = wordsOf(address);
  return words !== null && !isInAny(NOT_PUBLIC, words.family, words.words);
}

/** Whether an address lies in one of the networks; what is written as IPv6 may be an IPv4 address all the same. */
export function liesIn(networks: readonly Network[], address: string): boolean {
  const words = wordsOf(address);
  return words !== null && isInAny(networks, words.family, words.words);
}

function wordsOf(address: string): { family: 4 | 6; words: readonly number[] } | null {
  const plain = address.split('%')[0];
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain;
  const family = isIP(mapped);
  return family === 4 || family === 6 ? { family, words: addressWords(family, mapped) } : null;
}
