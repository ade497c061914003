import { ipv4Text, ipv6Text, word } from '../core/address.ts';
import { UserError } from '../core/errors.ts';
import type { NumberNames } from './iana.ts';
import { OCTET_TEXT, type RdataReader } from './rdata.ts';
import { readEscape, type Writer } from './writer.ts';

/** What a value looks like: uint number; name, ipv4, ipv6, string, text string; strings, types string[]; bytes Uint8Array. */
export type FieldKind =
  | 'uint'
  | 'name'
  | 'ipv4'
  | 'ipv6'
  | 'string'
  | 'strings'
  | 'bytes'
  | 'time'
  | 'types'
  | 'params'
  | 'text';

export type RdataValue =
  | number
  | bigint
  | string
  | Uint8Array
  | readonly RdataValue[]
  | { readonly [key: string]: RdataValue };

/** The fields already read (or all of them, on writing): some fields depend on one before them. */
export type Siblings = Readonly<Record<string, RdataValue>>;

/** How one kind of field is read, written, shown and parsed. `dots`: names end in a dot, as in zone files and dig. */
export interface Codec<T> {
  read(reader: RdataReader, siblings: Siblings): T;
  write(writer: Writer, value: T, siblings: Siblings): void;
  show(value: T, dots: boolean, siblings: Siblings): string;
  parse(words: Words, siblings: Siblings): T;
}

/** What more is known of a field of numbers. */
export interface Numbers {
  readonly bits?: number;
  readonly names?: NumberNames;
}

/** A codec with its kind; `.as()` gives it the name it is filtered by. */
export class Field<T> implements Codec<T> {
  readonly kind: FieldKind;
  readonly wireshark: string | undefined;
  readonly summary: string;
  /** Width of a number, and names of its values. */
  readonly bits: number | undefined;
  readonly names: NumberNames | undefined;
  readonly read: Codec<T>['read'];
  readonly write: Codec<T>['write'];
  readonly show: Codec<T>['show'];
  readonly parse: Codec<T>['parse'];
  readonly #codec: Codec<T> & Numbers;

  constructor(kind: FieldKind, codec: Codec<T> & Numbers, wireshark?: string, summary = '') {
    this.kind = kind;
    this.bits = codec.bits;
    this.names = codec.names;
    this.#codec = codec;
    this.read = codec.read;
    this.write = codec.write;
    this.show = codec.show;
    this.parse = codec.parse;
    this.wireshark = wireshark;
    this.summary = summary;
  }

  /** The same field with its Wireshark name (`dns.srv.priority`; '' where Wireshark has none) and a line of meaning. */
  as(wireshark: string, summary = ''): Field<T> {
    return new Field(this.kind, this.#codec, wireshark === '' ? undefined : wireshark, summary);
  }
}

// A quoted text, `key="a quoted text"`, or a word; a quote anywhere else is an octet of a name like any other.
const WORD = /"((?:[^"\\]|\\.)*)"(?=[\s"]|$)|[a-z0-9-]+="(?:[^"\\]|\\.)*"(?=\s|$)|(?:[^\s\\]|\\.)+/gis;

/** The words of a presentation text: bare or `"quoted"`, escapes kept as they are. */
export class Words {
  readonly #words: string[] = [];
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    for (const match of text.matchAll(WORD)) this.#words.push(match[1] ?? match[0]);
  }

  get more(): boolean {
    return this.#at < this.#words.length;
  }

  /** Next word without its quotes. */
  next(what: string): string {
    if (!this.more) throw new UserError(`'${this.#text}' ends where ${what} should follow.`);
    return this.#words[this.#at++];
  }

  /** All words left, joined by `glue`. */
  rest(glue: string): string {
    let text = '';
    while (this.more) text += (text === '' ? '' : glue) + this.next('more');
    return text;
  }

  wrong(what: string, word: string): UserError {
    return new UserError(`'${word}' in '${this.#text}' is not ${what}.`);
  }
}

function uint(bits: 8 | 16 | 32 | 48): Field<number> {
  const max = 2 ** bits - 1;
  const what = `a number from 0 to ${max}`;
  const read = [
    (r: RdataReader) => r.u8(),
    (r: RdataReader) => r.u16(),
    (r: RdataReader) => r.u32(),
    (r: RdataReader) => r.u48(),
  ];
  return new Field('uint', {
    bits,
    read: read[[8, 16, 32, 48].indexOf(bits)],
    write: (w, value) => {
      if (!Number.isInteger(value) || value < 0 || value > max) throw new UserError(`${value} is not ${what}.`);
      if (bits === 8) w.u8(value);
      else if (bits === 16) w.u16(value);
      else if (bits === 32) w.u32(value);
      else {
        w.u16(Math.floor(value / 0x1_0000_0000));
        w.u32(value % 0x1_0000_0000);
      }
    },
    show: String,
    parse: (words) => {
      const text = words.next('a number');
      if (!/^[0-9]{1,15}$/.test(text) || Number(text) > max) throw words.wrong(what, text);
      return Number(text);
    },
  });
}
export const u8 = uint(8);
export const u16 = uint(16);
export const u32 = uint(32);
export const u48 = uint(48);

function nameField(readable: boolean, written: boolean): Field<string> {
  return new Field('name', {
    read: (r) => r.name(readable),
    write: (w, value) => w.name(value, written),
    show: showName,
    parse: (words) => undotted(words.next('a name')),
  });
}
/** A name of RFC 1035's types: compressed when written. */
export const name = nameField(true, true);
/** A name that may come compressed but is written in full (RP AFSDB RT SIG PX NXT NAPTR SRV, RFC 3597 §4). */
export const fullName = nameField(true, false);
/** A name that must not be compressed: a pointer in it is read and flagged. */
export const plainName = nameField(false, false);

/** A name as text, with the trailing dot and the escapes of zone files where wanted. */
export function showName(text: string, dots: boolean): string {
  if (!dots) return text;
  return text === '.' ? text : `${text.replace(/["$();@]/g, '\\$&')}.`;
}

/** The stored form of a name written in a text: no trailing dot. */
export function undotted(text: string): string {
  if (text === '.' || !text.endsWith('.')) return text;
  const slashes = /\\*$/.exec(text.slice(0, -1)) as RegExpExecArray;
  return slashes[0].length % 2 === 1 ? text : text.slice(0, -1);
}

export const ipv4: Field<string> = new Field('ipv4', {
  read: (r) => ipv4Text(r.u32()),
  write: (w, value) => w.put(parseIpv4(value)),
  show: (value) => value,
  parse: (words) => words.next('an IPv4 address'),
});

export const ipv6: Field<string> = new Field('ipv6', {
  read: (r) => {
    const at = r.at;
    if (r.left < 16) {
      r.fail();
      return '::';
    }
    r.at = at + 16;
    return ipv6Text(word(r.bytes, at), word(r.bytes, at + 4), word(r.bytes, at + 8), word(r.bytes, at + 12));
  },
  write: (w, value) => w.put(parseIpv6(value)),
  show: (value) => value,
  parse: (words) => words.next('an IPv6 address'),
});

/** The four bytes of a dotted address. */
export function parseIpv4(text: string): Uint8Array {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) throw new UserError(`'${text}' is not an IPv4 address.`);
  return Uint8Array.from(parts);
}

/** The sixteen bytes of an IPv6 address (RFC 4291 §2.2). */
export function parseIpv6(text: string): Uint8Array {
  const wrong = () => new UserError(`'${text}' is not an IPv6 address.`);
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let plain = text;
  if (dotted !== null) {
    const [a, b, c, d] = parseIpv4(dotted[2]);
    plain = `${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const halves = plain.split('::');
  if (halves.length > 2) throw wrong();
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const given = groups.reduce((sum, half) => sum + half.length, 0);
  if (halves.length === 1 ? given !== 8 : given > 7) throw wrong();
  const zeros: string[] = new Array(8 - given).fill('0');
  const all = [...groups[0], ...zeros, ...(groups[1] ?? [])];
  if (all.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) throw wrong();
  return Uint8Array.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]));
}

/** Bytes of an escaped text; characters beyond ASCII become UTF-8. */
export function parseOctets(text: string): Uint8Array {
  const source = new TextEncoder().encode(text);
  const bytes = new Uint8Array(source.length);
  let to = 0;
  for (let i = 0; i < source.length; i++) {
    let c = source[i];
    if (c === 0x5c) {
      const escaped = readEscape(source, i);
      if (escaped < 0)
        throw new UserError(`'${text}' has a wrong escape. Write \\\\ for a backslash, \\DDD for an octet.`);
      c = escaped & 0xff;
      i += escaped >> 8;
    }
    bytes[to++] = c;
  }
  return bytes.subarray(0, to);
}

/** An escaped text in quotes. */
export function quoted(text: string): string {
  return `"${text.replaceAll('"', '\\"')}"`;
}

/** A word of a text in its stored form: `\"` and other needless escapes undone. */
export function octetText(escaped: string): string {
  let text = '';
  for (const c of parseOctets(escaped)) text += OCTET_TEXT[c];
  return text;
}

function writeString(w: Writer, value: string): void {
  const bytes = parseOctets(value);
  if (bytes.length > 255)
    throw new UserError(`A character-string of ${bytes.length} bytes: 255 is the most DNS allows.`);
  w.u8(bytes.length);
  w.put(bytes);
}

/** One character-string: a length octet and up to 255 octets, as escaped text. */
export const characterString: Field<string> = new Field('string', {
  read: (r) => r.text(r.u8()),
  write: writeString,
  show: quoted,
  parse: (words) => octetText(words.next('a text')),
});

/** Character-strings to the end, at least one (RFC 1035 §3.3.14); boundaries are kept. */
export const characterStrings: Field<readonly string[]> = new Field('strings', {
  read: (r) => {
    const list: string[] = [];
    do list.push(r.text(r.u8()));
    while (r.left > 0);
    return list;
  },
  write: (w, value) => {
    for (const text of value) writeString(w, text);
  },
  show: (value) => value.map(quoted).join(' '),
  parse: (words) => {
    const list: string[] = [];
    do list.push(octetText(words.next('a text')));
    while (words.more);
    return list;
  },
});

/** All octets left, as escaped text without a length (URI, CAA). */
export const restText: Field<string> = new Field('text', {
  read: (r) => r.text(r.left),
  write: (w, value) => w.put(parseOctets(value)),
  show: quoted,
  parse: (words) => octetText(words.next('a text')),
});

/** A character-string shown without quotes where it can be (CAA's tag). */
export const bareString: Field<string> = new Field('string', {
  read: (r) => r.text(r.u8()),
  write: writeString,
  show: (value) => (/^[0-9A-Za-z-]+$/.test(value) ? value : quoted(value)),
  parse: (words) => octetText(words.next('a text')),
});

/** Values of one kind to the end, possibly none; shown one behind another. */
export function listOf<T extends RdataValue>(kind: FieldKind, item: Codec<T> & Numbers): Field<readonly T[]> {
  return new Field(kind, {
    bits: item.bits,
    names: item.names,
    read: (r, siblings) => {
      const list: T[] = [];
      while (r.left > 0) list.push(item.read(r, siblings));
      return list;
    },
    write: (w, value, siblings) => {
      for (const one of value) item.write(w, one, siblings);
    },
    show: (value, dots, siblings) => value.map((one) => item.show(one, dots, siblings)).join(' '),
    parse: (words, siblings) => {
      const list: T[] = [];
      while (words.more) list.push(item.parse(words, siblings));
      return list;
    },
  });
}
