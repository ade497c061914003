import { addressText } from '../core/address.ts';
import { type Carrier, PROTOCOL_NAMES, TCP, UDP } from '../core/carrier.ts';
import { decodeMessage } from '../rr/encode.ts';
import type { Message } from '../rr/value.ts';

/** Ethernet header (IEEE 802.3). */
export interface EthernetLayer {
  /** Offset of the header in the frame, bytes; so in every layer. */
  offset: number;
  /** Lower case, `02:00:5e:10:00:01`. */
  source: string;
  destination: string;
  /** Of what the header itself carries: 0x8100 with a VLAN tag. */
  etherType: number;
}

/** One 802.1Q or 802.1ad tag. */
export interface VlanLayer {
  offset: number;
  /** 0 to 4095. */
  id: number;
  priority: number;
  dropEligible: boolean;
  /** Of what follows the tag. */
  etherType: number;
}

/** IPv4 header (RFC 791). */
export interface Ipv4Layer {
  offset: number;
  source: string;
  destination: string;
  ttl: number;
  /** IP protocol number: 17 UDP, 6 TCP, 1 ICMP. */
  protocol: number;
  id: number;
  dscp: number;
  ecn: number;
  dontFragment: boolean;
  moreFragments: boolean;
  /** Where this fragment's bytes belong, bytes. */
  fragmentOffset: number;
  headerBytes: number;
  /** Header and payload, as the header says. */
  totalBytes: number;
  checksum: number;
}

/** IPv6 header (RFC 8200). */
export interface Ipv6Layer {
  offset: number;
  /** RFC 5952 text. */
  source: string;
  destination: string;
  hopLimit: number;
  /** Protocol number of the first header behind this one, extension headers included. */
  nextHeader: number;
  dscp: number;
  ecn: number;
  flowLabel: number;
  /** Bytes behind this header, as it says. */
  payloadBytes: number;
}

/** UDP header (RFC 768). */
export interface UdpLayer {
  offset: number;
  sourcePort: number;
  destinationPort: number;
  /** Header and payload, as the header says. */
  lengthBytes: number;
  checksum: number;
}

/** TCP header (RFC 9293). */
export interface TcpLayer {
  offset: number;
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  acknowledgment: number;
  /** Of `fin syn rst psh ack urg ece cwr`. */
  flags: string[];
  window: number;
  headerBytes: number;
  checksum: number;
}

/** A DNS message that this frame completed; over TCP and in fragments its bytes may have come in earlier frames too. */
export interface DnsLayer {
  protocol: (typeof PROTOCOL_NAMES)[number];
  transport: 'udp' | 'tcp';
  /** The message's bytes, without TCP's length prefix, copied. */
  bytes: Uint8Array;
  /** Bytes the message had on the wire; more than `bytes` where the snapshot length cut it. */
  wireLength: number;
  /** Decoded when it is first asked for; what could be read of a malformed one, with its `fault`. */
  readonly message: Message;
}

/** The layers of a frame, those of the innermost packet where packets are tunnelled. What is absent is undefined. */
export interface Layers {
  ethernet?: EthernetLayer;
  /** Outermost tag first. */
  vlan: VlanLayer[];
  ipv4?: Ipv4Layer;
  ipv6?: Ipv6Layer;
  udp?: UdpLayer;
  tcp?: TcpLayer;
  /** Messages in the order they stand in; several where a TCP segment completes several. */
  dns: DnsLayer[];
}

const TCP_FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'] as const;
const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));
/** EtherTypes of VLAN tags. */
const TAGS = new Set([0x8100, 0x88a8, 0x9100, 0x9200]);

/** The layers of a frame the dissector has walked, from the offsets it noted. */
export function layersOf(carrier: Carrier, dns: DnsLayer[]): Layers {
  const { frame, frameAt, capturedLength, ethernetAt, vlanAt, ipAt, transportAt } = carrier;
  const reader = new HeaderReader(frame, frameAt, frameAt + capturedLength);
  const layers: Layers = { vlan: [], dns };
  if (ethernetAt >= 0) {
    layers.ethernet = reader.ethernet(ethernetAt);
    for (let at = ethernetAt + 12; TAGS.has(reader.u16(at)) && reader.holds(at, 6); at += 4) {
      layers.vlan.push(reader.vlan(at + 2));
    }
  } else if (vlanAt >= 0) layers.vlan.push(reader.vlan(vlanAt));
  if (ipAt >= 0 && carrier.family === 4) layers.ipv4 = reader.ipv4(ipAt);
  if (ipAt >= 0 && carrier.family === 6) layers.ipv6 = reader.ipv6(ipAt);
  if (transportAt >= 0 && carrier.transport === UDP) layers.udp = reader.udp(transportAt);
  if (transportAt >= 0 && carrier.transport === TCP && reader.holds(transportAt, 20))
    layers.tcp = reader.tcp(transportAt);
  return layers;
}

/** The message at hand; `bytes` are its own, a copy. */
export function dnsLayer({ protocol, claimedLength, transport }: Carrier, bytes: Uint8Array): DnsLayer {
  let decoded: Message | undefined;
  return {
    protocol: PROTOCOL_NAMES[protocol],
    transport: transport === TCP ? 'tcp' : 'udp',
    bytes,
    wireLength: claimedLength,
    get message() {
      decoded ??= decodeMessage(bytes, protocol);
      return decoded;
    },
  };
}

/** Source of the innermost packet; undefined when there is none. */
export function sourceOf(c: Carrier): string | undefined {
  return c.family === 0 ? undefined : addressText(c.family, c.source0, c.source1, c.source2, c.source3);
}

/** Destination of the innermost packet; undefined when there is none. */
export function destinationOf(c: Carrier): string | undefined {
  return c.family === 0
    ? undefined
    : addressText(c.family, c.destination0, c.destination1, c.destination2, c.destination3);
}

/** Headers at offsets that the dissector has found to be whole. */
class HeaderReader {
  readonly #view: DataView;
  readonly #from: number;

  /** The frame is `bytes[from, end)`; offsets of the layers count from `from`. */
  constructor(bytes: Uint8Array<ArrayBufferLike>, from: number, end: number) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, end);
    this.#from = from;
  }

  holds(at: number, length: number): boolean {
    return at + length <= this.#view.byteLength;
  }

  u16(at: number): number {
    return this.holds(at, 2) ? this.#view.getUint16(at) : 0;
  }

  ethernet(at: number): EthernetLayer {
    return {
      offset: at - this.#from,
      source: this.#station(at + 6),
      destination: this.#station(at),
      etherType: this.u16(at + 12),
    };
  }

  vlan(at: number): VlanLayer {
    const control = this.u16(at);
    return {
      offset: at - this.#from,
      id: control & 0xfff,
      priority: control >> 13,
      dropEligible: (control & 0x1000) !== 0,
      etherType: this.u16(at + 2),
    };
  }

  ipv4(at: number): Ipv4Layer {
    const view = this.#view;
    const fragment = view.getUint16(at + 6);
    return {
      offset: at - this.#from,
      source: this.#address(4, at + 12),
      destination: this.#address(4, at + 16),
      ttl: view.getUint8(at + 8),
      protocol: view.getUint8(at + 9),
      id: view.getUint16(at + 4),
      dscp: view.getUint8(at + 1) >> 2,
      ecn: view.getUint8(at + 1) & 3,
      dontFragment: (fragment & 0x4000) !== 0,
      moreFragments: (fragment & 0x2000) !== 0,
      fragmentOffset: (fragment & 0x1fff) * 8,
      headerBytes: (view.getUint8(at) & 15) * 4,
      totalBytes: view.getUint16(at + 2),
      checksum: view.getUint16(at + 10),
    };
  }

  ipv6(at: number): Ipv6Layer {
    const view = this.#view;
    const first = view.getUint32(at);
    return {
      offset: at - this.#from,
      source: this.#address(6, at + 8),
      destination: this.#address(6, at + 24),
      hopLimit: view.getUint8(at + 7),
      nextHeader: view.getUint8(at + 6),
      dscp: (first >>> 22) & 63,
      ecn: (first >>> 20) & 3,
      flowLabel: first & 0xfffff,
      payloadBytes: view.getUint16(at + 4),
    };
  }

  udp(at: number): UdpLayer {
    const view = this.#view;
    return {
      offset: at - this.#from,
      sourcePort: view.getUint16(at),
      destinationPort: view.getUint16(at + 2),
      lengthBytes: view.getUint16(at + 4),
      checksum: view.getUint16(at + 6),
    };
  }

  tcp(at: number): TcpLayer {
    const view = this.#view;
    const bits = view.getUint8(at + 13);
    return {
      offset: at - this.#from,
      sourcePort: view.getUint16(at),
      destinationPort: view.getUint16(at + 2),
      sequence: view.getUint32(at + 4),
      acknowledgment: view.getUint32(at + 8),
      flags: TCP_FLAGS.filter((_, i) => (bits & (1 << i)) !== 0),
      window: view.getUint16(at + 14),
      headerBytes: (view.getUint8(at + 12) >> 4) * 4,
      checksum: view.getUint16(at + 16),
    };
  }

  /** The hardware address at an offset. */
  #station(at: number): string {
    const octet = (i: number) => HEX[this.#view.getUint8(at + i)];
    return `${octet(0)}:${octet(1)}:${octet(2)}:${octet(3)}:${octet(4)}:${octet(5)}`;
  }

  #address(family: 4 | 6, at: number): string {
    const w = (i: number) => this.#view.getUint32(at + 4 * i);
    return family === 4 ? addressText(4, 0, 0, 0, w(0)) : addressText(6, w(0), w(1), w(2), w(3));
  }
}
