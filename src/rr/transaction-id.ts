import { mix } from '../wire/name.ts';

/**
 * Words that a transaction's id is made of, besides its time: client and server (four each), client port << 16 | server
 * port, message id << 16 | type, class << 16 | transport << 8 | protocol << 4 | family, and the hash of the name.
 */
export const ID_WORDS = 12;

/**
 * Stable 64-bit id of the transaction opened at (seconds, nanos), from `ID_WORDS` words: a replay gives the same. Never 0.
 */
export function transactionId(
  words: Uint32Array,
  at: number,
  seconds: number,
  nanos: number,
  out: { high: number; low: number },
): void {
  let a = Math.imul(seconds | 0, 0x9e3779b1) ^ nanos;
  let b = Math.imul(nanos, 0x85ebca6b) ^ seconds;
  for (let i = at; i < at + ID_WORDS; i++) {
    const value = words[i];
    a = Math.imul(a ^ value, 0x9e3779b1);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b ^ value, 0xc2b2ae35);
    b = (b << 15) | (b >>> 17);
  }
  out.high = mix(a);
  out.low = mix(b) || 1;
}
