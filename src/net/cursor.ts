import { Carrier, DNS } from '../core/carrier.ts';
import { FATE } from '../core/ledger.ts';

/** What a layer hands on to: its number in the table of layers, or the one's complement of the fate that ends here. */
export type Next = number;

/** Reads the header at `cursor.at`, moves the cursor behind it and says what comes next. */
export type Layer = (cursor: Cursor) => Next;

export * from '../core/layers.ts';

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
    carrier.trailLength = 0;
    carrier.fragmented = carrier.segmented = carrier.quoted = carrier.badChecksum = false;
  }

  /** Remembers that a layer begins here. */
  note(kind: number): void {
    const { carrier } = this;
    const at = 3 * carrier.trailLength++;
    carrier.trail[at] = kind;
    carrier.trail[at + 1] = this.at - carrier.frameAt;
    carrier.trail[at + 2] = -1;
  }

  /** The layer at hand belongs to a flow of this number. */
  flow(number: number): void {
    const { carrier } = this;
    carrier.stream = number;
    const last = carrier.trailLength - 1;
    if (last < 0 || this.reassembled) return;
    carrier.trail[3 * last + 2] = number;
    carrier.trailNanos[2 * last] = carrier.flowNanos;
    carrier.trailNanos[2 * last + 1] = carrier.flowDeltaNanos;
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

  /**
   * A fragment that ends `length` bytes from here, longer than its frame: who cut the capture did not write down how long
   * frames were. Without this it would seem to hold less than the next one continues.
   */
  lengthen(length: number): void {
    if (this.packets === 0 && !this.reassembled) this.wireEnd = Math.max(this.wireEnd, this.at + length);
  }
}
