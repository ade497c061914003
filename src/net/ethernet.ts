import { type Cursor, LLC_LAYER, MALFORMED, type Next } from './cursor.ts';
import { etherType } from './ethertype.ts';

/** Ethernet: two addresses and an EtherType, or a length and LLC (IEEE 802.3). */
export function ethernet(c: Cursor): Next {
  if (c.at + 14 > c.end) return c.short(14);
  const { carrier } = c;
  carrier.ethernetAt = c.reassembled ? -1 : c.at;
  carrier.vlanAt = -1;
  carrier.vlan = -1;
  return typed(c, 12);
}

/** 802.1Q and 802.1ad tag: two bytes of control, then another EtherType. The first tag is the frame's VLAN. */
export function vlan(c: Cursor): Next {
  if (c.at + 4 > c.end) return c.short(4);
  const { carrier } = c;
  if (carrier.vlan < 0) {
    carrier.vlanAt = c.reassembled ? -1 : c.at;
    carrier.vlan = c.u16(0) & 0xfff;
  }
  return typed(c, 2);
}

/** The EtherType at `offset` from the cursor, which moves behind it; a length ends what follows. */
function typed(c: Cursor, offset: number): Next {
  const type = c.u16(offset);
  c.at += offset + 2;
  const next = etherType(type);
  if (next === LLC_LAYER) c.limit(type);
  return next;
}

/** MPLS label stack (RFC 3032); what it carries is told by the first nibble (RFC 4928). */
export function mpls(c: Cursor): Next {
  for (;;) {
    if (c.at + 4 > c.end) return c.short(4);
    const bottom = c.bytes[c.at + 2] & 1;
    c.at += 4;
    if (bottom === 1) break;
  }
  return payload(c);
}

/** What is behind the last label: IPv4, IPv6, or a pseudowire with Ethernet in it (RFC 4448). */
function payload(c: Cursor): Next {
  if (c.at + 1 > c.end) return c.short(1);
  const nibble = c.bytes[c.at] >> 4;
  if (nibble === 4) return etherType(0x0800);
  if (nibble === 6) return etherType(0x86dd);
  // Control word of zero nibble, then Ethernet; without one the Ethernet header itself follows.
  if (nibble === 0 && c.at + 18 <= c.end) c.at += 4;
  return etherType(0x6558);
}

/** LLC (IEEE 802.2), with SNAP: an EtherType behind an organisation code; bare SAP 6 is IPv4 (RFC 1042). */
export function llc(c: Cursor): Next {
  if (c.at + 3 > c.end) return c.short(3);
  const sap = c.bytes[c.at];
  if (sap === 0x06 && c.bytes[c.at + 2] === 0x03) {
    c.at += 3;
    return etherType(0x0800);
  }
  if (sap !== 0xaa || c.bytes[c.at + 1] !== 0xaa) return etherType(0xffff);
  if (c.at + 8 > c.end) return c.short(8);
  const type = c.u16(6);
  c.at += 8;
  // A length cannot stand here.
  return type < 0x600 ? MALFORMED : etherType(type);
}
