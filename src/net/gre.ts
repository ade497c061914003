import * as L from './cursor.ts';
import { etherType } from './ethertype.ts';

const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
const ACKNOWLEDGEMENT = 0x0080;

/** GRE (RFC 2784, 2890), NVGRE (RFC 7637), and the enhanced form of PPTP (RFC 2637), which carries PPP. */
export function gre(c: L.Cursor): L.Next {
  if (c.at + 4 > c.end) return c.short(4);
  const flags = c.u16(0);
  const type = c.u16(2);
  const version = flags & 7;
  if (version > 1) return L.NOT_DNS;
  let header = 4;
  if ((flags & (CHECKSUM | ROUTING)) !== 0) header += 4;
  if ((flags & KEY) !== 0) header += 4;
  if ((flags & SEQUENCE) !== 0) header += 4;
  if (version === 1 && (flags & ACKNOWLEDGEMENT) !== 0) header += 4;
  if (c.at + header > c.end) return c.short(header);
  c.at += header;
  if (version === 0 && (flags & ROUTING) !== 0) {
    const failed = sourceRoutes(c);
    if (failed !== 0) return failed;
  }
  // ERSPAN type I has no header of its own, and no sequence number.
  if (type === 0x88be) return (flags & SEQUENCE) === 0 ? L.ETHERNET_LAYER : L.ERSPAN2_LAYER;
  if (type === 0x22eb) return L.ERSPAN3_LAYER;
  if (type === 0x883e) return wccp(c);
  const next = etherType(type);
  return next === L.LLC_LAYER || next === L.NOT_IP ? L.NOT_DNS : next;
}

/** Source route entries (RFC 1701) end with one of family and length 0. Returns 0, or why it went wrong. */
function sourceRoutes(c: L.Cursor): L.Next {
  for (;;) {
    if (c.at + 4 > c.end) return c.short(4);
    const length = c.bytes[c.at + 3];
    const last = c.u16(0) === 0 && length === 0;
    c.at += 4 + length;
    if (last) return 0;
  }
}

/** Web cache redirection: IPv4, in version 2 behind 4 bytes of its own. */
function wccp(c: L.Cursor): L.Next {
  if (c.at + 4 > c.end) return c.short(4);
  if (c.bytes[c.at] >> 4 !== 4) c.at += 4;
  return L.IPV4_LAYER;
}

/** ERSPAN type II (draft-foschiano-erspan-03 §4.2): 8 bytes; some senders put type III under its number. */
export function erspan2(c: L.Cursor): L.Next {
  if (c.at + 8 > c.end) return c.short(8);
  if (c.bytes[c.at] >> 4 === 2) return L.ERSPAN3_LAYER;
  c.at += 8;
  return L.ETHERNET_LAYER;
}

/** ERSPAN type III (§4.3): 12 bytes, 8 more where the last bit says so; frame type 2 is a bare IP packet. */
export function erspan3(c: L.Cursor): L.Next {
  if (c.at + 12 > c.end) return c.short(12);
  const last = c.u16(10);
  const header = (last & 1) === 0 ? 12 : 20;
  if (c.at + header > c.end) return c.short(header);
  c.at += header;
  return ((last >> 10) & 31) === 2 ? L.IP_LAYER : L.ETHERNET_LAYER;
}

/** EtherIP (RFC 3378): version 3 in two bytes, then Ethernet. */
export function etherIp(c: L.Cursor): L.Next {
  if (c.at + 2 > c.end) return c.short(2);
  if (c.bytes[c.at] >> 4 !== 3) return L.NOT_DNS;
  c.at += 2;
  return L.ETHERNET_LAYER;
}
