import { isIPv4, isIPv6 } from 'node:net';
import { addressText, word } from '../core/address.ts';

/** Text of an address of 4 or 16 octets. */
export function octetsText(octets: Uint8Array): string {
  if (octets.length === 4) return addressText(4, 0, 0, 0, word(octets, 0) >>> 0);
  const w = (at: number) => word(octets, at) >>> 0;
  return addressText(6, w(0), w(4), w(8), w(12));
}

/** Octets of an address given as text; undefined when it is none. */
export function addressOctets(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let hex = text;
  if (dotted !== null) {
    const [a, b, c, d] = dotted[2].split('.').map(Number);
    hex = `${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head, tail] = hex.split('::');
  const groups = (part: string | undefined) => (part === undefined || part === '' ? [] : part.split(':'));
  const front = groups(head);
  const back = groups(tail);
  const all = [...front, ...new Array<string>(8 - front.length - back.length).fill('0'), ...back];
  const octets = new Uint8Array(16);
  all.forEach((group, i) => {
    const n = Number.parseInt(group, 16);
    octets[i * 2] = n >>> 8;
    octets[i * 2 + 1] = n;
  });
  return octets;
}

/** First and last address of a block such as `192.0.2.0/24`; undefined when it is none. */
export function blockOf(text: string): { low: string; high: string } | undefined {
  const match = /^(.+)\/(\d{1,3})$/.exec(text);
  const octets = match === null ? undefined : addressOctets(match[1]);
  if (match === null || octets === undefined || Number(match[2]) > octets.length * 8) return undefined;
  const low = octets.slice();
  const high = octets.slice();
  for (let bit = Number(match[2]); bit < octets.length * 8; bit++) {
    low[bit >>> 3] &= ~(0x80 >>> (bit & 7));
    high[bit >>> 3] |= 0x80 >>> (bit & 7);
  }
  return { low: octetsText(low), high: octetsText(high) };
}

/** An address as two numbers: an IPv4 address and 0, or both halves of an IPv6 address. */
export function addressHalves(octets: Uint8Array): { prefix: bigint; suffix: bigint } {
  const number = (from: number, to: number) => {
    let n = 0n;
    for (let i = from; i < to; i++) n = (n << 8n) | BigInt(octets[i]);
    return n;
  };
  return octets.length === 4 ? { prefix: number(0, 4), suffix: 0n } : { prefix: number(0, 8), suffix: number(8, 16) };
}

/** Text of the address of two halves. */
export function halvesText(family: number, prefix: bigint, suffix: bigint): string {
  const low = (n: bigint) => Number(BigInt.asUintN(32, n));
  return addressText(
    family,
    low(prefix >> 32n),
    low(prefix),
    low(suffix >> 32n),
    family === 4 ? low(prefix) : low(suffix),
  );
}
