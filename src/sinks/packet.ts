import { ipv4Text, ipv6Text, word } from '../core/address.ts';
import type { Carrier } from '../core/carrier.ts';
import { timeText } from '../core/clock.ts';
import { FRAME_FATES, type FrameFate } from '../core/ledger.ts';
import { sourceText, destinationText } from './captured-message.ts';
import { type OutputOptions, shownInterface } from './output.ts';

/** What became of a packet, in words. */
export const FATE_WORDS: Readonly<Record<FrameFate, string>> = {
  carried: 'DNS message',
  held: 'part of a message: waits for the rest',
  kernel: 'dropped by the kernel',
  interface: 'dropped by the network card',
  sampled: 'left out by sampling',
  not_ip: 'not IP',
  not_dns: 'not DNS, by ports or content',
  no_payload: 'no data (TCP handshake, acknowledgement or end)',
  icmp: 'ICMP error about a DNS message',
  encrypted: 'DNS, but encrypted',
  cut: 'cut by the snapshot length before the message',
  malformed: 'malformed: a header contradicts itself',
  unsupported_link: 'link type not known',
  fragment_evicted: 'fragment given up: buffer full or too late',
  fragment_unfinished: 'fragment of a packet whose rest never came',
  fragment_overlap: 'fragment that overlaps or repeats another',
  stream_evicted: 'TCP data given up: buffer full',
  stream_gap: 'TCP data behind a gap',
  stream_unfinished: 'TCP data of a message whose rest never came',
  segment_repeated: 'TCP data seen before',
};

const PROTOCOLS = new Map([
  [1, 'ICMP'],
  [2, 'IGMP'],
  [4, 'IPIP'],
  [6, 'TCP'],
  [17, 'UDP'],
  [41, '6IN4'],
  [47, 'GRE'],
  [50, 'ESP'],
  [51, 'AH'],
  [58, 'ICMPV6'],
  [89, 'OSPF'],
  [103, 'PIM'],
  [112, 'VRRP'],
  [132, 'SCTP'],
]);

/** Headers of IPv6 that say how long they are (RFC 7045), and the fragment header. */
const EXTENSIONS = new Set([0, 43, 60, 135, 139, 140]);
const FRAGMENT = 44;
const MOST_EXTENSIONS = 16;

/** An IP packet as a plain value. Ports only where the transport has them. */
export interface Packet {
  /** RFC 3339, 9 digits. */
  time: string;
  frame: number;
  source: string;
  source_port?: number;
  destination: string;
  destination_port?: number;
  /** `UDP`, `TCP`, `ICMP` … or `IP 253`. */
  protocol: string;
  interface?: string;
  vlan?: number;
  /** Octets of the frame on the wire. */
  bytes: number;
  /** `FRAME_FATES` name, and what it means. */
  fate: FrameFate;
  why: string;
}

/** The innermost IP packet of a frame; undefined when there is none. */
export function packetValue(carrier: Carrier, fate: number, options: OutputOptions): Packet | undefined {
  const { frame, frameAt, capturedLength, ipAt, vlan } = carrier;
  const end = frameAt + capturedLength;
  const protocol = protocolOf(frame, ipAt, end) || carrier.transport;
  // A datagram put together from fragments has no header of its own in the frame, but addresses it has.
  if (ipAt < 0 && protocol === 0) return undefined;
  const hasPorts = carrier.sourcePort > 0 || carrier.destinationPort > 0;
  const name = shownInterface(options, carrier.interfaceId);
  const cause = FRAME_FATES[fate];
  return {
    time: timeText(carrier.seconds, carrier.nanos),
    frame: carrier.number,
    source: addressAt(frame, ipAt, end, 0) ?? sourceText(carrier),
    ...(hasPorts && { source_port: carrier.sourcePort }),
    destination: addressAt(frame, ipAt, end, 1) ?? destinationText(carrier),
    ...(hasPorts && { destination_port: carrier.destinationPort }),
    protocol: PROTOCOLS.get(protocol) ?? `IP ${protocol}`,
    ...(name !== undefined && { interface: name }),
    ...(vlan >= 0 && { vlan }),
    bytes: carrier.wireLength,
    fate: cause,
    why: FATE_WORDS[cause],
  };
}

/** Number of the protocol in an IP packet, behind all extension headers at hand; 0 without a packet. */
function protocolOf(bytes: Uint8Array, at: number, end: number): number {
  if (at < 0 || at + 20 > end) return 0;
  if (bytes[at] >> 4 === 4) return bytes[at + 9];
  if (bytes[at] >> 4 !== 6 || at + 40 > end) return 0;
  let next = bytes[at + 6];
  let from = at + 40;
  for (let i = 0; i < MOST_EXTENSIONS && from + 8 <= end; i++) {
    if (next === FRAGMENT) {
      // A later fragment has no headers of what it is part of.
      if (((bytes[from + 2] << 8) | (bytes[from + 3] & 0xf8)) !== 0) return bytes[from];
      next = bytes[from];
      from += 8;
    } else if (EXTENSIONS.has(next)) {
      next = bytes[from];
      from += 8 * (bytes[from + 1] + 1);
    } else break;
  }
  return next;
}

/** Source (0) or destination (1) of an IP header; undefined where it is not there whole. */
function addressAt(bytes: Uint8Array, at: number, end: number, which: 0 | 1): string | undefined {
  if (at < 0 || at + 20 > end) return undefined;
  if (bytes[at] >> 4 === 4) return ipv4Text(word(bytes, at + 12 + 4 * which));
  if (at + 40 > end) return undefined;
  const from = at + 8 + 16 * which;
  return ipv6Text(word(bytes, from), word(bytes, from + 4), word(bytes, from + 8), word(bytes, from + 12));
}
