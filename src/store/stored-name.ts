import { FOLD } from '../wire/name.ts';

/** Longest text of a name: every octet as `\DDD`. */
export const NAME_TEXT = 1024;
const WIRE = 256;

// Escaped text of every octet, folded (RFC 1035 §5.1): its length, and four octets each.
const TEXT = new Uint8Array(256 * 4);
const LENGTH = new Uint8Array(256);
for (let c = 0; c < 256; c++) {
  const folded = FOLD[c];
  const text =
    c === 0x2e || c === 0x5c
      ? `\\${String.fromCharCode(c)}`
      : c > 0x20 && c < 0x7f
        ? String.fromCharCode(folded)
        : `\\${String(c).padStart(3, '0')}`;
  LENGTH[c] = text.length;
  for (let i = 0; i < text.length; i++) TEXT[c * 4 + i] = text.charCodeAt(i);
}

/**
 * A name as the store keeps it: folded text, and which of its octets were upper case. Filled again and again.
 * Names in messages have passed `skipName`.
 */
export class StoredName {
  /** Wire form as it came, uncompressed; 0 octets = no name. */
  readonly wire = new Uint8Array(WIRE);
  wireLength = 0;
  readonly text = new Uint8Array(NAME_TEXT);
  textLength = 0;
  /** A bit for every octet of the wire form, lowest first; no octets when nothing is upper case. */
  readonly upper = new Uint8Array(WIRE / 8);
  upperLength = 0;

  clear(): void {
    this.wireLength = this.textLength = this.upperLength = 0;
  }

  /** Takes the name at an offset of a message. */
  read(bytes: Uint8Array, at: number, start: number): void {
    const { wire, text, upper } = this;
    let w = 0;
    let t = 0;
    let last = -1;
    for (;;) {
      const n = bytes[at];
      if (n >= 0xc0) {
        at = start + (((n & 0x3f) << 8) | bytes[at + 1]);
        continue;
      }
      wire[w++] = n;
      if (n === 0) break;
      if (t > 0) text[t++] = 0x2e;
      for (const stop = at + n; at < stop; w++) {
        const c = bytes[++at];
        wire[w] = c;
        if (c >= 0x41 && c <= 0x5a) {
          for (; last < w >>> 3; ) upper[++last] = 0;
          upper[w >>> 3] |= 1 << (w & 7);
        }
        const length = LENGTH[c];
        if (length === 1) text[t++] = TEXT[c * 4];
        else for (let i = 0; i < length; i++) text[t++] = TEXT[c * 4 + i];
      }
      at++;
    }
    if (t === 0) text[t++] = 0x2e;
    this.wireLength = w;
    this.textLength = t;
    this.upperLength = last + 1;
  }

  /** Takes what the store kept: `wire` is again what it was. */
  restore(text: Uint8Array, upper: Uint8Array): void {
    const { wire } = this;
    this.text.set(text);
    this.textLength = text.length;
    this.upper.set(upper);
    this.upperLength = upper.length;
    this.wireLength = 0;
    if (text.length === 0) return;
    let label = 0;
    let w = 1;
    const isRoot = text.length === 1 && text[0] === 0x2e;
    for (let i = 0; i < text.length && !isRoot; i++) {
      let c = text[i];
      if (c === 0x2e) {
        wire[label] = w - label - 1;
        label = w++;
        continue;
      }
      if (c === 0x5c) {
        c = text[++i];
        if (c >= 0x30 && c <= 0x39) c = (c - 0x30) * 100 + (text[++i] - 0x30) * 10 + (text[++i] - 0x30);
      }
      const isUpper = w >>> 3 < upper.length && (upper[w >>> 3] & (1 << (w & 7))) !== 0;
      wire[w++] = isUpper ? c - 32 : c;
    }
    wire[label] = w - label - 1;
    if (isRoot) this.wireLength = 1;
    else {
      wire[w++] = 0;
      this.wireLength = w;
    }
  }

  /** Characters at the end of the text that belong to the wire form from offset `at` on. */
  textFrom(at: number): number {
    let length = 0;
    for (let w = at; this.wire[w] !== 0; ) {
      const end = w + this.wire[w];
      if (length > 0) length++;
      while (w < end) length += LENGTH[this.wire[++w]];
      w++;
    }
    return length;
  }
}

const starts = new Uint8Array(128);

/** Writes the text of a folded, uncompressed name into `out`; its length. */
export function wireText(wire: Uint8Array, at: number, out: Uint8Array): number {
  let t = 0;
  for (let n = wire[at]; n !== 0; n = wire[at]) {
    if (t > 0) out[t++] = 0x2e;
    t = labelText(wire, at, out, t);
    at += n + 1;
  }
  if (t === 0) out[t++] = 0x2e;
  return t;
}

/** The same with the labels in reverse order, a dot behind each; the root has none. */
export function reversedText(wire: Uint8Array, at: number, out: Uint8Array): number {
  let labels = 0;
  for (let w = at; wire[w] !== 0; w += wire[w] + 1) starts[labels++] = w - at;
  let t = 0;
  while (labels > 0) {
    t = labelText(wire, at + starts[--labels], out, t);
    out[t++] = 0x2e;
  }
  return t;
}

function labelText(wire: Uint8Array, at: number, out: Uint8Array, t: number): number {
  const stop = at + wire[at];
  while (at < stop) {
    const c = wire[++at];
    const length = LENGTH[c];
    if (length === 1) out[t++] = TEXT[c * 4];
    else for (let i = 0; i < length; i++) out[t++] = TEXT[c * 4 + i];
  }
  return t;
}
