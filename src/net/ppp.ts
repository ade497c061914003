import * as L from './cursor.ts';
import { etherType } from './ethertype.ts';

/** PPP (RFC 1661): address and control octets and the first protocol octet may be left out. */
export function ppp(c: L.Cursor): L.Next {
  if (c.at + 2 <= c.end && c.bytes[c.at] === 0xff && c.bytes[c.at + 1] === 0x03) c.at += 2;
  if (c.at + 1 > c.end) return c.short(1);
  let protocol = c.bytes[c.at];
  if ((protocol & 1) === 0) {
    if (c.at + 2 > c.end) return c.short(2);
    protocol = c.u16(0);
    c.at += 1;
  }
  c.at += 1;
  if (protocol === 0x0021) return L.IPV4_LAYER;
  if (protocol === 0x0057) return L.IPV6_LAYER;
  return protocol === 0x0281 ? L.MPLS_LAYER : L.NOT_IP;
}

/** PPPoE session (RFC 2516): version, code 0, session, length. */
export function pppoe(c: L.Cursor): L.Next {
  if (c.at + 6 > c.end) return c.short(6);
  const code = c.bytes[c.at + 1];
  const length = c.u16(4);
  c.at += 6;
  if (code !== 0) return L.NOT_IP;
  c.limit(length);
  return L.PPP_LAYER;
}

/** PPP in HDLC-like framing, or Cisco HDLC, which is told by its address octet (LINKTYPE_PPP_HDLC, LINKTYPE_C_HDLC). */
export function hdlc(c: L.Cursor): L.Next {
  if (c.at + 4 > c.end) return c.short(4);
  const address = c.bytes[c.at];
  if (address !== 0x0f && address !== 0x8f) return L.PPP_LAYER;
  const type = c.u16(2);
  c.at += 4;
  return type < 0x600 ? L.NOT_IP : etherType(type);
}

/** PPP behind one octet that tells the direction (LINKTYPE_PPP_WITH_DIR). */
export function pppDirected(c: L.Cursor): L.Next {
  if (c.at + 1 > c.end) return c.short(1);
  c.at += 1;
  return L.PPP_LAYER;
}

/** pppd's capture (LINKTYPE_PPP_PPPD): the direction stands where PPP has its address octet. */
export function pppd(c: L.Cursor): L.Next {
  if (c.at + 2 > c.end) return c.short(2);
  if (c.bytes[c.at + 1] === 0x03) c.at += 2;
  return L.PPP_LAYER;
}

/** L2TP version 2 in UDP (RFC 2661 §3.1): data messages carry PPP. */
export function l2tp(c: L.Cursor): L.Next {
  if (c.at + 6 > c.end) return c.short(6);
  const flags = c.u16(0);
  if ((flags & 0x800f) !== 2) return L.NOT_DNS;
  let header = 6;
  if ((flags & 0x4000) !== 0) header += 2;
  if ((flags & 0x0800) !== 0) header += 4;
  if ((flags & 0x0200) !== 0) {
    if (c.at + header + 2 > c.end) return c.short(header + 2);
    header += 2 + c.u16(header);
  }
  if (c.at + header > c.end) return c.short(header);
  c.at += header;
  return L.PPP_LAYER;
}

/** Frame relay (RFC 2427): Q.922 address, unnumbered information, then a network layer protocol identifier. */
export function frameRelay(c: L.Cursor): L.Next {
  let address = 0;
  while (address < 4) {
    if (c.at + address >= c.end) return c.short(address + 1);
    if ((c.bytes[c.at + address++] & 1) === 1) break;
  }
  c.at += address;
  if (c.at + 2 > c.end) return c.short(2);
  if (c.bytes[c.at] !== 0x03) return L.NOT_IP;
  c.at += 1;
  if (c.bytes[c.at] === 0) c.at += 1;
  if (c.at + 1 > c.end) return c.short(1);
  const protocol = c.bytes[c.at++];
  if (protocol === 0xcc) return L.IPV4_LAYER;
  if (protocol === 0x8e) return L.IPV6_LAYER;
  if (protocol !== 0x80) return L.NOT_IP;
  if (c.at + 5 > c.end) return c.short(5);
  const type = c.u16(3);
  c.at += 5;
  return type < 0x600 ? L.NOT_IP : etherType(type);
}
