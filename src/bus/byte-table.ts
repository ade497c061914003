import { mix } from '../wire/name.ts';

/** Nobody outside can choose strings that meet in one place. */
const SEED = Math.floor(Math.random() * 0x1_0000_0000);

/** Hash of octets. */
export function hashOctets(bytes: Uint8Array, at: number, length: number): number {
  let h = SEED ^ length;
  for (const end = at + length; at < end; at++) h = Math.imul(h ^ bytes[at], 0x01000193);
  return mix(h);
}

/** Different strings of octets, one behind the other in one buffer, in the order they came. */
export class ByteTable {
  bytes = new Uint8Array(64 * 1024);
  /** Octets in use. */
  used = 0;
  count = 0;
  /** Where each string begins; one more than there are. */
  readonly starts: Uint32Array;
  readonly #hashes: Uint32Array;
  readonly #slots: Uint32Array;
  readonly #mask: number;

  /** `most` strings at a time. */
  constructor(most: number) {
    this.starts = new Uint32Array(most + 1);
    this.#hashes = new Uint32Array(most);
    const slots = 2 << (32 - Math.clz32(most));
    this.#slots = new Uint32Array(slots);
    this.#mask = slots - 1;
  }

  /** The string's number + 1 where it has come before; 0 where it is new, and was added. */
  put(from: Uint8Array, at: number, length: number, hash: number): number {
    const slots = this.#slots;
    let slot = hash & this.#mask;
    for (let found = slots[slot]; found !== 0; found = slots[slot]) {
      if (this.#hashes[found - 1] === hash && this.#is(found - 1, from, at, length)) return found;
      slot = (slot + 1) & this.#mask;
    }
    const n = this.count++;
    slots[slot] = n + 1;
    this.#hashes[n] = hash;
    this.#add(from, at, length);
    this.starts[n + 1] = this.used;
    return 0;
  }

  #is(n: number, from: Uint8Array, at: number, length: number): boolean {
    const { bytes, starts } = this;
    const start = starts[n];
    if (starts[n + 1] - start !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== from[at + i]) return false;
    return true;
  }

  #add(from: Uint8Array, at: number, length: number): void {
    const to = this.used;
    this.used = to + length;
    if (this.used > this.bytes.length) {
      const wider = new Uint8Array(2 * this.used);
      wider.set(this.bytes.subarray(0, to));
      this.bytes = wider;
    }
    const { bytes } = this;
    if (length > 160) bytes.set(from.subarray(at, at + length), to);
    else for (let i = 0; i < length; i++) bytes[to + i] = from[at + i];
  }

  clear(): void {
    this.used = this.count = 0;
    this.#slots.fill(0);
  }
}

/** Different groups of five words (address family and address). */
export class AddressTable {
  count = 0;
  /** By column: family, then the four words. */
  readonly columns: readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  readonly #slots: Uint32Array;
  readonly #mask: number;

  constructor(most: number) {
    const column = () => new Uint32Array(most);
    this.columns = [column(), column(), column(), column(), column()];
    const slots = 2 << (32 - Math.clz32(most));
    this.#slots = new Uint32Array(slots);
    this.#mask = slots - 1;
  }

  /** As `ByteTable.put`. */
  put(family: number, w0: number, w1: number, w2: number, w3: number): number {
    const [f, a, b, c, d] = this.columns;
    const slots = this.#slots;
    let h = Math.imul(SEED ^ w3, 0x9e3779b1);
    if (family !== 4) h ^= mix(w0 ^ Math.imul(w1, 0x85ebca6b) ^ Math.imul(w2, 0xc2b2ae35));
    let slot = mix(h) & this.#mask;
    for (let found = slots[slot]; found !== 0; found = slots[slot]) {
      const n = found - 1;
      if (d[n] === w3 && c[n] === w2 && b[n] === w1 && a[n] === w0 && f[n] === family) return found;
      slot = (slot + 1) & this.#mask;
    }
    const n = this.count++;
    slots[slot] = n + 1;
    f[n] = family;
    a[n] = w0;
    b[n] = w1;
    c[n] = w2;
    d[n] = w3;
    return 0;
  }

  clear(): void {
    this.count = 0;
    this.#slots.fill(0);
  }
}
