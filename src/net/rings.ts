import { type Cursor, IPV4_LAYER, IPV6_LAYER, LLC_LAYER, NOT_IP, type Next } from './cursor.ts';

/** FDDI: frame control, two addresses, LLC where the control says so. */
export function fddi(c: Cursor): Next {
  if (c.at + 13 > c.end) return c.short(13);
  const control = c.bytes[c.at];
  c.at += 13;
  return (control & 0x30) === 0x10 ? LLC_LAYER : NOT_IP;
}

/** Token ring (IEEE 802.5): two control octets, two addresses, a route where the source's first bit is set, LLC. */
export function tokenRing(c: Cursor): Next {
  if (c.at + 14 > c.end) return c.short(14);
  let header = 14;
  if ((c.bytes[c.at + 1] & 0xc0) !== 0x40) return NOT_IP;
  if ((c.bytes[c.at + 8] & 0x80) !== 0) {
    if (c.at + 15 > c.end) return c.short(15);
    header += c.bytes[c.at + 14] & 0x1f;
    if (c.at + header > c.end) return c.short(header);
  }
  c.at += header;
  return LLC_LAYER;
}

/** ARCNET as BSD captures it: source, destination, system code. */
export function arcnet(c: Cursor): Next {
  if (c.at + 3 > c.end) return c.short(3);
  return systemCode(c, 2);
}

/** ARCNET as Linux captures it: two bytes of offset before the system code. */
export function arcnetLinux(c: Cursor): Next {
  if (c.at + 5 > c.end) return c.short(5);
  return systemCode(c, 4);
}

/** 240: IP, bare (RFC 1051). 212 and 196: IPv4 and IPv6 behind a split flag and sequence number (RFC 1201, RFC 2497). */
function systemCode(c: Cursor, offset: number): Next {
  const code = c.bytes[c.at + offset];
  c.at += offset + 1;
  if (code === 240) return IPV4_LAYER;
  if (code !== 212 && code !== 196) return NOT_IP;
  if (c.at + 1 > c.end) return c.short(1);
  // An exception frame has a pad of its own before the real flag and number.
  const header = c.bytes[c.at] === 0xff ? 7 : 3;
  if (c.at + header > c.end) return c.short(header);
  const split = c.bytes[c.at + header - 3];
  c.at += header;
  // The pieces of a split packet are not put together.
  if (split !== 0) return NOT_IP;
  return code === 212 ? IPV4_LAYER : IPV6_LAYER;
}
