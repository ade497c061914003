/** Small capture files written by hand, byte by byte, for tests: independent of the product's own writers. */

/** Writes numbers in one byte order. */
export class Bytes {
  #parts: number[] = [];
  readonly #little: boolean;

  constructor(little: boolean) {
    this.#little = little;
  }

  get length(): number {
    return this.#parts.length;
  }

  u16(value: number): this {
    return this.#number(value, 2);
  }

  u32(value: number): this {
    return this.#number(value >>> 0, 4);
  }

  u64(value: bigint): this {
    const high = Number((value >> 32n) & 0xffffffffn);
    const low = Number(value & 0xffffffffn);
    return this.#little ? this.u32(low).u32(high) : this.u32(high).u32(low);
  }

  raw(bytes: ArrayLike<number>): this {
    for (let i = 0; i < bytes.length; i++) this.#parts.push(bytes[i]);
    return this;
  }

  pad4(): this {
    while (this.#parts.length % 4 !== 0) this.#parts.push(0);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }

  #number(value: number, size: number): this {
    for (let i = 0; i < size; i++) {
      const shift = this.#little ? i : size - 1 - i;
      this.#parts.push(Math.floor(value / 256 ** shift) & 0xff);
    }
    return this;
  }
}

export interface Record {
  seconds: number;
  fraction: number;
  data: Uint8Array;
  wire?: number;
  captured?: number;
}

export interface PcapShape {
  little?: boolean;
  magic?: number;
  minor?: number;
  snaplen?: number;
  link?: number;
}

export function pcap(records: readonly Record[], shape: PcapShape = {}): Uint8Array {
  const { little = true, magic = 0xa1b2c3d4, minor = 4, snaplen = 262144, link = 1 } = shape;
  const file = new Bytes(little).u32(magic).u16(2).u16(minor).u32(0).u32(0).u32(snaplen).u32(link);
  for (const { seconds, fraction, data, wire, captured } of records) {
    file
      .u32(seconds)
      .u32(fraction)
      .u32(captured ?? data.length)
      .u32(wire ?? data.length);
    if (magic === 0xa1b2cd34) file.u32(3).u16(0x0800).raw([0, 0]);
    file.raw(data);
  }
  return file.done();
}

/** One pcapng block with its two lengths. */
export function block(type: number, body: Uint8Array, little = true): Uint8Array {
  const padded = new Bytes(little).raw(body).pad4().done();
  const length = 12 + padded.length;
  return new Bytes(little).u32(type).u32(length).raw(padded).u32(length).done();
}

export function section(little = true): Uint8Array {
  return block(
    0x0a0d0d0a,
    new Bytes(little)
      .u32(0x1a2b3c4d)
      .u16(1)
      .u16(0)
      .u64(-1n & 0xffffffffffffffffn)
      .done(),
    little,
  );
}

export interface Option {
  code: number;
  value: Uint8Array;
}

export function options(list: readonly Option[], little = true): Uint8Array {
  const out = new Bytes(little);
  for (const { code, value } of list) out.u16(code).u16(value.length).raw(value).pad4();
  return out.length === 0 ? out.done() : out.u32(0).done();
}

export function interfaceBlock(list: readonly Option[] = [], little = true, link = 1, snaplen = 0): Uint8Array {
  return block(1, new Bytes(little).u16(link).u16(0).u32(snaplen).raw(options(list, little)).done(), little);
}

export function packetBlock(
  id: number,
  time: bigint,
  data: Uint8Array,
  little = true,
  list: readonly Option[] = [],
): Uint8Array {
  const body = new Bytes(little)
    .u32(id)
    .u32(Number(time >> 32n))
    .u32(Number(time & 0xffffffffn))
    .u32(data.length)
    .u32(data.length)
    .raw(data)
    .pad4()
    .raw(options(list, little));
  return block(6, body.done(), little);
}

export function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Bytes 0, 1, 2 … of a length, different for each `seed`. */
export function data(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i + seed * 17) & 0xff);
}
