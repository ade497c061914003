import { UserError } from '../core/errors.ts';
import { type Codec, Field } from './field.ts';
import type { RdataReader } from './rdata.ts';
import type { Writer } from './writer.ts';

/** One way of writing octets as text. */
interface Alphabet {
  readonly name: string;
  show(bytes: Uint8Array): string;
  parse(text: string): Uint8Array | undefined;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, c) => c.toString(16).toUpperCase().padStart(2, '0'));

/** Octets as upper-case hexadecimal digits. */
export function showHex(bytes: Uint8Array): string {
  let text = '';
  for (const c of bytes) text += HEX[c];
  return text;
}

/** Octets of hexadecimal digits; undefined when the text is something else. */
export function parseHex(text: string): Uint8Array | undefined {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

// Node 24 has no Uint8Array.toBase64, browsers have no Buffer: btoa is in both.
export function showBase64(bytes: Uint8Array): string {
  let octets = '';
  for (const c of bytes) octets += String.fromCharCode(c);
  return btoa(octets);
}

export function parseBase64(text: string): Uint8Array | undefined {
  if (!/^[0-9a-z+/]*={0,2}$/i.test(text) || text.length % 4 !== 0) return undefined;
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

const hexText: Alphabet = { name: 'hexadecimal', show: showHex, parse: parseHex };
const base64Text: Alphabet = { name: 'base64', show: showBase64, parse: parseBase64 };

const BASE32HEX = '0123456789ABCDEFGHIJKLMNOPQRSTUV';
/** Base 32 with the extended hex alphabet, no padding (RFC 4648 §7), as NSEC3 uses it. */
const base32Text: Alphabet = {
  name: 'base32hex',
  show: (bytes) => {
    let text = '';
    let bits = 0;
    let held = 0;
    for (const byte of bytes) {
      held = ((held << 8) | byte) & 0xffff;
      bits += 8;
      while (bits >= 5) {
        bits -= 5;
        text += BASE32HEX[(held >> bits) & 31];
      }
    }
    return bits > 0 ? text + BASE32HEX[(held << (5 - bits)) & 31] : text;
  },
  parse: (text) => {
    const bytes = new Uint8Array((text.length * 5) >> 3);
    let to = 0;
    let bits = 0;
    let held = 0;
    for (const c of text.toUpperCase()) {
      const digit = BASE32HEX.indexOf(c);
      if (digit < 0) return undefined;
      held = ((held << 5) | digit) & 0xffff;
      bits += 5;
      if (bits >= 8) {
        bits -= 8;
        bytes[to++] = held >> bits;
      }
    }
    return bytes;
  },
};

function octets(alphabet: Alphabet, text: string): Uint8Array {
  const bytes = alphabet.parse(text);
  if (bytes === undefined) throw new UserError(`'${text}' is not ${alphabet.name}.`);
  return bytes;
}

/** All octets left. Empty ones show as nothing and are read from nothing. */
function rest(alphabet: Alphabet, atLeast = 0): Field<Uint8Array> {
  return new Field('bytes', {
    read: (r) => {
      if (r.left < atLeast) r.fail();
      return r.take();
    },
    write: (w, value) => w.put(value),
    show: (value) => alphabet.show(value),
    parse: (words) => octets(alphabet, words.rest('')),
  });
}
/** All octets left in hexadecimal / base64. `…Some`: an empty one is malformed. */
export const restHex = rest(hexText);
export const restHexSome = rest(hexText, 1);
export const restBase64 = rest(base64Text);
export const restBase64Some = rest(base64Text, 1);

/** All octets left in the form of unknown types: `\# 3 616263` (RFC 3597 §5). */
export const opaque: Field<Uint8Array> = new Field('bytes', {
  read: (r) => r.take(),
  write: (w, value) => w.put(value),
  show: showOpaque,
  parse: (words) => {
    const mark = words.next('\\#');
    if (mark !== '\\#') throw words.wrong('the sign \\# of opaque data', mark);
    const length = words.next('a length');
    const bytes = octets(hexText, words.rest(''));
    if (String(bytes.length) !== length) throw words.wrong(`the length, which is ${bytes.length}`, length);
    return bytes;
  },
});

/** Opaque data as text: `\# 3 616263` (RFC 3597 §5). */
export function showOpaque(bytes: Uint8Array): string {
  return bytes.length === 0 ? '\\# 0' : `\\# ${bytes.length} ${showHex(bytes)}`;
}

/** Octets with their length in front, one octet or two; shown as one word, `-` when empty. */
function counted(alphabet: Alphabet, bits: 8 | 16): Codec<Uint8Array> {
  return {
    read: (r) => r.take(bits === 8 ? r.u8() : r.u16()),
    write: (w, value) => writeCounted(w, value, bits),
    show: (value) => (value.length === 0 ? '-' : alphabet.show(value)),
    parse: (words) => {
      const text = words.next('octets');
      return text === '-' ? new Uint8Array(0) : octets(alphabet, text);
    },
  };
}
export const hex8 = new Field('bytes', counted(hexText, 8));
export const base32hex8 = new Field('bytes', counted(base32Text, 8));

/** Octets behind a 16-bit length, shown as the length and, unless it is 0, base64 (TSIG, TKEY). */
export const base64Counted16: Field<Uint8Array> = new Field('bytes', {
  read: (r) => r.take(r.u16()),
  write: (w, value) => writeCounted(w, value, 16),
  show: (value) => (value.length === 0 ? '0' : `${value.length} ${base64Text.show(value)}`),
  parse: (words) => {
    const length = words.next('a length');
    return length === '0' ? new Uint8Array(0) : octets(base64Text, words.next('octets'));
  },
});

function writeCounted(w: Writer, value: Uint8Array, bits: 8 | 16): void {
  const max = 2 ** bits - 1;
  if (value.length > max) throw new UserError(`${value.length} octets where at most ${max} fit.`);
  if (bits === 8) w.u8(value.length);
  else w.u16(value.length);
  w.put(value);
}

/** `count` octets in groups joined by a sign: EUI48 `00-00-5e-00-53-2a`, NID `14:4fff:ff20:ee64`. */
export function groups(count: number, size: 1 | 2, sign: string): Field<string> {
  const digits = 2 * size;
  const form = new RegExp(`^[0-9a-f]{1,${digits}}(?:${sign}[0-9a-f]{1,${digits}}){${count / size - 1}}$`, 'i');
  return new Field('string', {
    read: (r: RdataReader) => {
      const list: string[] = [];
      for (let i = 0; i < count; i += size)
        list.push((size === 1 ? r.u8() : r.u16()).toString(16).padStart(digits, '0'));
      return list.join(sign);
    },
    write: (w, value) => {
      if (!form.test(value))
        throw new UserError(`'${value}' is not ${count} octets as in '${'0'.repeat(digits)}${sign}…'.`);
      for (const group of value.split(sign)) {
        if (size === 1) w.u8(Number.parseInt(group, 16));
        else w.u16(Number.parseInt(group, 16));
      }
    },
    show: (value) => value,
    parse: (words) => words.next('an address'),
  });
}
