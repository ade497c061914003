import type { CapturedInterface } from './frames.ts';

/** Transport numbers, as in the IP header. */
export const TCP = 6;
export const UDP = 17;

const NO_FRAMES: readonly number[] = [];

/** Which protocol a message belongs to. Numbers are identity; `PROTOCOL_NAMES` shows them. */
export const DNS = 0;
export const MDNS = 1;
export const LLMNR = 2;
export const NBNS = 3;
export const PROTOCOL_NAMES = ['dns', 'mdns', 'llmnr', 'nbns'] as const;

/**
 * What carried a message: the frame that completed it, its layers, and where the message's bytes are.
 *
 * One instance is filled again and again by the dissector; whoever keeps something copies it. Offsets `…At` are into
 * `frame`, −1 where the layer is absent. Addresses are four 32-bit words in network order; IPv4 uses the last word only.
 */
export class Carrier {
  /** Frame number of the frame that completed the message. */
  number = 0;
  seconds = 0;
  nanos = 0;
  /** Memory that holds the frame, and where it lies. */
  frame: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  frameAt = 0;
  capturedLength = 0;
  wireLength = 0;
  link = 0;
  interfaceId = 0;
  interfaces: readonly CapturedInterface[] = [];

  /** Ethernet header of the innermost Ethernet layer before the IP header. */
  ethernetAt = -1;
  /** First 802.1Q/802.1ad tag's two TCI bytes of that layer; `vlan` is its id, −1 without. */
  vlanAt = -1;
  vlan = -1;
  /** Innermost IP header, and the transport header (in `frame`; −1 if the datagram was reassembled from fragments). */
  ipAt = -1;
  transportAt = -1;
  /** Identification of the IPv4 header: tells a datagram seen twice from one sent twice. 0 without (IPv6). */
  ipId = 0;

  /** 4 or 6. */
  family = 4;
  source0 = 0;
  source1 = 0;
  source2 = 0;
  source3 = 0;
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;
  sourcePort = 0;
  destinationPort = 0;
  /** `UDP` or `TCP`. */
  transport = UDP;
  /** `DNS`, `MDNS`, `LLMNR` or `NBNS`. */
  protocol = DNS;
  /** Number of the stream within the run (per transport), as tshark counts udp.stream/tcp.stream; −1 unknown. */
  stream = -1;
  /** TCP: nanoseconds from the first SYN to the client's ACK that ends the handshake; NaN unknown, and on UDP. */
  setupNanos = Number.NaN;
  /** That no message of the connection came in an earlier frame: it is set up once, however many it carries. */
  setupIsNew = false;

  /** Where the message is. `bytes` may be the frame's memory or a reassembly buffer. */
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  at = 0;
  /** Bytes of the message at hand. */
  length = 0;
  /** Bytes the transport said the message has (> length when the frame was cut by the snapshot length). */
  claimedLength = 0;
  /** 1, 2 … for the messages completed by one frame. */
  messageInFrame = 1;
  /** True when the message came from reassembled IP fragments / more than one TCP segment. */
  fragmented = false;
  segmented = false;
  /** True for a copy quoted in an ICMP error: no message, marks its transaction unreachable. */
  quoted = false;
  /** True where a non-zero UDP checksum is wrong (only checked on reassembled datagrams and on request). */
  badChecksum = false;
  /** Frames that the fragments, and the segments, of the message came in, by their place in it; empty without. */
  fragmentFrames: readonly number[] = NO_FRAMES;
  segmentFrames: readonly number[] = NO_FRAMES;
  /** Nanoseconds from the flow's first frame, and from its frame before this one; NaN where flows are not followed. */
  flowNanos = Number.NaN;
  flowDeltaNanos = Number.NaN;
  /** TCP: numbers of the completing segment from where its connection began; factor of its window (−1 unknown, −2 none). */
  sequence = 0;
  acknowledgment = 0;
  windowFactor = -1;
  /**
   * Layers walked on the way to the message, outermost first, `trailLength` of them; none where the frame was read
   * without a walk (Ethernet, at most one tag, IP, UDP). Three numbers each: which (core/layers.ts), its offset from
   * `frameAt`, and the flow it belongs to (−1 without).
   */
  trail = new Int32Array(3 * 48);
  /** The `flowNanos` and `flowDeltaNanos` of each of them; only of layers that belong to a flow. */
  trailNanos = new Float64Array(2 * 48);
  trailLength = 0;
  /** Names of the rules that marked the transaction, `, ` between them; empty: none, or not known yet. */
  rules = '';
  /** dnstap: Message.Type 1 … 14 (AUTH_QUERY …) and SocketProtocol 1 … 7 (UDP TCP DOT DOH DNSCrypt×2 DOQ); 0 = captured. */
  tapType = 0;
  tapProtocol = 0;
}
