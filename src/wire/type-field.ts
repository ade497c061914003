import { UserError } from '../core/errors.ts';
import { Field } from './field.ts';
import { ALGORITHMS, CERTIFICATE_TYPES, type NumberNames, TSIG_ERRORS, TYPES } from './iana.ts';
import type { RdataReader } from './rdata.ts';
import type { Writer } from './writer.ts';

/** A number shown by its name where it has one; both are parsed. `shown` false: the number is always shown. */
function named(bits: 8 | 16, names: NumberNames, what: string, shown = true): Field<number> {
  return new Field('uint', {
    bits,
    names,
    read: (r) => (bits === 8 ? r.u8() : r.u16()),
    write: (w, value) => (bits === 8 ? w.u8(value) : w.u16(value)),
    show: (value) => (shown ? names.name(value) : String(value)),
    parse: (words) => {
      const text = words.next(what);
      const number = names.number(text);
      if (number < 0) throw words.wrong(what, text);
      return number;
    },
  });
}
/** An RR type by mnemonic. */
export const typeCode = named(16, TYPES, 'an RR type');
/** A DNSSEC algorithm: shown as a number, as dig does; mnemonics are parsed. */
export const algorithm = named(8, ALGORITHMS, 'an algorithm', false);
export const certificateType = named(16, CERTIFICATE_TYPES, 'a certificate type');
export const tsigError = named(16, TSIG_ERRORS, 'an error code');

/** Seconds since 1970, 32 bits, shown as `YYYYMMDDHHmmSS` in UTC (RFC 4034 §3.2). */
export const timestamp: Field<number> = new Field('time', {
  read: (r) => r.u32(),
  write: (w, value) => w.u32(value),
  show: (value) => new Date(value * 1000).toISOString().slice(0, 19).replace(/[-T:]/g, ''),
  parse: (words) => {
    const text = words.next('a time');
    if (/^[0-9]{1,10}$/.test(text)) return Number(text) >>> 0;
    const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
    if (parts === null) throw words.wrong('a time such as 20261124120000', text);
    const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
    return (Date.UTC(year, month - 1, day, hour, minute, second) / 1000) >>> 0;
  },
});

/** RR types present, in windows of 256 (RFC 4034 §4.1.2): ascending windows of 1 to 32 octets, possibly none. */
export const typeBitmap: Field<readonly string[]> = new Field('types', {
  read: readTypes,
  write: writeTypes,
  show: (value) => value.join(' '),
  parse: (words) => {
    const list: string[] = [];
    while (words.more) list.push(TYPES.name(typeNumberOf(words.next('an RR type'))));
    return list;
  },
});

function readTypes(r: RdataReader): readonly string[] {
  const list: string[] = [];
  let last = -1;
  while (r.left > 0) {
    const at = r.at;
    const window = r.u8();
    const length = r.u8();
    if (window <= last || length < 1 || length > 32 || length > r.left) {
      r.fail(undefined, at);
      return list;
    }
    last = window;
    for (let i = 0; i < length; i++) readBits(r.u8(), (window << 8) | (i << 3), list);
  }
  return list;
}

/** Adds the names of the types whose bit is set in one octet, highest bit first. */
export function readBits(octet: number, firstType: number, list: string[]): void {
  for (let bit = 0; bit < 8; bit++) if ((octet & (0x80 >> bit)) !== 0) list.push(TYPES.name(firstType + bit));
}

function writeTypes(w: Writer, value: readonly string[]): void {
  const windows = new Map<number, Uint8Array>();
  for (const name of value) {
    const type = typeNumberOf(name);
    let bits = windows.get(type >> 8);
    if (bits === undefined) windows.set(type >> 8, (bits = new Uint8Array(32)));
    bits[(type & 255) >> 3] |= 0x80 >> (type & 7);
  }
  for (const [window, bits] of [...windows].sort((a, b) => a[0] - b[0])) {
    const length = bits.findLastIndex((octet) => octet !== 0) + 1;
    w.u8(window);
    w.u8(length);
    w.put(bits.subarray(0, length));
  }
}

export function typeNumberOf(text: string): number {
  const number = TYPES.number(text);
  if (number < 0) throw new UserError(`'${text}' is not an RR type. Types without a name are written TYPE65280.`);
  return number;
}
