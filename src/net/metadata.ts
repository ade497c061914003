import { type Cursor, IP_LAYER, MALFORMED, NOT_IP, type Next } from './cursor.ts';

/** Payload attribute of a netfilter log record. */
const NFULA_PAYLOAD = 9;

/** Netfilter log (LINKTYPE_NFLOG): attributes in the byte order of the machine, 4-aligned; one holds the packet. */
export function nflog(c: Cursor): Next {
  const { bytes } = c;
  if (c.at + 4 > c.end) return c.short(4);
  let at = c.at + 4;
  while (at + 4 <= c.end) {
    const little = bytes[at] | (bytes[at + 1] << 8);
    const big = (bytes[at] << 8) | bytes[at + 1];
    // No attribute is so long that the wrong order would fit as well: the smaller reading is the right one.
    const order = little <= big;
    const length = order ? little : big;
    const type = (order ? bytes[at + 2] | (bytes[at + 3] << 8) : (bytes[at + 2] << 8) | bytes[at + 3]) & 0x7fff;
    if (length < 4) return MALFORMED;
    if (type === NFULA_PAYLOAD) {
      c.at = at + 4;
      c.limit(length - 4);
      return IP_LAYER;
    }
    at += (length + 3) & ~3;
  }
  c.at = at;
  return at > c.end ? c.short(4) : NOT_IP;
}

/** Apple's packet tap (LINKTYPE_PKTAP), little-endian: header length, record type 1, link type. −1 where it is none. */
export function pktapLink(c: Cursor): number {
  const { bytes, at } = c;
  if (at + 12 > c.end) return -1;
  const length = bytes[at] | (bytes[at + 1] << 8);
  if (length < 12 || (bytes[at + 2] | bytes[at + 3]) !== 0 || bytes[at + 4] !== 1 || at + length > c.end) return -1;
  c.at += length;
  return bytes[at + 8] | (bytes[at + 9] << 8);
}

/** Per-packet information (LINKTYPE_PPI), little-endian: length at 2, link type at 4. −1 where it is cut. */
export function ppiLink(c: Cursor): number {
  const { bytes, at } = c;
  if (at + 8 > c.end) return -1;
  const length = bytes[at + 2] | (bytes[at + 3] << 8);
  if (length < 8 || at + length > c.end) return -1;
  c.at += length;
  return bytes[at + 4] | (bytes[at + 5] << 8);
}
