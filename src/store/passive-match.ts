import { addressOctets, blockOf } from './addresses.ts';
import { storedName } from './passive-names.ts';
import type { PassiveMatch } from './store.ts';

/** What people type: a name, `*.x`, `x.*`, an address, a block or a range `a-b`; undefined when it is none of them. */
export function passiveMatch(text: string): PassiveMatch | undefined {
  const word = text.trim();
  if (word === '') return undefined;
  const [low, high, ...more] = word.split('-');
  if (high !== undefined && more.length === 0) {
    const from = addressOctets(low.trim());
    const to = addressOctets(high.trim());
    if (from !== undefined && to !== undefined && from.length === to.length) {
      return { kind: 'addresses', low: low.trim(), high: high.trim() };
    }
  }
  if (addressOctets(word) !== undefined) return { kind: 'addresses', low: word, high: word };
  const block = blockOf(word);
  if (block !== undefined) return { kind: 'addresses', ...block };
  if (word.startsWith('*.')) return { kind: 'below', name: storedName(word.slice(2)) };
  if (word.endsWith('.*')) return { kind: 'beginning', name: storedName(word.slice(0, -2)) };
  // A name may have a slash (RFC 2317: 0/25.2.0.192.in-addr.arpa); an address with one that is no block is a mistake.
  const isBadBlock = word.includes('/') && addressOctets(word.slice(0, word.indexOf('/'))) !== undefined;
  return /\s/.test(word) || isBadBlock ? undefined : { kind: 'name', name: storedName(word) };
}
