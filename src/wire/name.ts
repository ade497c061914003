import { asciiReader } from '../core/ascii.ts';
import { FAULT } from './fault.ts';

const LOWER = Uint8Array.from({ length: 256 }, (_, c) => (c >= 65 && c <= 90 ? c + 32 : c));

/** ASCII lower case of every byte; other bytes are themselves (RFC 4343). */
export const FOLD: Uint8Array = LOWER;

const MAX_WIRE = 255;
const MAX_HOPS = 127;

/** What went wrong in the last `skipName`/`hashName`/… call that returned −1 (a FAULT number), and at which offset. */
export const nameFault = { code: 0, at: 0 };

function fail(code: number, at: number): -1 {
  nameFault.code = code;
  nameFault.at = at;
  return -1;
}

/**
 * Checks the name at `at` and returns the offset behind it, or −1 with `nameFault` set.
 *
 * `start` and `end` bound the message within `bytes`. Pointers must go strictly before the name part that holds them,
 * so a name is read in at most 127 hops and 255 bytes, whatever the input (RFC 1035 §4.1.4, RFC 9267 §2–4).
 */
export function skipName(bytes: Uint8Array, at: number, start: number, end: number): number {
  let part = at;
  let next = -1;
  let length = 0;
  let hops = 0;
  for (;;) {
    if (at >= end) return fail(FAULT.name_overrun, at);
    const n = bytes[at];
    if (n === 0) return next < 0 ? at + 1 : next;
    if (n < 0x40) {
      length += n + 1;
      if (length >= MAX_WIRE) return fail(FAULT.name_too_long, at);
      at += n + 1;
    } else if (n >= 0xc0) {
      if (at + 1 >= end) return fail(FAULT.name_overrun, at);
      const target = start + (((n & 0x3f) << 8) | bytes[at + 1]);
      if (target >= end) return fail(FAULT.pointer_outside, at);
      if (target >= part) return fail(FAULT.pointer_not_backward, at);
      if (++hops > MAX_HOPS) return fail(FAULT.name_too_long, at);
      if (next < 0) next = at + 2;
      at = part = target;
    } else return fail(FAULT.label_type, at);
  }
}

/** Hash of the folded name at `at` (32 bits, any case gives the same). The name must have passed `skipName`. */
export function hashName(bytes: Uint8Array, at: number, start: number): number {
  let h = 0x811c9dc5;
  for (;;) {
    const n = bytes[at];
    if (n === 0) return mix(h);
    if (n >= 0xc0) {
      at = start + (((n & 0x3f) << 8) | bytes[at + 1]);
      continue;
    }
    h = Math.imul(h ^ n, 0x01000193);
    const stop = at + n;
    while (at < stop) h = Math.imul(h ^ LOWER[bytes[++at]], 0x01000193);
    at++;
  }
}

/** Spreads the bits of a 32-bit hash; unsigned result. */
export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Writes the name without compression into `out` at `to`, folded or as it stands, and returns its length in bytes
 * (terminating 0 included, at most 255). The name must have passed `skipName`.
 */
export function copyName(
  bytes: Uint8Array,
  at: number,
  start: number,
  out: Uint8Array,
  to: number,
  fold: boolean,
): number {
  const from = to;
  for (;;) {
    const n = bytes[at];
    if (n >= 0xc0) {
      at = start + (((n & 0x3f) << 8) | bytes[at + 1]);
      continue;
    }
    out[to++] = n;
    if (n === 0) return to - from;
    const stop = at + n;
    if (fold) while (at < stop) out[to++] = LOWER[bytes[++at]];
    else while (at < stop) out[to++] = bytes[++at];
    at++;
  }
}

/** True when two sound names are equal regardless of ASCII case (RFC 4343). */
export function equalNames(
  a: Uint8Array,
  at: number,
  start: number,
  b: Uint8Array,
  bat: number,
  bstart: number,
): boolean {
  for (;;) {
    let n = a[at];
    while (n >= 0xc0) {
      at = start + (((n & 0x3f) << 8) | a[at + 1]);
      n = a[at];
    }
    let m = b[bat];
    while (m >= 0xc0) {
      bat = bstart + (((m & 0x3f) << 8) | b[bat + 1]);
      m = b[bat];
    }
    if (n !== m) return false;
    if (n === 0) return true;
    for (let i = 1; i <= n; i++) if (LOWER[a[at + i]] !== LOWER[b[bat + i]]) return false;
    at += n + 1;
    bat += n + 1;
  }
}

// Escaped form of every octet of a label (RFC 1035 §5.1, RFC 4343 §2.1).
const TEXT: string[] = Array.from({ length: 256 }, (_, c) => {
  if (c === 0x2e || c === 0x5c) return `\\${String.fromCharCode(c)}`;
  if (c > 0x20 && c < 0x7f) return String.fromCharCode(c);
  return `\\${String(c).padStart(3, '0')}`;
});

const PLAIN = Uint8Array.from(TEXT, (text) => (text.length === 1 ? 1 : 0));
const plain = new Uint8Array(256);
const plainText = asciiReader(plain);

/** The name as text: labels joined by dots, `.` and `\` escaped, other octets `\DDD`, no trailing dot; root is `.`. */
export function nameText(bytes: Uint8Array, at: number, start: number): string {
  const from = at;
  let length = 0;
  for (;;) {
    const n = bytes[at];
    if (n === 0) return length === 0 ? '.' : plainText(length);
    if (n >= 0xc0) {
      at = start + (((n & 0x3f) << 8) | bytes[at + 1]);
      continue;
    }
    if (length > 0) plain[length++] = 0x2e;
    const stop = at + n;
    while (at < stop) {
      const c = bytes[++at];
      if (PLAIN[c] === 0) return escapedText(bytes, from, start);
      plain[length++] = c;
    }
    at++;
  }
}

function escapedText(bytes: Uint8Array, at: number, start: number): string {
  let text = '';
  for (;;) {
    const n = bytes[at];
    if (n === 0) return text === '' ? '.' : text;
    if (n >= 0xc0) {
      at = start + (((n & 0x3f) << 8) | bytes[at + 1]);
      continue;
    }
    if (text !== '') text += '.';
    const stop = at + n;
    while (at < stop) text += TEXT[bytes[++at]];
    at++;
  }
}
