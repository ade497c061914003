import type { Carrier } from '../core/carrier.ts';
import { type CapturedInterface, type FrameBatch, NO_PACKET } from '../core/frames.ts';
import { FRAME_FATES, type FrameFate, Ledger } from '../core/ledger.ts';
import { type DissectOptions, Dissector } from '../net/dissect.ts';
import { destinationOf, type DnsLayer, dnsLayer, type Layers, layersOf, sourceOf } from './layers.ts';

/** One captured frame, as it was captured: a plain value that stays valid. */
export interface CapturedFrame {
  /** From 1, over all files, as Wireshark counts (custom pcapng blocks, which are no packets, have numbers too). */
  number: number;
  /** Capture time since 1970 in UTC; absent when the file holds none (simple packet block). */
  time?: { seconds: number; nanos: number };
  interface: CapturedInterface;
  /** LINKTYPE_ value: what `bytes` begins with (1 = Ethernet). */
  link: number;
  /** The captured bytes, copied. */
  bytes: Uint8Array;
  /** Bytes the frame had on the wire (more than `bytes` when the snapshot length cut it). */
  wireLength: number;
}

/** A captured frame and what is in it. */
export interface Frame extends CapturedFrame {
  /** Addresses of the innermost IP packet, DNS or not; absent when the frame holds none. */
  source?: string;
  destination?: string;
  layers: Layers;
  /** What the ledger says of it: `carried` when it gave bytes to a DNS message, else why it did not. */
  fate: FrameFate;
}

/** Frame `i` of a batch as a value of its own, with a copy of its bytes. */
export function frameOf(
  batch: FrameBatch,
  i: number,
  interfaces: readonly CapturedInterface[],
  bytes: Uint8Array = batch.bytes.slice(batch.at[i], batch.at[i] + batch.captured[i]),
): CapturedFrame {
  return {
    number: batch.number[i],
    ...(batch.untimed[i] === 0 && { time: { seconds: batch.seconds[i], nanos: batch.nanos[i] } }),
    interface: interfaces[batch.interfaceId[i]],
    link: batch.link[i],
    bytes,
    wireLength: batch.wire[i],
  };
}

/** Batches of frames → frames with their layers. Fragments and TCP streams are joined over all batches read. */
export class FrameReader {
  readonly #dissector: Dissector;
  #dns: DnsLayer[] = [];
  /** The frame at hand, copied, once it is needed. */
  #bytes: Uint8Array | undefined;
  #frames: Frame[] = [];
  #batch: FrameBatch | undefined;
  #interfaces: readonly CapturedInterface[] = [];
  #next = 0;

  constructor(options: DissectOptions = {}) {
    const handler = {
      message: (carrier: Carrier) => this.#dns.push(dnsLayer(carrier, this.#messageBytes(carrier))),
      unreachable: () => {},
      frame: (carrier: Carrier, fate: number) => this.#frame(carrier, fate),
    };
    this.#dissector = new Dissector(handler, new Ledger(), { heuristic: true, ...options });
  }

  /** The packets of a batch, in order. */
  read(batch: FrameBatch, interfaces: readonly CapturedInterface[]): Frame[] {
    this.#batch = batch;
    this.#interfaces = interfaces;
    this.#frames = [];
    this.#next = 0;
    this.#dissector.frames(batch);
    this.#batch = undefined;
    return this.#frames;
  }

  /** A copy of the message's bytes: a part of the frame's own copy, where they lie in the frame. */
  #messageBytes({ bytes, at, length, frame, frameAt, capturedLength }: Carrier): Uint8Array {
    if (bytes !== frame) return bytes.slice(at, at + length);
    this.#bytes ??= frame.slice(frameAt, frameAt + capturedLength);
    return this.#bytes.subarray(at - frameAt, at - frameAt + length);
  }

  #frame(carrier: Carrier, fate: number): void {
    const i = this.#next++;
    const batch = this.#batch;
    const dns = this.#dns;
    const bytes = this.#bytes;
    this.#dns = [];
    this.#bytes = undefined;
    if (batch === undefined || batch.link[i] === NO_PACKET) return;
    const source = sourceOf(carrier);
    const destination = destinationOf(carrier);
    this.#frames.push({
      ...frameOf(batch, i, this.#interfaces, bytes),
      ...(source !== undefined && { source }),
      ...(destination !== undefined && { destination }),
      layers: layersOf(carrier, dns),
      fate: FRAME_FATES[fate],
    });
  }
}
