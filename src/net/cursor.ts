import { Carrier, DNS } from '../core/carrier.ts';
import { FATE } from '../core/ledger.ts';

/** What a layer hands on to: its number in the table of layers, or the one's complement of the fate that ends here. */
export type Next = number;

/** Reads the header at `cursor.at`, moves the cursor behind it and says what comes next. */
export type Layer = (cursor: Cursor) => Next;

/** Numbers of the layers that follow each other; the dissector itself does the first five (it has state). */
export const UDP_LAYER = 0;
export const TCP_LAYER = 1;
export const ICMP_LAYER = 2;
export const ICMP6_LAYER = 3;
export const FRAGMENT_LAYER = 4;
export const ETHERNET_LAYER = 5;
export const VLAN_LAYER = 6;
export const MPLS_LAYER = 7;
export const LLC_LAYER = 8;
export const PPPOE_LAYER = 9;
export const PPP_LAYER = 10;
export const IP_LAYER = 11;
export const IPV4_LAYER = 12;
export const IPV6_LAYER = 13;
export const GRE_LAYER = 14;
export const ERSPAN2_LAYER = 15;
export const ERSPAN3_LAYER = 16;
export const VXLAN_LAYER = 17;
export const VXLAN_GPE_LAYER = 18;
export const GENEVE_LAYER = 19;
export const GTP_LAYER = 20;
export const TEREDO_LAYER = 21;
export const AH_LAYER = 22;
export const ETHERIP_LAYER = 23;
export const NSH_LAYER = 24;
export const TZSP_LAYER = 25;
export const WLAN_LAYER = 26;
export const L2TP_LAYER = 27;
export const PROTOCOL_LAYER = 28;

/** Ends of the walk that need no more words. */
export const NOT_IP: Next = ~FATE.not_ip;
export const NOT_DNS: Next = ~FATE.not_dns;
export const CUT: Next = ~FATE.cut;
export const MALFORMED: Next = ~FATE.malformed;

/**
 * Where the walk through one frame's layers stands. One instance is used for every frame.
 *
 * `end` is the end of what was captured, `wireEnd` of what was on the wire, both within the innermost layer that says
 * how long it is: `wireEnd` > `end` only in frames that the snapshot length cut.
 */
export class Cursor {
  readonly carrier = new Carrier();
  bytes: Uint8Array<ArrayBufferLike> = this.carrier.bytes;
  at = 0;
  end = 0;
  wireEnd = 0;
  /** IP protocol number that `FRAGMENT_LAYER` or `PROTOCOL_LAYER` goes on with. */
  protocol = 0;
  /** Fragment at hand: identification, offset of its bytes in the datagram, whether more follow. */
  fragmentId = 0;
  fragmentAt = 0;
  moreFragments = false;
  /** True while `bytes` is a reassembled datagram: offsets are then not into the frame. */
  reassembled = false;
  /** IP packets met so far in this frame. */
  packets = 0;
  /** Captured frames that the bytes at hand came in, and those of them that the ledger counts as held. */
  frames = 1;
  held = 0;

  /** Puts the cursor on a frame's first byte; the carrier forgets the layers of the frame before. */
  begin(bytes: Uint8Array<ArrayBufferLike>, from: number, end: number, wire: number): void {
    const { carrier } = this;
    this.bytes = bytes;
    this.at = from;
    this.end = end;
    this.wireEnd = Math.max(end, from + wire);
    this.reassembled = false;
    this.packets = 0;
    this.frames = 1;
    this.held = 0;
    carrier.ethernetAt = carrier.vlanAt = carrier.vlan = carrier.ipAt = carrier.transportAt = -1;
    carrier.family = carrier.ipId = 0;
    carrier.sourcePort = carrier.destinationPort = 0;
    carrier.transport = 0;
    carrier.protocol = DNS;
    carrier.stream = -1;
    carrier.setupNanos = Number.NaN;
    carrier.at = carrier.length = carrier.claimedLength = 0;
    carrier.messageInFrame = 1;
    carrier.fragmented = carrier.segmented = carrier.quoted = carrier.badChecksum = false;
  }

  /** Too short for a header of `length` bytes: cut by the capture, or by its own length. */
  short(length: number): Next {
    return this.at + length <= this.wireEnd ? CUT : MALFORMED;
  }

  /** Big-endian 16 bits at the cursor plus `offset`; the caller has checked that they are there. */
  u16(offset: number): number {
    const at = this.at + offset;
    return (this.bytes[at] << 8) | this.bytes[at + 1];
  }

  /** What follows ends `length` bytes from here, if it ends sooner than the layer around it. */
  limit(length: number): void {
    const wireEnd = this.at + length;
    if (wireEnd < this.wireEnd) {
      this.wireEnd = wireEnd;
      if (wireEnd < this.end) this.end = wireEnd;
    }
  }
}
