import { word } from '../core/address.ts';
import type { Carrier } from '../core/carrier.ts';
import * as L from './cursor.ts';

/** IPv4 or IPv6 by the version nibble (raw IP links do not say). */
export function ip(c: L.Cursor): L.Next {
  if (c.at >= c.end) return c.short(1);
  const version = c.bytes[c.at] >> 4;
  return version === 4 ? L.IPV4_LAYER : version === 6 ? L.IPV6_LAYER : L.NOT_IP;
}

/** IPv4 header with options (RFC 791). */
export function ipv4(c: L.Cursor): L.Next {
  const { bytes, at, carrier } = c;
  if (at + 20 > c.end) {
    return at < c.end && bytes[at] >> 4 === 6 ? L.IPV6_LAYER : c.short(20);
  }
  if (bytes[at] >> 4 !== 4) return bytes[at] >> 4 === 6 ? L.IPV6_LAYER : L.MALFORMED;
  const header = (bytes[at] & 15) * 4;
  if (header < 20) return L.MALFORMED;
  if (at + header > c.end) return c.short(header);
  const total = c.u16(2);
  // 0: the card cut one large segment in pieces behind our back (TSO). Larger than the frame: the header lies.
  if (total !== 0 && total < header) return L.MALFORMED;
  const fragment = c.u16(6);
  if (total !== 0) c.limit(total);
  if ((fragment & 0x3fff) !== 0) c.lengthen(total);
  c.packets++;
  carrier.ipAt = c.reassembled ? -1 : at;
  carrier.ipId = c.u16(4);
  fillEnds4(carrier, bytes, at);
  c.protocol = bytes[at + 9];
  c.fragmentId = carrier.ipId;
  c.at += header;
  if ((fragment & 0x3fff) === 0) return L.PROTOCOL_LAYER;
  c.fragmentAt = (fragment & 0x1fff) * 8;
  c.moreFragments = (fragment & 0x2000) !== 0;
  return L.FRAGMENT_LAYER;
}

/** IPv6 header and its extension headers (RFC 8200 §4). */
export function ipv6(c: L.Cursor): L.Next {
  const { bytes, at, carrier } = c;
  if (at + 40 > c.end) return c.short(40);
  if (bytes[at] >> 4 !== 6) return bytes[at] >> 4 === 4 ? L.IPV4_LAYER : L.MALFORMED;
  c.packets++;
  carrier.ipAt = c.reassembled ? -1 : at;
  carrier.ipId = 0;
  fillEnds6(carrier, bytes, at);
  const length = c.u16(4);
  c.protocol = bytes[at + 6];
  c.at += 40;
  // 0: a jumbogram (RFC 2675) or segmentation offload.
  if (length !== 0) c.limit(length);
  return extensions(c);
}

/** Skips extension headers from `c.protocol` on; ends at a fragment header or the transport. */
export function extensions(c: L.Cursor): L.Next {
  const { bytes } = c;
  for (;;) {
    const protocol = c.protocol;
    if (protocol === 44) return fragmentHeader(c);
    if (
      protocol !== 0 &&
      protocol !== 43 &&
      protocol !== 60 &&
      protocol !== 135 &&
      protocol !== 139 &&
      protocol !== 140
    )
      return L.PROTOCOL_LAYER;
    if (c.at + 8 > c.end) return c.short(8);
    const length = (bytes[c.at + 1] + 1) * 8;
    if (c.at + length > c.end) return c.short(length);
    c.protocol = bytes[c.at];
    c.at += length;
  }
}

/** IPv6 fragment header (RFC 8200 §4.5); an atomic fragment (RFC 6946) is a whole datagram. */
function fragmentHeader(c: L.Cursor): L.Next {
  const { bytes } = c;
  if (c.at + 8 > c.end) return c.short(8);
  const fragment = c.u16(2);
  c.protocol = bytes[c.at];
  c.fragmentId = word(bytes, c.at + 4);
  c.at += 8;
  if ((fragment & 0xfff9) === 0) return extensions(c);
  c.fragmentAt = fragment & 0xfff8;
  c.moreFragments = (fragment & 1) !== 0;
  return L.FRAGMENT_LAYER;
}

/** Authentication header (RFC 4302): the payload behind it is in clear. */
export function authentication(c: L.Cursor): L.Next {
  if (c.at + 8 > c.end) return c.short(8);
  const length = (c.bytes[c.at + 1] + 2) * 4;
  if (c.at + length > c.end) return c.short(length);
  c.protocol = c.bytes[c.at];
  c.at += length;
  return c.carrier.family === 6 ? extensions(c) : L.PROTOCOL_LAYER;
}

/** Family and addresses of the IPv4 header at `at`. */
export function fillEnds4(carrier: Carrier, bytes: Uint8Array<ArrayBufferLike>, at: number): void {
  carrier.family = 4;
  carrier.source0 = carrier.source1 = carrier.source2 = 0;
  carrier.source3 = word(bytes, at + 12);
  carrier.destination0 = carrier.destination1 = carrier.destination2 = 0;
  carrier.destination3 = word(bytes, at + 16);
}

/** Family and addresses of the IPv6 header at `at`. */
export function fillEnds6(carrier: Carrier, bytes: Uint8Array<ArrayBufferLike>, at: number): void {
  carrier.family = 6;
  carrier.source0 = word(bytes, at + 8);
  carrier.source1 = word(bytes, at + 12);
  carrier.source2 = word(bytes, at + 16);
  carrier.source3 = word(bytes, at + 20);
  carrier.destination0 = word(bytes, at + 24);
  carrier.destination1 = word(bytes, at + 28);
  carrier.destination2 = word(bytes, at + 32);
  carrier.destination3 = word(bytes, at + 36);
}

/** The layer of an IP protocol number. */
export function ipProtocol(c: L.Cursor): L.Next {
  switch (c.protocol) {
    case 17:
      return L.UDP_LAYER;
    case 6:
      return L.TCP_LAYER;
    case 1:
      return L.ICMP_LAYER;
    case 58:
      return L.ICMP6_LAYER;
    case 4:
    case 41:
      return L.IP_LAYER;
    case 47:
      return L.GRE_LAYER;
    case 51:
      return L.AH_LAYER;
    case 97:
      return L.ETHERIP_LAYER;
    case 137:
      return L.MPLS_LAYER;
    default:
      return L.NOT_DNS;
  }
}
