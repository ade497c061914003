import { word } from '../../core/address.ts';
import type { Subject } from '../value.ts';
import { columnField, field, type FieldType, type FilterField, once } from './field.ts';

export type When = (s: Subject) => boolean;
export type At = (s: Subject) => number;
export type Declared = readonly [name: string, type: FieldType, title: string];

/** Octet, and big-endian words, of the frame. */
export const u8 = (s: Subject, at: number): number => s.carrier.frame[at];
export const u16 = (s: Subject, at: number): number => (s.carrier.frame[at] << 8) | s.carrier.frame[at + 1];
export const u32 = (s: Subject, at: number): number => word(s.carrier.frame, at) >>> 0;
export const frameEnd = (s: Subject): number => s.carrier.frameAt + s.carrier.capturedLength;

/** Fields of one layer: they are there where `at` ≥ 0 and the layer's `size` octets were captured. */
export class Layer {
  readonly #group: string;
  readonly #at: At;
  readonly #size: number;

  constructor(group: string, at: At, size: number) {
    this.#group = group;
    this.#at = at;
    this.#size = size;
  }

  get has(): When {
    return (s) => this.#at(s) >= 0 && this.#at(s) + this.#size <= frameEnd(s);
  }

  /** A number, read from where the layer begins. */
  number(
    declared: Declared,
    read: (s: Subject, at: number) => number,
    options: { hex?: boolean; names?: FilterField['names']; when?: When } = {},
  ): FilterField {
    const { when, ...rest } = options;
    const has = this.has;
    const there: When = when === undefined ? has : (s) => has(s) && when(s);
    return columnField(
      declared,
      { group: this.#group, stored: false, ...rest },
      once(there, (s) => read(s, this.#at(s))),
    );
  }

  /** `octets` octets behind `offset`. */
  bytes(declared: Declared, offset: number, octets: number): FilterField {
    return field(declared, { group: this.#group, stored: false }, (s, out) => {
      if (!this.has(s)) return;
      const at = this.#at(s) + offset;
      out.add(s.carrier.frame.subarray(at, at + octets));
    });
  }

  /** The layer itself: from its first octet to `end`. */
  protocol(title: string, when: When = () => true, end: At = frameEnd): FilterField {
    return field([this.#group, 'FT_PROTOCOL', title], { group: 'protocol', stored: false }, (s, out) => {
      if (!when(s)) return;
      const at = this.#at(s);
      out.add(at < 0 ? EMPTY : s.carrier.frame.subarray(at, Math.max(at, end(s))));
    });
  }
}
export const EMPTY = new Uint8Array(0);

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
