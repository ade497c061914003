import { DNS, LLMNR, MDNS, NBNS, UDP } from '../../core/carrier.ts';
import { VLAN_LAYER } from '../../core/layers.ts';
import type { Subject } from '../value.ts';
import { type Column, columnField, field, type FilterField } from './field.ts';
import {
  type At,
  bit,
  eth,
  frameEnd,
  ip,
  ipv6,
  isTcp,
  isUdp,
  Layer,
  packetEnd,
  segmentLength,
  tcp,
  tcpHeader,
  u16,
  u32,
  u8,
  udp,
  type When,
} from './layer.ts';
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

const ETHERNET: readonly FilterField[] = [
  eth.protocol('Ethernet', eth.has),
  eth.bytes(['eth.addr', 'FT_ETHER', 'Address'], [0, 6], 6),
  eth.bytes(['eth.dst', 'FT_ETHER', 'Destination'], [0], 6),
  eth.bytes(['eth.src', 'FT_ETHER', 'Source'], [6], 6),
  eth.number(['eth.type', 'FT_UINT16', 'Type'], (s, at) => u16(s, at + 12), {
    hex: true,
    names: ETHERTYPES,
    when: (s, at) => u16(s, at + 12) >= 0x600,
  }),
  eth.number(['eth.len', 'FT_UINT16', 'Length'], (s, at) => u16(s, at + 12), {
    when: (s, at) => u16(s, at + 12) < 0x600,
  }),
];

/** Tags: all that were walked over, or the one of a frame that was not walked. */
const vlan = new Layer('vlan', (s) => (s.carrier.trailLength === 0 ? s.carrier.vlanAt : -1), 4, VLAN_LAYER);
const VLAN: readonly FilterField[] = [
  vlan.protocol('802.1Q Virtual LAN', (s) => s.carrier.trailLength === 0 && s.carrier.vlan >= 0),
  vlan.number(['vlan.id', 'FT_UINT16', 'ID'], (s, at) => u16(s, at) & 0xfff, { stored: true }),
  vlan.number(['vlan.priority', 'FT_UINT16', 'Priority'], (s, at) => u16(s, at) >> 13),
  vlan.number(['vlan.dei', 'FT_BOOLEAN', 'DEI'], (s, at) => (u16(s, at) >> 12) & 1),
  vlan.number(['vlan.etype', 'FT_UINT16', 'Type'], (s, at) => u16(s, at + 2), { hex: true, names: ETHERTYPES }),
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
const SOURCE = 0;
const DESTINATION = 1;

/** Both ends, or one, of every IPv4 header, the outermost first. */
function addresses4(name: string, title: string, ends: readonly number[]): FilterField {
  const column: Column = {
    next: (s, from) => (from < ends.length * (ip.outers(s) + (s.carrier.family === 4 ? 1 : 0)) ? from : -1),
    at: (s, index) => {
      const { carrier } = s;
      const layer = Math.floor(index / ends.length);
      const end = ends[index % ends.length];
      if (carrier.trailLength > 0 && layer < ip.outers(s)) return u32(s, ip.place(s, layer) + 12 + 4 * end);
      return (end === SOURCE ? carrier.source3 : carrier.destination3) >>> 0;
    },
  };
  return columnField([name, 'FT_IPv4', title], { group: 'ip' }, column);
}
/** The same of IPv6. */
function addresses6(name: string, title: string, ends: readonly number[]): FilterField {
  return field([name, 'FT_IPv6', title], { group: 'ipv6' }, (s, out) => {
    const c = s.carrier;
    const outers = ipv6.outers(s);
    for (let i = 0; i < outers; i++) {
      const at = ipv6.place(s, i) + 8;
      for (const end of ends) out.add(c.frame.subarray(at + 16 * end, at + 16 * end + 16));
    }
    if (c.family !== 6) return;
    for (const end of ends) {
      out.add(
        end === SOURCE
          ? octets16(c.source0, c.source1, c.source2, c.source3)
          : octets16(c.destination0, c.destination1, c.destination2, c.destination3),
      );
    }
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

/** Version of the `index`-th IP header, the outermost first. */
function versionAt(s: Subject, index: number): number {
  const v4 = ip.outers(s);
  const v6 = ipv6.outers(s);
  if (index === v4 + v6) return s.carrier.family;
  let left = index;
  for (let i4 = 0, i6 = 0; ; left--) {
    const isFirst4 = i4 < v4 && (i6 === v6 || ip.outer(s, i4) < ipv6.outer(s, i6));
    if (left === 0) return isFirst4 ? 4 : 6;
    if (isFirst4) i4++;
    else i6++;
  }
}

const IP: readonly FilterField[] = [
  ip.protocol('Internet Protocol Version 4', isV4),
  addresses4('ip.addr', 'Source or Destination Address', [SOURCE, DESTINATION]),
  addresses4('ip.src', 'Source Address', [SOURCE]),
  addresses4('ip.dst', 'Destination Address', [DESTINATION]),
  columnField(
    ['ip.version', 'FT_UINT8', 'Version'],
    { group: 'ip' },
    {
      next: (s, from) => (from <= ip.outers(s) + ipv6.outers(s) ? from : -1),
      at: versionAt,
    },
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
  addresses6('ipv6.addr', 'Source or Destination Address', [SOURCE, DESTINATION]),
  addresses6('ipv6.src', 'Source Address', [SOURCE]),
  addresses6('ipv6.dst', 'Destination Address', [DESTINATION]),
  ipv6.number(['ipv6.version', 'FT_UINT8', 'Version'], () => 6),
  ipv6.number(['ipv6.tclass', 'FT_UINT32', 'Traffic Class'], (s, at) => (u16(s, at) >> 4) & 0xff, { hex: true }),
  ipv6.number(['ipv6.flow', 'FT_UINT24', 'Flow Label'], (s, at) => u32(s, at) & 0xfffff, { hex: true }),
  ipv6.number(['ipv6.plen', 'FT_UINT16', 'Payload Length'], (s, at) => u16(s, at + 4)),
  ipv6.number(['ipv6.nxt', 'FT_UINT8', 'Next Header'], (s, at) => u8(s, at + 6), { names: PROTOCOL_NUMBERS }),
  ipv6.number(['ipv6.hlim', 'FT_UINT8', 'Hop Limit'], (s, at) => u8(s, at + 7)),
];

/** A port of every header, the outermost first; `ends` as for addresses. */
function ports(group: 'udp' | 'tcp'): readonly FilterField[] {
  const layer = group === 'udp' ? udp : tcp;
  const is = group === 'udp' ? isUdp : isTcp;
  const of = (name: string, title: string, ends: readonly number[]): FilterField =>
    columnField(
      [`${group}.${name}`, 'FT_UINT16', title],
      { group },
      {
        next: (s, from) => (from < ends.length * (layer.outers(s) + (is(s) ? 1 : 0)) ? from : -1),
        at: (s, index) => {
          const { carrier } = s;
          const which = Math.floor(index / ends.length);
          const end = ends[index % ends.length];
          if (carrier.trailLength > 0 && which < layer.outers(s)) return u16(s, layer.place(s, which) + 2 * end);
          return end === SOURCE ? carrier.sourcePort : carrier.destinationPort;
        },
      },
    );
  return [
    of('port', 'Source or Destination Port', [SOURCE, DESTINATION]),
    of('srcport', 'Source Port', [SOURCE]),
    of('dstport', 'Destination Port', [DESTINATION]),
    columnField(
      [`${group}.stream`, 'FT_UINT32', 'Stream index'],
      { group, stored: false },
      {
        next: (s, from) => {
          const outers = layer.outers(s);
          return from < outers || (from === outers && is(s) && s.carrier.stream >= 0) ? from : -1;
        },
        at: (s, index) => {
          const { carrier } = s;
          return index < layer.outers(s) ? carrier.trail[3 * layer.outer(s, index) + 2] : carrier.stream;
        },
      },
    ),
  ];
}

/** 16 bits of every UDP header; that of a datagram put together from fragments lies before its message. */
function udpWord(name: string, title: string, offset: number, hex: boolean): FilterField {
  const isJoined: When = ({ carrier: c }) =>
    c.transport === UDP && c.fragmented && c.transportAt < 0 && c.bytes !== c.frame && c.at >= 8;
  return columnField(
    [name, 'FT_UINT16', title],
    { group: 'udp', stored: false, hex },
    {
      next: (s, from) => (udp.place(s, from) >= 0 || (from === udp.outers(s) && isJoined(s)) ? from : -1),
      at: (s, index) => {
        const at = udp.place(s, index);
        if (at >= 0) return u16(s, at + offset);
        const { bytes, at: message } = s.carrier;
        return (bytes[message - 8 + offset] << 8) | bytes[message - 7 + offset];
      },
    },
  );
}

const TRANSPORT: readonly FilterField[] = [
  udp.protocol('User Datagram Protocol', isUdp, packetEnd),
  ...ports('udp'),
  udpWord('udp.length', 'Length', 4, false),
  udpWord('udp.checksum', 'Checksum', 6, true),
  field(['udp.payload', 'FT_BYTES', 'Payload'], { group: 'udp', stored: false }, (s, out) => {
    const outers = udp.outers(s);
    for (let i = 0; i < outers; i++) {
      const at = udp.place(s, i);
      out.add(s.carrier.frame.subarray(at + 8, Math.min(frameEnd(s), at + u16(s, at + 4))));
    }
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
