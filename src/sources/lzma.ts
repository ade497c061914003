/** Where each group of probabilities begins in the one table that holds them all. */
const IS_MATCH = 0;
const IS_REP = IS_MATCH + 192;
const IS_REP_G0 = IS_REP + 12;
const IS_REP_G1 = IS_REP_G0 + 12;
const IS_REP_G2 = IS_REP_G1 + 12;
const IS_REP0_LONG = IS_REP_G2 + 12;
const DISTANCE_SLOT = IS_REP0_LONG + 192;
const DISTANCE_SPECIAL = DISTANCE_SLOT + 256;
const DISTANCE_ALIGN = DISTANCE_SPECIAL + 115;
const MATCH_LENGTH = DISTANCE_ALIGN + 16;
const REP_LENGTH = MATCH_LENGTH + 514;
const LITERAL = REP_LENGTH + 514;
const SIZE = LITERAL + 0x300 * 16;

/** Positions in the range coder's state. */
const RANGE = 0;
const CODE = 1;
const AT = 2;

/**
 * The LZMA decoder with its sliding window, fed with the chunks of LZMA2. `window[begin, end)` is what the last chunk
 * gave; a match may reach back `windowBytes`.
 */
export class Lzma {
  window: Uint8Array = new Uint8Array(4 * 1024 * 1024);
  begin = 0;
  end = 0;

  readonly #windowBytes: number;
  readonly #probabilities = new Uint16Array(SIZE);
  /** Typed, so that no number of it is boxed. */
  readonly #coder = new Uint32Array(3);
  #bytes: Uint8Array = new Uint8Array(0);
  #state = 0;
  #rep0 = 0;
  #rep1 = 0;
  #rep2 = 0;
  #rep3 = 0;
  #literalContextBits = 0;
  #literalMask = 0;
  #positionMask = 0;
  /** Bytes since the window was reset. */
  #total = 0;

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
  }

  resetWindow(): void {
    this.#total = 0;
  }

  resetState(): void {
    this.#state = this.#rep0 = this.#rep1 = this.#rep2 = this.#rep3 = 0;
    this.#probabilities.fill(1024);
  }

  /** Takes the properties octet; false when it is none. */
  setProperties(octet: number): boolean {
    const contextBits = octet % 9;
    const positionBits = Math.floor(octet / 9) % 5;
    if (octet >= 225 || contextBits + positionBits > 4) return false;
    this.#literalContextBits = contextBits;
    this.#literalMask = (1 << positionBits) - 1;
    this.#positionMask = (1 << Math.floor(octet / 45)) - 1;
    return true;
  }

  /** Takes `length` bytes as they are. */
  copy(bytes: Uint8Array, at: number, length: number): void {
    this.#makeRoom(length);
    this.window.set(bytes.subarray(at, at + length), this.end);
    this.end += length;
    this.#total += length;
  }

  /** Decodes `bytes[at, end)` into `length` bytes; false when they are corrupt, with what came before in the window. */
  decode(bytes: Uint8Array, at: number, end: number, length: number): boolean {
    this.#makeRoom(length);
    const coder = this.#coder;
    if (end - at < 5 || bytes[at] !== 0) return false;
    this.#bytes = bytes;
    coder[RANGE] = 0xffffffff;
    coder[CODE] = (bytes[at + 1] << 24) | (bytes[at + 2] << 16) | (bytes[at + 3] << 8) | bytes[at + 4];
    coder[AT] = at + 5;
    const target = this.end + length;
    while (this.end < target) {
      const sound = this.end;
      const position = this.#total & this.#positionMask;
      if (this.#bit(IS_MATCH + (this.#state << 4) + position) === 0) {
        if (this.#state >= 7 && this.#isBeyond(this.#rep0)) return false;
        this.#literal();
      } else if (!this.#match(position, target)) return false;
      if (coder[AT] > end) {
        // Decoded from bytes that are not there.
        this.end = sound;
        return false;
      }
    }
    return coder[AT] === end && coder[CODE] === 0;
  }

  /** Distances count from 0 = the byte before. */
  #isBeyond(distance: number): boolean {
    return distance >= this.#total || distance >= this.#windowBytes;
  }

  #makeRoom(length: number): void {
    this.begin = this.end;
    if (this.end + length > this.window.length) {
      const keep = Math.min(this.end, this.#windowBytes);
      const slack = Math.max(length, this.#windowBytes >> 2);
      let to = this.window;
      // Grows with what really came; only a full window slides.
      if (keep + length > to.length / 2 && to.length < this.#windowBytes + slack) {
        to = new Uint8Array(Math.min(Math.max(to.length * 2, keep + length), this.#windowBytes + slack));
        to.set(this.window.subarray(this.end - keep, this.end));
      } else to.copyWithin(0, this.end - keep, this.end);
      this.window = to;
      this.begin = this.end = keep;
    }
  }

  #literal(): void {
    const window = this.window;
    const before = this.#total > 0 ? window[this.end - 1] : 0;
    const bits = this.#literalContextBits;
    const base = LITERAL + 0x300 * (((this.#total & this.#literalMask) << bits) + (before >> (8 - bits)));
    let symbol = 1;
    if (this.#state >= 7) {
      let matched = window[this.end - this.#rep0 - 1];
      while (symbol < 0x100) {
        const expected = (matched >> 7) & 1;
        matched <<= 1;
        const bit = this.#bit(base + ((1 + expected) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (bit !== expected) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(base + symbol);
    window[this.end++] = symbol;
    this.#total++;
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** A match or repeated match; false when it reaches beyond the window or `target`. */
  #match(position: number, target: number): boolean {
    let length: number;
    const state = this.#state;
    if (this.#bit(IS_REP + state) !== 0) {
      if (this.#bit(IS_REP_G0 + state) === 0) {
        if (this.#bit(IS_REP0_LONG + (state << 4) + position) === 0) {
          if (this.#isBeyond(this.#rep0)) return false;
          this.#state = state < 7 ? 9 : 11;
          this.window[this.end] = this.window[this.end - this.#rep0 - 1];
          this.end++;
          this.#total++;
          return true;
        }
      } else this.#swapDistances(state);
      length = this.#length(REP_LENGTH, position);
      this.#state = state < 7 ? 8 : 11;
    } else {
      this.#rep3 = this.#rep2;
      this.#rep2 = this.#rep1;
      this.#rep1 = this.#rep0;
      length = this.#length(MATCH_LENGTH, position);
      this.#state = state < 7 ? 7 : 10;
      this.#rep0 = this.#distance(length);
    }
    length += 2;
    if (this.#isBeyond(this.#rep0) || length > target - this.end) return false;
    const window = this.window;
    let to = this.end;
    for (let from = to - this.#rep0 - 1, n = length; n > 0; n--) window[to++] = window[from++];
    this.end = to;
    this.#total += length;
    return true;
  }

  #swapDistances(state: number): void {
    let distance = this.#rep1;
    if (this.#bit(IS_REP_G1 + state) !== 0) {
      distance = this.#rep2;
      if (this.#bit(IS_REP_G2 + state) !== 0) {
        distance = this.#rep3;
        this.#rep3 = this.#rep2;
      }
      this.#rep2 = this.#rep1;
    }
    this.#rep1 = this.#rep0;
    this.#rep0 = distance;
  }

  #length(base: number, position: number): number {
    if (this.#bit(base) === 0) return this.#tree(base + 2 + position * 8, 3);
    if (this.#bit(base + 1) === 0) return 8 + this.#tree(base + 130 + position * 8, 3);
    return 16 + this.#tree(base + 258, 8);
  }

  #distance(length: number): number {
    const slot = this.#tree(DISTANCE_SLOT + Math.min(length, 3) * 64, 6);
    if (slot < 4) return slot;
    const direct = (slot >> 1) - 1;
    const base = ((2 | (slot & 1)) << direct) >>> 0;
    if (slot < 14) return base + this.#reverseTree(DISTANCE_SPECIAL + base - slot, direct);
    return base + this.#directBits(direct - 4) * 16 + this.#reverseTree(DISTANCE_ALIGN, 4);
  }

  #tree(base: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.#bit(base + symbol);
    return symbol - (1 << bits);
  }

  #reverseTree(base: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  #directBits(count: number): number {
    const coder = this.#coder;
    let value = 0;
    for (; count > 0; count--) {
      const half = coder[RANGE] >>> 1;
      const bit = coder[CODE] >= half ? 1 : 0;
      coder[RANGE] = half;
      if (bit === 1) coder[CODE] -= half;
      value = value * 2 + bit;
      if (half < 0x1000000) this.#normalize();
    }
    return value;
  }

  #bit(index: number): number {
    const coder = this.#coder;
    const probability = this.#probabilities[index];
    const range = coder[RANGE];
    const bound = (range >>> 11) * probability;
    if (coder[CODE] < bound) {
      coder[RANGE] = bound;
      this.#probabilities[index] = probability + ((2048 - probability) >> 5);
      if (bound < 0x1000000) this.#normalize();
      return 0;
    }
    coder[RANGE] = range - bound;
    coder[CODE] -= bound;
    this.#probabilities[index] = probability - (probability >> 5);
    if (range - bound < 0x1000000) this.#normalize();
    return 1;
  }

  #normalize(): void {
    const coder = this.#coder;
    coder[RANGE] <<= 8;
    coder[CODE] = (coder[CODE] << 8) | this.#bytes[coder[AT]++];
  }
}
