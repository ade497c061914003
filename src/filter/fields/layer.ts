import { word } from '../../core/address.ts';
import { TCP, UDP } from '../../core/carrier.ts';
import * as L from '../../core/layers.ts';
import type { Subject } from '../value.ts';
import { type Column, columnField, field, type FieldType, type FilterField } from './field.ts';

export type When = (s: Subject) => boolean;
export type At = (s: Subject) => number;
export type Declared = readonly [name: string, type: FieldType, title: string];

/** Octet, and big-endian words, of the frame. */
export const u8 = (s: Subject, at: number): number => s.carrier.frame[at];
export const u16 = (s: Subject, at: number): number => (s.carrier.frame[at] << 8) | s.carrier.frame[at + 1];
export const u32 = (s: Subject, at: number): number => word(s.carrier.frame, at) >>> 0;
export const frameEnd = (s: Subject): number => s.carrier.frameAt + s.carrier.capturedLength;

/**
 * Headers of one kind in a frame, outermost first: a tunnel has several, and fields have a value of each.
 * The innermost is where `at` says (−1: none); its `size` octets have to be captured.
 */
export class Layer {
  readonly #group: string;
  readonly #at: At;
  readonly #size: number;
  readonly #kind: number;
  readonly #version: number;

  /** @param kind its number in core/layers.ts; −1 for what is there once. @param version of IP, which tells it apart. */
  constructor(group: string, at: At, size: number, kind = -1, version = -1) {
    this.#group = group;
    this.#at = at;
    this.#size = size;
    this.#kind = kind;
    this.#version = version;
  }

  /** The innermost is there. */
  get has(): When {
    return (s) => this.#fits(s, this.#at(s));
  }

  #fits(s: Subject, at: number): boolean {
    return at >= 0 && at + this.#size <= frameEnd(s);
  }

  /** Index of the `index`-th header around the innermost in the trail, −1 behind the last. */
  outer(s: Subject, index: number): number {
    const { trail, trailLength, frameAt } = s.carrier;
    if (this.#kind < 0) return -1;
    const innermost = this.#at(s) - frameAt;
    for (let i = 0, left = index; i < trailLength; i++) {
      const at = trail[3 * i + 1];
      if (trail[3 * i] !== this.#kind || at === innermost || !this.#fits(s, frameAt + at)) continue;
      if (this.#version >= 0 && u8(s, frameAt + at) >> 4 !== this.#version) continue;
      if (left-- === 0) return i;
    }
    return -1;
  }

  /** Headers around the innermost. */
  outers(s: Subject): number {
    let count = 0;
    if (s.carrier.trailLength > 0) while (this.outer(s, count) >= 0) count++;
    return count;
  }

  /** Where the `index`-th header lies, −1 behind the last. */
  place(s: Subject, index: number): number {
    if (index < 0) return -1;
    const { carrier } = s;
    const outer = carrier.trailLength === 0 ? -1 : this.outer(s, index);
    if (outer >= 0) return carrier.frameAt + carrier.trail[3 * outer + 1];
    return index === this.outers(s) && this.has(s) ? this.#at(s) : -1;
  }

  /** A number of each header, read from where it begins. */
  number(
    declared: Declared,
    read: (s: Subject, at: number) => number,
    options: {
      hex?: boolean;
      names?: FilterField['names'];
      stored?: boolean;
      when?: (s: Subject, at: number) => boolean;
    } = {},
  ): FilterField {
    const { when, ...rest } = options;
    const column: Column = {
      next: (s, from) => {
        for (let i = from; ; i++) {
          const at = this.place(s, i);
          if (at < 0) return -1;
          if (when === undefined || when(s, at)) return i;
        }
      },
      at: (s, index) => read(s, this.place(s, index)),
    };
    return columnField(declared, { group: this.#group, stored: false, ...rest }, column);
  }

  /** `octets` octets behind `offset`, of each header; several fields' worth where there are several offsets. */
  bytes(declared: Declared, offsets: readonly number[], octets: number): FilterField {
    return field(declared, { group: this.#group, stored: false }, (s, out) => {
      for (let i = 0; ; i++) {
        const at = this.place(s, i);
        if (at < 0) return;
        for (const offset of offsets) out.add(s.carrier.frame.subarray(at + offset, at + offset + octets));
      }
    });
  }

  /** The layer itself: from its first octet to `end`. */
  protocol(title: string, when: When = () => true, end: At = frameEnd): FilterField {
    return field([this.#group, 'FT_PROTOCOL', title], { group: 'protocol', stored: false }, (s, out) => {
      const outers = this.outers(s);
      for (let i = 0; i < outers; i++) out.add(s.carrier.frame.subarray(this.place(s, i), frameEnd(s)));
      if (!when(s)) return;
      const at = this.#at(s);
      out.add(at < 0 ? EMPTY : s.carrier.frame.subarray(at, Math.max(at, end(s))));
    });
  }
}
export const EMPTY = new Uint8Array(0);

/** The headers that messages travel behind. */
export const eth = new Layer('eth', (s) => s.carrier.ethernetAt, 14, L.ETHERNET_LAYER);
export const ip = new Layer('ip', (s) => (s.carrier.family === 4 ? s.carrier.ipAt : -1), 20, L.IPV4_LAYER, 4);
export const ipv6 = new Layer('ipv6', (s) => (s.carrier.family === 6 ? s.carrier.ipAt : -1), 40, L.IPV6_LAYER, 6);
export const udp = new Layer('udp', (s) => (isUdp(s) ? s.carrier.transportAt : -1), 8, L.UDP_LAYER);
export const tcp = new Layer('tcp', (s) => (isTcp(s) ? s.carrier.transportAt : -1), 20);
export const isUdp: When = (s) => s.carrier.transport === UDP;
export const isTcp: When = (s) => s.carrier.transport === TCP;

/** One bit of a layer, 0 or 1. */
export const bit = (offset: number, mask: number) => (s: Subject, at: number) =>
  (u8(s, at + offset) & mask) === 0 ? 0 : 1;

/** Octet behind the IP packet, as its header says, within what was captured. */
export const packetEnd: At = (s) => {
  const { ipAt, family } = s.carrier;
  if (ipAt < 0 || ipAt + 6 > frameEnd(s)) return frameEnd(s);
  const length = family === 4 ? u16(s, ipAt + 2) : 40 + u16(s, ipAt + 4);
  // A length of 0 is left to the card (segmentation offload).
  return length === 0 || length === 40 ? frameEnd(s) : Math.min(frameEnd(s), ipAt + length);
};

/** Octets of the segment's header, and behind it. */
export const tcpHeader: At = (s) => (u8(s, s.carrier.transportAt + 12) >> 4) * 4;
export const segmentLength: At = (s) => Math.max(0, packetEnd(s) - s.carrier.transportAt - tcpHeader(s));
