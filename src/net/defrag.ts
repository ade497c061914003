import type { Carrier } from '../core/carrier.ts';
import type { Ledger } from '../core/ledger.ts';

/** One IP fragment. The dissector fills the same one again and again; addresses and time come from the carrier. */
export class Fragment {
  /** IPv4: protocol of the header; IPv6: next header of the fragment header. */
  protocol = 0;
  /** 16 bits of IPv4, 32 of IPv6. */
  id = 0;
  /** Offset of its first byte in the datagram (bytes), and the more-fragments bit. */
  offset = 0;
  more = false;
  /** Its payload (behind the IPv4 header / the IPv6 fragment header). */
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  at = 0;
  length = 0;
  /** Payload bytes on the wire by the IP header (> length when the capture cut the frame). */
  claimed = 0;
  /** Captured frames it stands for: 1, or more where it came out of reassembled fragments itself (tunnels). */
  frames = 1;
}

/** `Defragmenter.add` found the datagram complete: its fields say where it is. */
export const COMPLETE = -1;

export interface DefragOptions {
  /** Most bytes held (default 16 MiB), most datagrams (default 16,384). */
  bytes?: number;
  datagrams?: number;
}

/**
 * IPv4 and IPv6 fragments → datagrams (RFC 791 §3.2, RFC 8200 §4.5, RFC 5722).
 *
 * `add` gives the fate of the fragment's frame, to be counted by the caller (`frames[fate] += fragment.frames`), or
 * `COMPLETE`: then `bytes`, `at`, `length`, `claimed`, `protocol` are the datagram's payload, valid until the next
 * `add`; `frames` counts the frames of the datagram, this one included, and `held` those of them that were counted as
 * held before: the caller moves them (`frames[held] −= held; frames[fate] += frames`). What is given up later is moved
 * in the ledger here.
 */
export class Defragmenter {
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  at = 0;
  length = 0;
  claimed = 0;
  protocol = 0;
  frames = 0;
  held = 0;

  constructor(ledger: Ledger, options: DefragOptions = {}) {
    void ledger;
    void options;
  }

  add(carrier: Carrier, fragment: Fragment): number {
    void carrier;
    void fragment;
    return COMPLETE;
  }

  /** Packet time has reached this: datagrams older than 30 s are given up. */
  advance(seconds: number, nanos: number): void {
    void seconds;
    void nanos;
  }

  /** The run has ended: what is held is counted as unfinished. */
  finish(): void {}
}
