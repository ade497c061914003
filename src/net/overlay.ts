import * as L from './cursor.ts';
import { etherType } from './ethertype.ts';

/** VXLAN (RFC 7348): 8 bytes with the valid-network bit set, then Ethernet. */
export function vxlan(c: L.Cursor): L.Next {
  if (c.at + 8 > c.end) return c.short(8);
  if ((c.bytes[c.at] & 0x08) === 0) return L.NOT_DNS;
  c.at += 8;
  return L.ETHERNET_LAYER;
}

/** VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe §3): as VXLAN, with the next protocol at 3. */
export function vxlanGpe(c: L.Cursor): L.Next {
  if (c.at + 8 > c.end) return c.short(8);
  const next = (c.bytes[c.at] & 0x04) === 0 ? 3 : c.bytes[c.at + 3];
  c.at += 8;
  return nextProtocol(next);
}

/** Network service header (RFC 8300 §2.2): length in words, next protocol at 3. */
export function nsh(c: L.Cursor): L.Next {
  if (c.at + 8 > c.end) return c.short(8);
  const length = (c.bytes[c.at + 1] & 0x3f) * 4;
  const next = c.bytes[c.at + 3];
  if (length < 8) return L.MALFORMED;
  if (c.at + length > c.end) return c.short(length);
  c.at += length;
  return nextProtocol(next);
}

function nextProtocol(next: number): L.Next {
  switch (next) {
    case 1:
      return L.IPV4_LAYER;
    case 2:
      return L.IPV6_LAYER;
    case 3:
      return L.ETHERNET_LAYER;
    case 4:
      return L.NSH_LAYER;
    case 5:
      return L.MPLS_LAYER;
    default:
      return L.NOT_DNS;
  }
}

/** Geneve (RFC 8926 §3.4): options in words, then an EtherType's payload. */
export function geneve(c: L.Cursor): L.Next {
  if (c.at + 8 > c.end) return c.short(8);
  const first = c.bytes[c.at];
  if (first >> 6 !== 0) return L.NOT_DNS;
  const header = 8 + (first & 0x3f) * 4;
  const type = c.u16(2);
  if (c.at + header > c.end) return c.short(header);
  c.at += header;
  return type < 0x600 ? L.NOT_DNS : etherType(type);
}

/** GTP-U version 1 (3GPP TS 29.281 §5): G-PDUs carry IP packets, behind optional fields and extension headers. */
export function gtp(c: L.Cursor): L.Next {
  const { bytes } = c;
  if (c.at + 8 > c.end) return c.short(8);
  const flags = bytes[c.at];
  if (flags >> 4 !== 3 || bytes[c.at + 1] !== 0xff) return L.NOT_DNS;
  const length = c.u16(2);
  c.at += 8;
  c.limit(length);
  if ((flags & 7) === 0) return L.IP_LAYER;
  if (c.at + 4 > c.end) return c.short(4);
  let extension = (flags & 4) === 0 ? 0 : bytes[c.at + 3];
  c.at += 4;
  while (extension !== 0) {
    if (c.at + 1 > c.end) return c.short(1);
    const size = bytes[c.at] * 4;
    if (size === 0) return L.MALFORMED;
    if (c.at + size > c.end) return c.short(size);
    extension = bytes[c.at + size - 1];
    c.at += size;
  }
  return L.IP_LAYER;
}

/** Teredo (RFC 4380 §5.1.1): optional authentication and origin, then IPv6. */
export function teredo(c: L.Cursor): L.Next {
  const { bytes } = c;
  if (c.at + 4 > c.end) return c.short(4);
  if (c.u16(0) === 1) {
    const length = 4 + bytes[c.at + 2] + bytes[c.at + 3] + 9;
    if (c.at + length + 4 > c.end) return c.short(length + 4);
    c.at += length;
  }
  if (c.u16(0) === 0) {
    if (c.at + 8 > c.end) return c.short(8);
    c.at += 8;
  }
  if (c.at + 1 > c.end) return c.short(1);
  return bytes[c.at] >> 4 === 6 ? L.IPV6_LAYER : L.NOT_DNS;
}

/** TaZmen sniffer protocol: tagged fields up to tag 1, then Ethernet (1) or 802.11 (18). */
export function tzsp(c: L.Cursor): L.Next {
  const { bytes } = c;
  if (c.at + 4 > c.end) return c.short(4);
  const inner = c.u16(2);
  if (bytes[c.at] !== 1 || bytes[c.at + 1] > 1) return L.NOT_DNS;
  c.at += 4;
  for (;;) {
    if (c.at + 1 > c.end) return c.short(1);
    const tag = bytes[c.at];
    if (tag > 1) {
      if (c.at + 2 > c.end) return c.short(2);
      c.at += 2 + bytes[c.at + 1];
    } else c.at += 1;
    if (tag === 1) break;
  }
  if (inner === 1) return L.ETHERNET_LAYER;
  return inner === 18 ? L.WLAN_LAYER : L.NOT_DNS;
}
