/** Numbers into columns of a chunk. One function by width: loops over arrays of one kind are fast. */
export function copy8(from: Uint8Array, to: Uint8Array, order: Uint32Array, at: number, n: number, row: number): void {
  for (let k = 0; k < n; k++) to[row + k] = from[order[at + k]];
}

/** As `copy8`. */
export function copy16(
  from: Uint16Array,
  to: Uint16Array,
  order: Uint32Array,
  at: number,
  n: number,
  row: number,
): void {
  for (let k = 0; k < n; k++) to[row + k] = from[order[at + k]];
}

/** Into every `stride`-th word, from word `lane` on. */
export function copy32(
  from: Uint32Array,
  to: Uint32Array,
  order: Uint32Array,
  at: number,
  n: number,
  row: number,
  stride: number,
  lane: number,
): void {
  for (let k = 0; k < n; k++) to[(row + k) * stride + lane] = from[order[at + k]];
}

/** Nanoseconds since 1970 as 64 bits; times that do not fit (corrupt captures) become the last that do. */
export function putTime(words: Uint32Array, row: number, seconds: number, nanos: number): void {
  if (Math.abs(seconds) > 9.2e9) {
    putWords(words, row, BigInt.asIntN(64, seconds > 0 ? 0x7fff_ffff_ffff_ffffn : -0x8000_0000_0000_0000n));
    return;
  }
  if (seconds < 0) {
    putWords(words, row, BigInt(seconds) * 1_000_000_000n + BigInt(nanos));
    return;
  }
  // A double cannot hold it: in two parts of 16 bits and more.
  const low16 = seconds % 65_536;
  const high = ((seconds - low16) / 65_536) * 1e9;
  const low = low16 * 1e9 + nanos + (high % 65_536) * 65_536;
  words[row * 2] = low % 0x1_0000_0000;
  words[row * 2 + 1] = Math.floor(high / 65_536) + Math.floor(low / 0x1_0000_0000);
}

/** A whole number, safe or less, as 64 bits. */
export function putInteger(words: Uint32Array, row: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  words[row * 2] = value - high * 0x1_0000_0000;
  words[row * 2 + 1] = high;
}

function putWords(words: Uint32Array, row: number, value: bigint): void {
  words[row * 2] = Number(BigInt.asUintN(32, value));
  words[row * 2 + 1] = Number(BigInt.asUintN(32, value >> 32n));
}

/** Octets of an address of four words, of which IPv4 has the last. */
export function putAddress(to: Uint8Array, length: number, w0: number, w1: number, w2: number, w3: number): void {
  if (length === 16) {
    put32(to, 0, w0);
    put32(to, 4, w1);
    put32(to, 8, w2);
    put32(to, 12, w3);
  } else put32(to, 0, w3);
}

function put32(to: Uint8Array, at: number, word: number): void {
  to[at] = word >>> 24;
  to[at + 1] = word >>> 16;
  to[at + 2] = word >>> 8;
  to[at + 3] = word;
}
