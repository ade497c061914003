import { DNS, LLMNR, MDNS, NBNS, TCP, UDP } from '../../core/carrier.ts';
import type { Subject } from '../value.ts';
import { type Column, columnField, field, type FilterField, once } from './field.ts';
import { type At, bit, EMPTY, frameEnd, Layer, packetEnd, u16, u32, u8, type When } from './layer.ts';
import { ETHERTYPES, PACKET_TYPES, PROTOCOL_NUMBERS } from './names.ts';

const LINK_SLL = 113;
const LINK_SLL2 = 276;

const frame = new Layer('frame', (s) => s.carrier.frameAt, 0);
const nanosOf = (s: Subject): bigint => BigInt(s.carrier.seconds) * 1_000_000_000n + BigInt(s.carrier.nanos);
const interfaceOf = (s: Subject) => s.carrier.interfaces[s.carrier.interfaceId];

const FRAME: readonly FilterField[] = [
  field(['frame', 'FT_PROTOCOL', 'Frame'], { group: 'protocol', stored: false }, (s, out) =>
    out.add(s.carrier.frame.subarray(s.carrier.frameAt, frameEnd(s))),
  ),
  frame.number(['frame.number', 'FT_UINT32', 'Frame Number'], (s) => s.carrier.number),
  frame.number(['frame.len', 'FT_UINT32', 'Frame length on the wire'], (s) => s.carrier.wireLength),
  frame.number(
    ['frame.cap_len', 'FT_UINT32', 'Frame length stored into the capture file'],
    (s) => s.carrier.capturedLength,
  ),
  field(['frame.time', 'FT_ABSOLUTE_TIME', 'Arrival Time'], { group: 'frame' }, (s, out) => out.add(nanosOf(s))),
  field(['frame.time_epoch', 'FT_ABSOLUTE_TIME', 'Epoch Time'], { group: 'frame' }, (s, out) => out.add(nanosOf(s))),
  frame.number(
    ['frame.interface_id', 'FT_UINT32', 'Interface id'],
    (s) => interfaceOf(s)?.idInSection ?? s.carrier.interfaceId,
  ),
  field(['frame.interface_name', 'FT_STRING', 'Interface name'], { group: 'frame' }, (s, out) => {
    const name = interfaceOf(s)?.name;
    if (name !== undefined) out.add(name);
  }),
  field(
    ['frame.interface_description', 'FT_STRING', 'Interface description'],
    { group: 'frame', stored: false },
    (s, out) => {
      const description = interfaceOf(s)?.description;
      if (description !== undefined) out.add(description);
    },
  ),
];

const eth = new Layer('eth', (s) => s.carrier.ethernetAt, 14);
function macPair(name: string, title: string): FilterField {
  return field([name, 'FT_ETHER', title], { group: 'eth', stored: false }, (s, out) => {
    if (!eth.has(s)) return;
    const at = s.carrier.ethernetAt;
    out.add(s.carrier.frame.subarray(at, at + 6));
    out.add(s.carrier.frame.subarray(at + 6, at + 12));
  });
}
const isTagged = (type: number): boolean => type === 0x8100 || type === 0x88a8 || type === 0x9100;

const ETHERNET: readonly FilterField[] = [
  eth.protocol('Ethernet', eth.has),
  macPair('eth.addr', 'Address'),
  eth.bytes(['eth.dst', 'FT_ETHER', 'Destination'], 0, 6),
  eth.bytes(['eth.src', 'FT_ETHER', 'Source'], 6, 6),
  eth.number(['eth.type', 'FT_UINT16', 'Type'], (s, at) => u16(s, at + 12), {
    hex: true,
    names: ETHERTYPES,
    when: (s) => u16(s, s.carrier.ethernetAt + 12) >= 0x600,
  }),
  eth.number(['eth.len', 'FT_UINT16', 'Length'], (s, at) => u16(s, at + 12), {
    when: (s) => u16(s, s.carrier.ethernetAt + 12) < 0x600,
  }),
];

/** The tags behind one another; the item's number is its place. */
const tags = (at: (s: Subject, tag: number) => number): Column => ({
  next: (s, from) => {
    const first = s.carrier.vlanAt;
    if (first < 0 || from > 7) return -1;
    for (let i = 0; i <= from; i++) {
      if (first + 4 * i + 4 > frameEnd(s)) return -1;
      if (i > 0 && !isTagged(u16(s, first + 4 * i - 2))) return -1;
    }
    return from;
  },
  at: (s, i) => at(s, s.carrier.vlanAt + 4 * i),
});
const vlan = { group: 'vlan', stored: false } as const;
const VLAN: readonly FilterField[] = [
  field(['vlan', 'FT_PROTOCOL', '802.1Q Virtual LAN'], { group: 'protocol' }, (s, out) => {
    if (s.carrier.vlan >= 0)
      out.add(s.carrier.vlanAt < 0 ? EMPTY : s.carrier.frame.subarray(s.carrier.vlanAt, frameEnd(s)));
  }),
  columnField(
    ['vlan.id', 'FT_UINT16', 'ID'],
    { group: 'vlan' },
    tags((s, at) => u16(s, at) & 0xfff),
  ),
  columnField(
    ['vlan.priority', 'FT_UINT16', 'Priority'],
    vlan,
    tags((s, at) => u16(s, at) >> 13),
  ),
  columnField(
    ['vlan.dei', 'FT_BOOLEAN', 'DEI'],
    vlan,
    tags((s, at) => (u16(s, at) >> 12) & 1),
  ),
  columnField(
    ['vlan.etype', 'FT_UINT16', 'Type'],
    { ...vlan, hex: true, names: ETHERTYPES },
    tags((s, at) => u16(s, at + 2)),
  ),
];

const isSll: When = (s) => s.carrier.link === LINK_SLL && s.carrier.capturedLength >= 16;
const isSll2: When = (s) => s.carrier.link === LINK_SLL2 && s.carrier.capturedLength >= 20;
const anySll: When = (s) => isSll(s) || isSll2(s);
const sllAt: At = (s) => (anySll(s) ? s.carrier.frameAt : -1);
const sll = new Layer('sll', sllAt, 16);
const SLL: readonly FilterField[] = [
  sll.protocol('Linux cooked-mode capture', anySll),
  sll.number(['sll.pkttype', 'FT_UINT16', 'Packet type'], (s, at) => (isSll(s) ? u16(s, at) : u8(s, at + 10)), {
    names: PACKET_TYPES,
  }),
  sll.number(['sll.hatype', 'FT_UINT16', 'Link-layer address type'], (s, at) => u16(s, at + (isSll(s) ? 2 : 8))),
  sll.number(['sll.halen', 'FT_UINT16', 'Link-layer address length'], (s, at) =>
    isSll(s) ? u16(s, at + 4) : u8(s, at + 11),
  ),
  field(['sll.src.eth', 'FT_ETHER', 'Source'], { group: 'sll', stored: false }, (s, out) => {
    const at = sllAt(s);
    if (at < 0 || (isSll(s) ? u16(s, at + 4) : u8(s, at + 11)) !== 6) return;
    const from = at + (isSll(s) ? 6 : 12);
    out.add(s.carrier.frame.subarray(from, from + 6));
  }),
  sll.number(['sll.etype', 'FT_UINT16', 'Protocol'], (s, at) => u16(s, at + (isSll(s) ? 14 : 0)), {
    hex: true,
    names: ETHERTYPES,
  }),
  sll.number(['sll.ifindex', 'FT_UINT32', 'Interface index'], (s, at) => u32(s, at + 4), { when: isSll2 }),
];

const isV4: When = (s) => s.carrier.family === 4;
const isV6: When = (s) => s.carrier.family === 6;
const ip = new Layer('ip', (s) => (s.carrier.family === 4 ? s.carrier.ipAt : -1), 20);
const ipv6 = new Layer('ipv6', (s) => (s.carrier.family === 6 ? s.carrier.ipAt : -1), 40);

function addresses4(name: string, title: string, from: 0 | 1, to: 0 | 1): FilterField {
  const column: Column = {
    next: (s, index) => (s.carrier.family === 4 && index + from <= to ? index : -1),
    at: (s, index) => (index + from === 0 ? s.carrier.source3 : s.carrier.destination3) >>> 0,
  };
  return columnField([name, 'FT_IPv4', title], { group: 'ip' }, column);
}
function addresses6(name: string, title: string, source: boolean, destination: boolean): FilterField {
  return field([name, 'FT_IPv6', title], { group: 'ipv6' }, (s, out) => {
    if (s.carrier.family !== 6) return;
    const c = s.carrier;
    if (source) out.add(octets16(c.source0, c.source1, c.source2, c.source3));
    if (destination) out.add(octets16(c.destination0, c.destination1, c.destination2, c.destination3));
  });
}
function octets16(w0: number, w1: number, w2: number, w3: number): Uint8Array {
  const octets = new Uint8Array(16);
  putWord(octets, 0, w0);
  putWord(octets, 4, w1);
  putWord(octets, 8, w2);
  putWord(octets, 12, w3);
  return octets;
}
function putWord(octets: Uint8Array, at: number, w: number): void {
  octets[at] = w >>> 24;
  octets[at + 1] = w >>> 16;
  octets[at + 2] = w >>> 8;
  octets[at + 3] = w;
}

const IP: readonly FilterField[] = [
  ip.protocol('Internet Protocol Version 4', isV4),
  addresses4('ip.addr', 'Source or Destination Address', 0, 1),
  addresses4('ip.src', 'Source Address', 0, 0),
  addresses4('ip.dst', 'Destination Address', 1, 1),
  columnField(
    ['ip.version', 'FT_UINT8', 'Version'],
    { group: 'ip' },
    once(
      () => true,
      (s) => s.carrier.family,
    ),
  ),
  ip.number(['ip.hdr_len', 'FT_UINT8', 'Header Length'], (s, at) => (u8(s, at) & 15) * 4),
  ip.number(['ip.dsfield', 'FT_UINT8', 'Differentiated Services Field'], (s, at) => u8(s, at + 1), { hex: true }),
  ip.number(['ip.dsfield.dscp', 'FT_UINT8', 'Differentiated Services Codepoint'], (s, at) => u8(s, at + 1) >> 2),
  ip.number(['ip.dsfield.ecn', 'FT_UINT8', 'Explicit Congestion Notification'], (s, at) => u8(s, at + 1) & 3),
  ip.number(['ip.len', 'FT_UINT16', 'Total Length'], (s, at) => u16(s, at + 2)),
  ip.number(['ip.id', 'FT_UINT16', 'Identification'], (s, at) => u16(s, at + 4), { hex: true }),
  ip.number(['ip.flags', 'FT_UINT8', 'Flags'], (s, at) => u8(s, at + 6) >> 5, { hex: true }),
  ip.number(['ip.flags.rb', 'FT_BOOLEAN', 'Reserved bit'], bit(6, 0x80)),
  ip.number(['ip.flags.df', 'FT_BOOLEAN', "Don't fragment"], bit(6, 0x40)),
  ip.number(['ip.flags.mf', 'FT_BOOLEAN', 'More fragments'], bit(6, 0x20)),
  ip.number(['ip.frag_offset', 'FT_UINT16', 'Fragment Offset, in eight octets'], (s, at) => u16(s, at + 6) & 0x1fff),
  ip.number(['ip.ttl', 'FT_UINT8', 'Time to Live'], (s, at) => u8(s, at + 8)),
  ip.number(['ip.proto', 'FT_UINT8', 'Protocol'], (s, at) => u8(s, at + 9), { names: PROTOCOL_NUMBERS }),
  ip.number(['ip.checksum', 'FT_UINT16', 'Header Checksum'], (s, at) => u16(s, at + 10), { hex: true }),
  ipv6.protocol('Internet Protocol Version 6', isV6),
  addresses6('ipv6.addr', 'Source or Destination Address', true, true),
  addresses6('ipv6.src', 'Source Address', true, false),
  addresses6('ipv6.dst', 'Destination Address', false, true),
  ipv6.number(['ipv6.version', 'FT_UINT8', 'Version'], () => 6),
  ipv6.number(['ipv6.tclass', 'FT_UINT32', 'Traffic Class'], (s, at) => (u16(s, at) >> 4) & 0xff, { hex: true }),
  ipv6.number(['ipv6.flow', 'FT_UINT24', 'Flow Label'], (s, at) => u32(s, at) & 0xfffff, { hex: true }),
  ipv6.number(['ipv6.plen', 'FT_UINT16', 'Payload Length'], (s, at) => u16(s, at + 4)),
  ipv6.number(['ipv6.nxt', 'FT_UINT8', 'Next Header'], (s, at) => u8(s, at + 6), { names: PROTOCOL_NUMBERS }),
  ipv6.number(['ipv6.hlim', 'FT_UINT8', 'Hop Limit'], (s, at) => u8(s, at + 7)),
];

const isUdp: When = (s) => s.carrier.transport === UDP;
const isTcp: When = (s) => s.carrier.transport === TCP;
const udp = new Layer('udp', (s) => (s.carrier.transport === UDP ? s.carrier.transportAt : -1), 8);
const tcp = new Layer('tcp', (s) => (s.carrier.transport === TCP ? s.carrier.transportAt : -1), 20);

function ports(group: 'udp' | 'tcp'): readonly FilterField[] {
  const number = group === 'udp' ? UDP : TCP;
  const is = group === 'udp' ? isUdp : isTcp;
  return [
    columnField(
      [`${group}.port`, 'FT_UINT16', 'Source or Destination Port'],
      { group },
      {
        next: (s, from) => (from < 2 && s.carrier.transport === number ? from : -1),
        at: (s, i) => (i === 0 ? s.carrier.sourcePort : s.carrier.destinationPort),
      },
    ),
    columnField(
      [`${group}.srcport`, 'FT_UINT16', 'Source Port'],
      { group },
      once(is, (s) => s.carrier.sourcePort),
    ),
    columnField(
      [`${group}.dstport`, 'FT_UINT16', 'Destination Port'],
      { group },
      once(is, (s) => s.carrier.destinationPort),
    ),
    columnField(
      [`${group}.stream`, 'FT_UINT32', 'Stream index'],
      { group, stored: false },
      once(
        (s) => is(s) && s.carrier.stream >= 0,
        (s) => s.carrier.stream,
      ),
    ),
  ];
}

const tcpHeader: At = (s) => (u8(s, s.carrier.transportAt + 12) >> 4) * 4;
const segmentLength: At = (s) => Math.max(0, packetEnd(s) - s.carrier.transportAt - tcpHeader(s));

const TRANSPORT: readonly FilterField[] = [
  udp.protocol('User Datagram Protocol', isUdp, packetEnd),
  ...ports('udp'),
  udp.number(['udp.length', 'FT_UINT16', 'Length'], (s, at) => u16(s, at + 4)),
  udp.number(['udp.checksum', 'FT_UINT16', 'Checksum'], (s, at) => u16(s, at + 6), { hex: true }),
  field(['udp.payload', 'FT_BYTES', 'Payload'], { group: 'udp', stored: false }, (s, out) => {
    if (isUdp(s)) out.add(s.view.bytes.subarray(s.view.start, s.view.end));
  }),
  tcp.protocol('Transmission Control Protocol', isTcp, packetEnd),
  ...ports('tcp'),
  tcp.number(['tcp.seq_raw', 'FT_UINT32', 'Sequence Number (raw)'], (s, at) => u32(s, at + 4)),
  tcp.number(['tcp.ack_raw', 'FT_UINT32', 'Acknowledgment number (raw)'], (s, at) => u32(s, at + 8)),
  tcp.number(['tcp.hdr_len', 'FT_UINT8', 'Header Length'], (s) => tcpHeader(s)),
  tcp.number(['tcp.flags', 'FT_UINT16', 'Flags'], (s, at) => u16(s, at + 12) & 0xfff, { hex: true }),
  tcp.number(['tcp.flags.urg', 'FT_BOOLEAN', 'Urgent'], bit(13, 0x20)),
  tcp.number(['tcp.flags.ack', 'FT_BOOLEAN', 'Acknowledgment'], bit(13, 0x10)),
  tcp.number(['tcp.flags.push', 'FT_BOOLEAN', 'Push'], bit(13, 0x08)),
  tcp.number(['tcp.flags.reset', 'FT_BOOLEAN', 'Reset'], bit(13, 0x04)),
  tcp.number(['tcp.flags.syn', 'FT_BOOLEAN', 'Syn'], bit(13, 0x02)),
  tcp.number(['tcp.flags.fin', 'FT_BOOLEAN', 'Fin'], bit(13, 0x01)),
  tcp.number(['tcp.window_size_value', 'FT_UINT16', 'Window'], (s, at) => u16(s, at + 14)),
  tcp.number(['tcp.checksum', 'FT_UINT16', 'Checksum'], (s, at) => u16(s, at + 16), { hex: true }),
  tcp.number(['tcp.urgent_pointer', 'FT_UINT16', 'Urgent Pointer'], (s, at) => u16(s, at + 18)),
  tcp.number(['tcp.len', 'FT_UINT32', 'TCP Segment Len'], (s) => segmentLength(s)),
  field(['tcp.payload', 'FT_BYTES', 'TCP payload'], { group: 'tcp', stored: false }, (s, out) => {
    if (!tcp.has(s) || segmentLength(s) === 0) return;
    const at = s.carrier.transportAt + tcpHeader(s);
    out.add(s.carrier.frame.subarray(at, at + segmentLength(s)));
  }),
];

/** Messages of one protocol: the octets of the message. */
function messageProtocol(name: string, title: string, number: number): FilterField {
  return field([name, 'FT_PROTOCOL', title], { group: 'protocol' }, (s, out) => {
    if (s.carrier.protocol === number) out.add(s.view.bytes.subarray(s.view.start, s.view.end));
  });
}

/** The frame, its layers, and the protocols as tests. */
export const LAYER_FIELDS: readonly FilterField[] = [
  messageProtocol('dns', 'Domain Name System', DNS),
  messageProtocol('mdns', 'Multicast Domain Name System', MDNS),
  messageProtocol('llmnr', 'Link-local Multicast Name Resolution', LLMNR),
  messageProtocol('nbns', 'NetBIOS Name Service', NBNS),
  ...FRAME,
  ...ETHERNET,
  ...VLAN,
  ...SLL,
  ...IP,
  ...TRANSPORT,
];
