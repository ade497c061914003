import { word } from '../core/address.ts';
import { type Cursor, IPV4_LAYER, IPV6_LAYER, NOT_IP, type Next } from './cursor.ts';

/**
 * BSD loopback (LINKTYPE_NULL, LINKTYPE_LOOP): the address family in 4 bytes, in the byte order of the machine that
 * captured. Only its small end is ever used, so both orders are told apart by where the value stands.
 */
export function loopback(c: Cursor): Next {
  if (c.at + 4 > c.end) return c.short(4);
  const value = word(c.bytes, c.at);
  c.at += 4;
  const first = value >>> 24;
  return family((value & 0xffffff) === 0 && first !== 0 ? first : value);
}

/** OpenBSD's enc interface (LINKTYPE_ENC): family, SPI and flags in 12 bytes. */
export function enc(c: Cursor): Next {
  if (c.at + 12 > c.end) return c.short(12);
  const next = loopback(c);
  c.at += 8;
  return next;
}

/** OpenBSD's packet filter log (LINKTYPE_PFLOG): its own length (rounded up to 4) and the family come first. */
export function pflog(c: Cursor): Next {
  if (c.at + 2 > c.end) return c.short(2);
  const length = (c.bytes[c.at] + 3) & ~3;
  const af = c.bytes[c.at + 1];
  if (c.at + length > c.end) return c.short(length);
  c.at += length;
  return family(af);
}

/** AF_INET is 2 everywhere; AF_INET6 is 24 (NetBSD, OpenBSD), 28 (FreeBSD), 30 (macOS) or 10 (Linux). */
function family(af: number): Next {
  if (af === 2) return IPV4_LAYER;
  return af === 24 || af === 28 || af === 30 || af === 10 ? IPV6_LAYER : NOT_IP;
}
