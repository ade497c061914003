import { ipv4Text, ipv6Text } from '../../core/address.ts';
import { UDP } from '../../core/carrier.ts';
import { FAULT, FAULTS } from '../../wire/fault.ts';
import type { Subject } from '../value.ts';
import { type Column, columnField, field, type FilterField, once } from './field.ts';
import { fragmentHeader, protocols } from './protocols.ts';
import { type At, bit, type Declared, eth, ip, ipv6, Layer, tcp, u16, u32, u8, udp, type When } from './layer.ts';
import { PROTOCOL_NUMBERS } from './names.ts';

/** Nanoseconds from the first frame, or the frame before; absent where that is not known any more. */
function span(declared: Declared, group: string, at: At): FilterField {
  return columnField(
    declared,
    { group, stored: false },
    once((s) => !Number.isNaN(at(s)), at),
  );
}

const FRAME: readonly FilterField[] = [
  field(
    ['frame.protocols', 'FT_STRING', 'Layers from the link to the message'],
    { group: 'frame', stored: false },
    (s, out) => out.add(protocols(s)),
  ),
  span(
    ['frame.time_relative', 'FT_RELATIVE_TIME', 'Time since the first frame'],
    'frame',
    ({ carrier, join }) => join.times?.sinceFirst(carrier.seconds, carrier.nanos) ?? Number.NaN,
  ),
  span(
    ['frame.time_delta', 'FT_RELATIVE_TIME', 'Time since the frame before; absent beside dns.response_in'],
    'frame',
    ({ carrier, join }) => join.times?.sincePrevious(carrier.number) ?? Number.NaN,
  ),
];

const PAIR = [0, 6];
/** Bits of both addresses of each header, destination first. */
function macBits(name: string, title: string, mask: number): FilterField {
  const column: Column = {
    next: (s, from) => (eth.place(s, from >> 1) >= 0 ? from : -1),
    at: (s, i) => ((u8(s, eth.place(s, i >> 1) + PAIR[i & 1]) & mask) === 0 ? 0 : 1),
  };
  return columnField([name, 'FT_BOOLEAN', title], { group: 'eth', stored: false }, column);
}
const ETHERNET: readonly FilterField[] = [
  macBits('eth.lg', 'Locally administered address', 2),
  macBits('eth.ig', 'Group address', 1),
  eth.number(['eth.dst.lg', 'FT_BOOLEAN', 'Locally administered destination'], bit(0, 2)),
  eth.number(['eth.dst.ig', 'FT_BOOLEAN', 'Group destination'], bit(0, 1)),
  eth.number(['eth.src.lg', 'FT_BOOLEAN', 'Locally administered source'], bit(6, 2)),
  eth.number(['eth.src.ig', 'FT_BOOLEAN', 'Group source'], bit(6, 1)),
];

/** Addresses of every header as text: nothing is resolved. */
function hosts(name: string, title: string, family: 4 | 6, source: boolean, destination: boolean): FilterField {
  const layer = family === 4 ? ip : ipv6;
  const [first, size] = family === 4 ? [12, 4] : [8, 16];
  const textAt = (s: Subject, at: number): string =>
    family === 4 ? ipv4Text(u32(s, at)) : ipv6Text(u32(s, at), u32(s, at + 4), u32(s, at + 8), u32(s, at + 12));
  return field([name, 'FT_STRING', title], { group: family === 4 ? 'ip' : 'ipv6' }, (s, out) => {
    const c = s.carrier;
    const outers = layer.outers(s);
    for (let i = 0; i < outers; i++) {
      const at = layer.place(s, i) + first;
      if (source) out.add(textAt(s, at));
      if (destination) out.add(textAt(s, at + size));
    }
    if (c.family !== family) return;
    if (source) {
      out.add(family === 4 ? ipv4Text(c.source3) : ipv6Text(c.source0, c.source1, c.source2, c.source3));
    }
    if (!destination) return;
    out.add(
      family === 4
        ? ipv4Text(c.destination3)
        : ipv6Text(c.destination0, c.destination1, c.destination2, c.destination3),
    );
  });
}

/** Length of a UDP datagram put together from fragments. */
function datagramLength(name: string, family: 4 | 6): FilterField {
  return columnField(
    [name, 'FT_UINT32', 'Octets of the UDP datagram put together from fragments'],
    { group: family === 4 ? 'ip' : 'ipv6', stored: false },
    once(
      ({ carrier }) => carrier.fragmented && carrier.family === family && carrier.transport === UDP,
      ({ carrier }) => carrier.claimedLength + 8,
    ),
  );
}

const fragment = new Layer('ipv6', fragmentHeader, 8);
const IP: readonly FilterField[] = [
  hosts('ip.host', 'Source or destination address as text', 4, true, true),
  hosts('ip.src_host', 'Source address as text', 4, true, false),
  hosts('ip.dst_host', 'Destination address as text', 4, false, true),
  datagramLength('ip.reassembled.length', 4),
  hosts('ipv6.host', 'Source or destination address as text', 6, true, true),
  hosts('ipv6.src_host', 'Source address as text', 6, true, false),
  hosts('ipv6.dst_host', 'Destination address as text', 6, false, true),
  ipv6.number(
    ['ipv6.tclass.dscp', 'FT_UINT32', 'Differentiated Services Codepoint'],
    (s, at) => (u16(s, at) >> 6) & 63,
  ),
  ipv6.number(['ipv6.tclass.ecn', 'FT_UINT32', 'Explicit Congestion Notification'], (s, at) => (u16(s, at) >> 4) & 3),
  fragment.number(['ipv6.fraghdr.nxt', 'FT_UINT8', 'Next header of the fragment'], u8, { names: PROTOCOL_NUMBERS }),
  fragment.number(
    ['ipv6.fraghdr.offset', 'FT_UINT16', 'Offset of the fragment, in eight octets'],
    (s, at) => u16(s, at + 2) >> 3,
  ),
  fragment.number(['ipv6.fraghdr.more', 'FT_BOOLEAN', 'More fragments'], bit(3, 1)),
  fragment.number(['ipv6.fraghdr.ident', 'FT_UINT32', 'Identification'], (s, at) => u32(s, at + 4), { hex: true }),
  datagramLength('ipv6.reassembled.length', 6),
];

// Wireshark's numbers of what a checksum is.
const BAD = 0;
const UNVERIFIED = 2;
const NOT_PRESENT = 3;
/** UDP over IPv6 has to have one (RFC 8200 §8.1). */
const ILLEGAL = 4;

const TRANSPORT: readonly FilterField[] = [
  udp.number(
    ['udp.checksum.status', 'FT_UINT8', 'Checksum: 0 bad, 2 not verified, 3 none, 4 none where one has to be'],
    (s, at) => {
      if (u16(s, at + 6) !== 0) return at === s.carrier.transportAt && s.carrier.badChecksum ? BAD : UNVERIFIED;
      return at === s.carrier.transportAt && s.carrier.family === 6 ? ILLEGAL : NOT_PRESENT;
    },
  ),
  tcp.number(['tcp.flags.res', 'FT_BOOLEAN', 'Reserved'], bit(12, 0x0e)),
  tcp.number(['tcp.flags.cwr', 'FT_BOOLEAN', 'Congestion window reduced'], bit(13, 0x80)),
  tcp.number(['tcp.flags.ece', 'FT_BOOLEAN', 'ECN echo'], bit(13, 0x40)),
  span(
    ['tcp.analysis.initial_rtt', 'FT_RELATIVE_TIME', 'Time from the SYN to the end of the handshake'],
    'tcp',
    (s) => s.carrier.setupNanos,
  ),
];

const hasFault: When = ({ view: { fault } }) => fault !== 0 && fault !== FAULT.cut && fault !== FAULT.trailing_bytes;
const faults = { group: 'faults' } as const;
const ERROR = 0x800000;
const MALFORMED = 0x7000000;

const EXPERT: readonly FilterField[] = [
  field(['_ws.expert', 'FT_NONE', 'There is a remark: the message is malformed'], faults, (s, out) => {
    if (hasFault(s)) out.add('');
  }),
  field(['_ws.expert.message', 'FT_STRING', 'Why the message is malformed, as dns.fault'], faults, (s, out) => {
    if (hasFault(s)) out.add(FAULTS[s.view.fault]);
  }),
  columnField(
    ['_ws.expert.severity', 'FT_UINT32', 'Severity of a remark: 8388608 error'],
    faults,
    once(hasFault, () => ERROR),
  ),
  columnField(
    ['_ws.expert.group', 'FT_UINT32', 'Group of a remark: 117440512 malformed'],
    faults,
    once(hasFault, () => MALFORMED),
  ),
];

/** Fields of the frame and its headers that are put together from more than one place. */
export const HEADER_FIELDS: readonly FilterField[] = [...FRAME, ...ETHERNET, ...IP, ...TRANSPORT, ...EXPERT];
