const PRIME1 = 0x9e3779b1;
const PRIME2 = 0x85ebca77;
const PRIME3 = 0xc2b2ae3d;
const PRIME4 = 0x27d4eb2f;
const PRIME5 = 0x165667b1;

/** xxHash-32 with seed 0 over bytes that come in pieces (the checksum of the LZ4 frame format). */
export class Xxh32 {
  #v1 = (PRIME1 + PRIME2) | 0;
  #v2 = PRIME2 | 0;
  #v3 = 0;
  #v4 = -PRIME1 | 0;
  readonly #rest = new Uint8Array(16);
  #kept = 0;
  #total = 0;

  update(bytes: Uint8Array, at: number, end: number): void {
    this.#total += end - at;
    if (this.#kept > 0) {
      while (this.#kept < 16 && at < end) this.#rest[this.#kept++] = bytes[at++];
      if (this.#kept < 16) return;
      this.#stripe(this.#rest, 0);
      this.#kept = 0;
    }
    for (; end - at >= 16; at += 16) this.#stripe(bytes, at);
    while (at < end) this.#rest[this.#kept++] = bytes[at++];
  }

  digest(): number {
    let hash =
      this.#total >= 16
        ? (rotate(this.#v1, 1) + rotate(this.#v2, 7) + rotate(this.#v3, 12) + rotate(this.#v4, 18)) | 0
        : PRIME5 | 0;
    hash = (hash + this.#total) | 0;
    let at = 0;
    for (; this.#kept - at >= 4; at += 4) {
      hash = Math.imul(rotate((hash + Math.imul(word(this.#rest, at), PRIME3)) | 0, 17), PRIME4);
    }
    for (; at < this.#kept; at++) hash = Math.imul(rotate((hash + Math.imul(this.#rest[at], PRIME5)) | 0, 11), PRIME1);
    hash = Math.imul(hash ^ (hash >>> 15), PRIME2);
    hash = Math.imul(hash ^ (hash >>> 13), PRIME3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripe(bytes: Uint8Array, at: number): void {
    this.#v1 = round(this.#v1, word(bytes, at));
    this.#v2 = round(this.#v2, word(bytes, at + 4));
    this.#v3 = round(this.#v3, word(bytes, at + 8));
    this.#v4 = round(this.#v4, word(bytes, at + 12));
  }
}

/** xxHash-32 of `bytes[at, end)`. */
export function xxh32(bytes: Uint8Array, at: number, end: number): number {
  const hash = new Xxh32();
  hash.update(bytes, at, end);
  return hash.digest();
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, PRIME2)) | 0, 13), PRIME1);
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
