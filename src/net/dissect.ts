import type { Carrier } from '../core/carrier.ts';
import type { FrameBatch } from '../core/frames.ts';
import type { Ledger } from '../core/ledger.ts';

/** Who receives what the dissector finds. The carrier is filled again for the next message: copy what you keep. */
export interface DissectHandler {
  /** A whole message (or all of it that was captured), in order of the frames that complete them. */
  message(carrier: Carrier): void;
  /** A message quoted in an ICMP error (`carrier.quoted`): source and destination are those of the quoted packet. */
  unreachable(carrier: Carrier): void;
  /** Every frame with its fate (FATE…) as known when it was read; only called when set (`--unit packet`). */
  frame?(carrier: Carrier, fate: number): void;
}

export interface DissectOptions {
  /** Further ports to take for DNS (`-d udp.port==N,dns`). */
  udpPorts?: readonly number[];
  tcpPorts?: readonly number[];
  /** Find DNS on other UDP ports by a strict heuristic: on for files, off live. */
  heuristic?: boolean;
  /** Most bytes kept in reassembly buffers (default 64 MiB). */
  reassemblyBytes?: number;
}

/** Frames → messages: link layers, tunnels, IP, fragments, UDP, TCP streams. */
export class Dissector {
  constructor(handler: DissectHandler, ledger: Ledger, options: DissectOptions = {}) {
    void handler;
    void ledger;
    void options;
  }
  /** Dissects frames [from, to) of a batch; only those of `shard` when the batch is shared between workers. */
  frames(batch: FrameBatch): void {
    void batch;
  }
  /** Packet time has reached this: expires fragments and streams. */
  advance(seconds: number, nanos: number): void {
    void seconds;
    void nanos;
  }
  /** The run has ended: what is held is given up and counted. */
  finish(): void {}
}
