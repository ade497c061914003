import { ipv4Text, ipv6Text } from '../../core/address.ts';
import { LLMNR, MDNS, NBNS, TCP, UDP } from '../../core/carrier.ts';
import { FAULT, FAULTS } from '../../wire/fault.ts';
import type { Subject } from '../value.ts';
import { type Column, columnField, field, type FilterField, once } from './field.ts';
import { type At, bit, type Declared, frameEnd, Layer, u16, u32, u8, type When } from './layer.ts';
import { PROTOCOL_NUMBERS } from './names.ts';

/** Nanoseconds from the first frame, or the frame before; absent where that is not known any more. */
function span(declared: Declared, group: string, at: At): FilterField {
  return columnField(
    declared,
    { group, stored: false },
    once((s) => !Number.isNaN(at(s)), at),
  );
}

const LINK_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'null'],
  [1, 'eth:ethertype'],
  [101, 'raw'],
  [108, 'null'],
  [113, 'sll:ethertype'],
  [228, ''],
  [229, ''],
  [276, 'sll:ethertype'],
]);
const isVlan = (type: number): boolean => type === 0x8100 || type === 0x88a8 || type === 0x9100;

/** Names of the layers, the outermost first; of a tunnel those of the innermost packet. */
function protocols(s: Subject): string {
  const { carrier } = s;
  const { vlanAt, ethernetAt } = carrier;
  const isSnap = ethernetAt >= 0 && vlanAt < 0 && u16(s, ethernetAt + 12) < 0x600;
  const link = isSnap ? 'eth:llc' : (LINK_NAMES.get(carrier.link) ?? 'link');
  const names = link === '' ? [] : [link];
  if (vlanAt >= 0) names.push('vlan:ethertype');
  for (let at = vlanAt + 2; vlanAt >= 0 && at + 4 <= frameEnd(s) && isVlan(u16(s, at)); at += 4) {
    names.push('vlan:ethertype');
  }
  names.push(carrier.family === 4 ? 'ip' : 'ipv6');
  if (fragmentHeader(s) >= 0) names.push('ipv6.fraghdr');
  names.push(carrier.transport === TCP ? 'tcp' : 'udp');
  const { protocol } = carrier;
  names.push(protocol === MDNS ? 'mdns' : protocol === LLMNR ? 'llmnr' : protocol === NBNS ? 'nbns' : 'dns');
  return names.join(':');
}

const FRAME: readonly FilterField[] = [
  field(
    ['frame.protocols', 'FT_STRING', 'Layers from the link to the message; of a tunnel the innermost'],
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

const eth = new Layer('eth', (s) => s.carrier.ethernetAt, 14);
const PAIR = [0, 6];
/** Bits of both addresses, destination first. */
function macBits(name: string, title: string, mask: number): FilterField {
  const column: Column = {
    next: (s, from) => (from < 2 && eth.has(s) ? from : -1),
    at: (s, i) => ((u8(s, s.carrier.ethernetAt + PAIR[i]) & mask) === 0 ? 0 : 1),
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

/** Addresses as text: nothing is resolved. */
function hosts(name: string, title: string, family: 4 | 6, source: boolean, destination: boolean): FilterField {
  return field([name, 'FT_STRING', title], { group: family === 4 ? 'ip' : 'ipv6' }, ({ carrier: c }, out) => {
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

/** Extension headers that may come before the fragment header: hop-by-hop, routing, destination options. */
const EXTENSIONS = new Set([0, 43, 60]);
const FRAGMENT = 44;

/** Where the fragment header of an IPv6 packet lies; −1 without. */
function fragmentHeader(s: Subject): number {
  const { carrier } = s;
  const end = frameEnd(s);
  if (carrier.family !== 6 || carrier.ipAt < 0 || carrier.ipAt + 40 > end) return -1;
  let next = u8(s, carrier.ipAt + 6);
  for (let at = carrier.ipAt + 40; at + 8 <= end; at += 8 + 8 * u8(s, at + 1)) {
    if (next === FRAGMENT) return at;
    if (!EXTENSIONS.has(next)) return -1;
    next = u8(s, at);
  }
  return -1;
}

const ipv6 = new Layer('ipv6', (s) => (s.carrier.family === 6 ? s.carrier.ipAt : -1), 40);
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

const udp = new Layer('udp', (s) => (s.carrier.transport === UDP ? s.carrier.transportAt : -1), 8);
const tcp = new Layer('tcp', (s) => (s.carrier.transport === TCP ? s.carrier.transportAt : -1), 20);

// Wireshark's numbers of what a checksum is.
const BAD = 0;
const UNVERIFIED = 2;
const NOT_PRESENT = 3;

const TRANSPORT: readonly FilterField[] = [
  udp.number(['udp.checksum.status', 'FT_UINT8', 'Checksum: 0 bad, 2 not verified, 3 none'], (s, at) =>
    u16(s, at + 6) === 0 ? NOT_PRESENT : s.carrier.badChecksum ? BAD : UNVERIFIED,
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
