/**
 * JSON written straight as bytes: the parts of the hot outputs.
 *
 * Every function writes into `out` (and `words`, the same memory) at `at` and returns the offset behind what it wrote.
 * Callers have made room, with `SLACK` to spare: whole words are stored, which may touch up to three bytes more.
 */
export const SLACK = 16;
/** Most bytes a wire name becomes: each octet at most five (`\\DDD`). */
export const NAME_ROOM = 5 * 256 + SLACK;

/** Text prepared for `put`: whole words, and the number of bytes that count. */
export interface Chunk {
  readonly words: Int32Array;
  readonly length: number;
}

const utf8 = new TextEncoder();

/** Prepares a text. */
export function chunk(text: string): Chunk {
  const bytes = utf8.encode(text);
  const words = new Int32Array((bytes.length + 3) >> 2);
  for (let i = 0; i < bytes.length; i++) words[i >> 2] |= bytes[i] << (8 * (i & 3));
  return { words, length: bytes.length };
}

export function put(words: DataView, at: number, { words: source, length }: Chunk): number {
  for (let i = 0; i < source.length; i++) words.setInt32(at + 4 * i, source[i], true);
  return at + length;
}

/** Copies `length` bytes written before. */
export function repeat(words: DataView, from: number, length: number, at: number): number {
  for (let i = 0; i < length; i += 4) words.setInt32(at + i, words.getInt32(from + i, true), true);
  return at + length;
}

// Four digits as a little-endian word, and the number of leading zeros in it.
const DIGITS = new Int32Array(10_000);
const ZEROS = new Uint8Array(10_000);
for (let n = 0; n < 10_000; n++) {
  const digit = (power: number) => 48 + (Math.floor(n / power) % 10);
  DIGITS[n] = digit(1000) | (digit(100) << 8) | (digit(10) << 16) | (digit(1) << 24);
  ZEROS[n] = n < 10 ? 3 : n < 100 ? 2 : n < 1000 ? 1 : 0;
}

/** A whole number from 0 to 2^53. */
export function putUint(words: DataView, at: number, n: number): number {
  if (n < 10_000) {
    const zeros = ZEROS[n];
    words.setInt32(at, DIGITS[n] >>> (8 * zeros), true);
    return at + 4 - zeros;
  }
  const high = Math.floor(n / 10_000);
  at = putUint(words, at, high);
  words.setInt32(at, DIGITS[n - high * 10_000], true);
  return at + 4;
}

/** Nine digits of a number below 10^9. */
export function putNine(words: DataView, at: number, n: number): number {
  const high = Math.floor(n / 10_000);
  const top = Math.floor(high / 10_000);
  words.setInt8(at, 48 + top);
  words.setInt32(at + 1, DIGITS[high - top * 10_000], true);
  words.setInt32(at + 5, DIGITS[n - high * 10_000], true);
  return at + 9;
}

/** Nanoseconds as milliseconds, the way JSON shows the number: no zeros at the end. */
export function putMillis(out: Uint8Array, words: DataView, at: number, nanos: number): number {
  if (nanos < 0) out[at++] = 45;
  const n = Math.abs(nanos);
  const whole = Math.floor(n / 1e6);
  at = putUint(words, at, whole);
  const rest = n - whole * 1e6;
  if (rest === 0) return at;
  const high = Math.floor(rest / 100);
  out[at] = 46;
  words.setInt32(at + 1, DIGITS[high], true);
  words.setInt16(at + 5, DIGITS[rest - high * 100] >>> 16, true);
  at += 7;
  while (out[at - 1] === 48) at--;
  return at;
}

const HEX = '0123456789abcdef';
const HEX_PAIR = Uint16Array.from({ length: 256 }, (_, c) => HEX.charCodeAt(c >> 4) | (HEX.charCodeAt(c & 15) << 8));
const UPPER_HEX_PAIR = Uint16Array.from({ length: 256 }, (_, c) => {
  const digit = (n: number) => HEX[n].toUpperCase().charCodeAt(0);
  return digit(c >> 4) | (digit(c & 15) << 8);
});

/** Eight hexadecimal digits. */
export function putHex32(words: DataView, at: number, n: number): number {
  words.setUint16(at, HEX_PAIR[n >>> 24], true);
  words.setUint16(at + 2, HEX_PAIR[(n >>> 16) & 255], true);
  words.setUint16(at + 4, HEX_PAIR[(n >>> 8) & 255], true);
  words.setUint16(at + 6, HEX_PAIR[n & 255], true);
  return at + 8;
}

/** Octets in upper-case hexadecimal. */
export function putHex(words: DataView, at: number, source: Uint8Array, from: number, length: number): number {
  for (let i = 0; i < length; i++) words.setUint16(at + 2 * i, UPPER_HEX_PAIR[source[from + i]], true);
  return at + 2 * length;
}

const BASE64 = Uint8Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', (c) =>
  c.charCodeAt(0),
);

/** Octets in base64 (RFC 4648 §4). */
export function putBase64(out: Uint8Array, at: number, source: Uint8Array, from: number, length: number): number {
  const end = from + length;
  for (let i = from; i < end; i += 3) {
    const b = i + 1 < end ? source[i + 1] : 0;
    const c = i + 2 < end ? source[i + 2] : 0;
    const group = (source[i] << 16) | (b << 8) | c;
    out[at] = BASE64[group >>> 18];
    out[at + 1] = BASE64[(group >>> 12) & 63];
    out[at + 2] = i + 1 < end ? BASE64[(group >>> 6) & 63] : 61;
    out[at + 3] = i + 2 < end ? BASE64[group & 63] : 61;
    at += 4;
  }
  return at;
}

// `0.` to `255.` as words: one store writes an octet and its dot.
const DOTTED = Int32Array.from({ length: 256 }, (_, n) => DIGITS[n] >>> (8 * ZEROS[n]));
const OCTET_DIGITS = Uint8Array.from({ length: 256 }, (_, n) => 4 - ZEROS[n]);

/** Dotted text of an IPv4 address. */
export function putIpv4(out: Uint8Array, words: DataView, at: number, address: number): number {
  for (let shift = 24; shift > 0; shift -= 8) {
    const n = (address >>> shift) & 255;
    words.setInt32(at, DOTTED[n], true);
    at += OCTET_DIGITS[n];
    out[at++] = 46;
  }
  words.setInt32(at, DOTTED[address & 255], true);
  return at + OCTET_DIGITS[address & 255];
}

const groups = new Uint16Array(8);

/** RFC 5952 text of an IPv6 address given as four words. */
export function putIpv6(
  out: Uint8Array,
  words: DataView,
  at: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): number {
  if (w0 === 0 && w1 === 0 && w2 >>> 0 === 0xffff) {
    return putIpv4(out, words, put(words, at, MAPPED), w3);
  }
  groups[0] = w0 >>> 16;
  groups[1] = w0;
  groups[2] = w1 >>> 16;
  groups[3] = w1;
  groups[4] = w2 >>> 16;
  groups[5] = w2;
  groups[6] = w3 >>> 16;
  groups[7] = w3;
  // The longest run of zeros, at least two, the first of equals.
  let best = 8;
  let bestEnd = 8;
  for (let i = 0; i < 8; i++) {
    if (groups[i] !== 0) continue;
    let end = i + 1;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > Math.max(1, bestEnd - best)) {
      best = i;
      bestEnd = end;
    }
    i = end;
  }
  for (let i = 0; i < 8; i++) {
    if (i === best) {
      out[at++] = 58;
      if (i === 0) out[at++] = 58;
      i = bestEnd - 1;
      continue;
    }
    at = putGroup(out, at, groups[i]);
    if (i < 7) out[at++] = 58;
  }
  return at;
}
const MAPPED = chunk('::ffff:');

function putGroup(out: Uint8Array, at: number, group: number): number {
  let shift = group > 0xfff ? 12 : group > 0xff ? 8 : group > 0xf ? 4 : 0;
  for (; shift >= 0; shift -= 4) {
    const digit = (group >>> shift) & 15;
    out[at++] = digit < 10 ? 48 + digit : 87 + digit;
  }
  return at;
}

// 1 where an octet of a label stands for itself in JSON; a blank does so in a character-string only.
const PLAIN = Uint8Array.from({ length: 256 }, (_, c) =>
  c > 0x20 && c < 0x7f && c !== 0x22 && c !== 0x2e && c !== 0x5c ? 1 : 0,
);

/** Pointers followed by the last `putName`. */
export let nameHops = 0;

/** A sound name as `nameText` shows it, escaped for JSON. At most `NAME_ROOM`. */
export function putName(out: Uint8Array, at: number, source: Uint8Array, name: number, start: number): number {
  const from = at;
  let n = source[name];
  let hops = 0;
  for (;;) {
    while (n >= 0xc0) {
      name = start + (((n & 0x3f) << 8) | source[name + 1]);
      n = source[name];
      hops++;
    }
    if (n === 0) break;
    if (at > from) out[at++] = 46;
    const stop = name + n;
    while (name < stop) {
      const c = source[++name];
      if (PLAIN[c] !== 0) out[at++] = c;
      else at = putEscaped(out, at, c, false);
    }
    n = source[++name];
  }
  nameHops = hops;
  if (at === from) out[at++] = 46;
  return at;
}

/** Octets of a character-string in quotes, escaped for JSON. At most five times as many, and four. */
export function putQuoted(out: Uint8Array, at: number, source: Uint8Array, from: number, length: number): number {
  out[at] = 0x5c;
  out[at + 1] = 0x22;
  at += 2;
  for (let i = from; i < from + length; i++) {
    const c = source[i];
    if (PLAIN[c] !== 0) out[at++] = c;
    else at = putEscaped(out, at, c, true);
  }
  out[at] = 0x5c;
  out[at + 1] = 0x22;
  return at + 2;
}

/** An octet that is escaped in presentation text or JSON; `quoted` = within a character-string, else in a label. */
function putEscaped(out: Uint8Array, at: number, c: number, quoted: boolean): number {
  if (quoted && (c === 0x20 || c === 0x2e)) {
    out[at] = c;
    return at + 1;
  }
  if (!quoted && c === 0x22) {
    out[at] = 0x5c;
    out[at + 1] = 0x22;
    return at + 2;
  }
  // A backslash of the presentation text is two in JSON.
  out[at] = 0x5c;
  out[at + 1] = 0x5c;
  if (c === 0x2e) {
    out[at + 2] = c;
    return at + 3;
  }
  if (c === 0x22 || c === 0x5c) {
    out[at + 2] = 0x5c;
    out[at + 3] = c;
    return at + 4;
  }
  out[at + 2] = 48 + Math.floor(c / 100);
  out[at + 3] = 48 + (Math.floor(c / 10) % 10);
  out[at + 4] = 48 + (c % 10);
  return at + 5;
}
