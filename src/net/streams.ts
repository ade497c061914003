import type { Carrier } from '../core/carrier.ts';
import type { Ledger } from '../core/ledger.ts';

/** One TCP segment. The dissector fills the same one again and again; addresses, ports, time come from the carrier. */
export class Segment {
  /** The flag byte (FIN 1, SYN 2, RST 4, PSH 8, ACK 16). */
  flags = 0;
  /** Sequence number of the header (unsigned 32 bits). */
  sequence = 0;
  /** Payload. */
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  at = 0;
  length = 0;
  /** Payload bytes on the wire by the IP header (> length when the capture cut the frame). */
  claimed = 0;
  /** Captured frames it stands for: 1, or those of the datagram when it came in IP fragments. */
  frames = 1;
}

export interface StreamOptions {
  /** Most bytes held in all (default 48 MiB), most flows remembered (default 65,536). */
  bytes?: number;
  flows?: number;
}

/**
 * TCP segments of DNS flows → messages behind their 2-byte length prefix (RFC 7766 §8).
 *
 * `segment` returns the fate of the segment's frame, to be counted by the caller (`frames[fate] += segment.frames`).
 * Messages it completes are delivered before it returns, with the same carrier: `bytes`, `at`, `length`,
 * `claimedLength`, `messageInFrame`, `segmented`, `stream`, `setupNanos` are set here, all else is the caller's. What is
 * held and given up later is moved in the ledger here.
 */
export class TcpStreams {
  constructor(deliver: (carrier: Carrier) => void, ledger: Ledger, options: StreamOptions = {}) {
    void deliver;
    void ledger;
    void options;
  }

  segment(carrier: Carrier, segment: Segment): number {
    void carrier;
    void segment;
    return 0;
  }

  /** Number of a TCP flow that is not ours, so that `stream` counts as tshark's tcp.stream does: −1 without payload work. */
  other(carrier: Carrier, segment: Segment): number {
    void carrier;
    void segment;
    return -1;
  }

  /** Packet time has reached this: idle flows are forgotten. */
  advance(seconds: number, nanos: number): void {
    void seconds;
    void nanos;
  }

  /** The run has ended: what is held is counted as unfinished. */
  finish(): void {}
}
