import { ipv4Text } from '../core/address.ts';
import { UserError } from '../core/errors.ts';
import { parseBase64, showBase64 } from './bytes-field.ts';
import { Field, ipv6, octetText, parseIpv4, parseIpv6, parseOctets, quoted } from './field.ts';
import { SVC_PARAMS } from './iana.ts';
import { OCTET_TEXT, type RdataReader } from './rdata.ts';
import { Writer } from './writer.ts';

/** One service parameter: its key's name and its value in presentation form, without quotes ('' where it has none). */
export interface SvcParam {
  readonly [part: string]: string;
  readonly key: string;
  readonly value: string;
}

/** How the value of one key is read from `r` (which ends with it) and written. */
interface ParamForm {
  read(r: RdataReader): string;
  write(w: Writer, text: string): void;
}

/** Numbers of 16 bits, joined by commas; `name` and `number` give their text. */
function list16(name: (number: number) => string, number: (text: string) => number): ParamForm {
  return {
    read: (r) => {
      const list: string[] = [];
      do list.push(name(r.u16()));
      while (r.left > 0);
      return list.join(',');
    },
    write: (w, text) => {
      for (const part of text.split(',')) {
        const value = number(part);
        if (!(value >= 0 && value <= 0xffff)) throw new UserError(`'${part}' in '${text}' is no 16-bit number or key.`);
        w.u16(value);
      }
    },
  };
}

function addresses(read: (r: RdataReader) => string, parse: (text: string) => Uint8Array): ParamForm {
  return {
    read: (r) => {
      const list: string[] = [];
      do list.push(read(r));
      while (r.left > 0);
      return list.join(',');
    },
    write: (w, text) => {
      for (const part of text.split(',')) w.put(parse(part));
    },
  };
}

const octets: ParamForm = { read: (r) => r.text(r.left), write: (w, text) => w.put(parseOctets(text)) };
const nothing: ParamForm = {
  read: () => '',
  write: (_, text) => {
    if (text !== '') throw new UserError(`'${text}' is given to a service parameter that takes no value.`);
  },
};
const decimal = (text: string): number => (/^[0-9]{1,5}$/.test(text) ? Number(text) : -1);

/** Protocol ids (RFC 9460 §7.1.1): within the list `,` and `\` are escaped, and once more as octets of a text. */
const alpn: ParamForm = {
  read: (r) => {
    let text = '';
    do {
      if (text !== '') text += ',';
      const length = r.u8();
      if (length === 0 || length > r.left) r.fail();
      for (let i = 0; i < length && r.left > 0; i++) {
        const c = r.u8();
        text += c === 0x2c ? '\\\\,' : c === 0x5c ? '\\\\\\\\' : OCTET_TEXT[c];
      }
    } while (r.left > 0);
    return text;
  },
  write: (w, text) => {
    let id: number[] = [];
    const close = () => {
      if (id.length === 0 || id.length > 255)
        throw new UserError(`'${text}' is no list of protocol ids such as h2,h3.`);
      w.u8(id.length);
      w.put(Uint8Array.from(id));
      id = [];
    };
    const source = parseOctets(text);
    for (let i = 0; i < source.length; i++) {
      if (source[i] === 0x2c) close();
      else id.push(source[i] === 0x5c && i + 1 < source.length ? source[++i] : source[i]);
    }
    close();
  },
};

const base64: ParamForm = {
  read: (r) => showBase64(r.take()),
  write: (w, text) => {
    const bytes = parseBase64(text);
    if (bytes === undefined) throw new UserError(`'${text}' is not base64.`);
    w.put(bytes);
  },
};

const FORMS: readonly ParamForm[] = [
  list16(SVC_PARAMS.name, SVC_PARAMS.number),
  alpn,
  nothing,
  {
    read: (r) => String(r.u16()),
    write: (w, text) => {
      const port = decimal(text);
      if (port < 0 || port > 0xffff) throw new UserError(`'${text}' is not a port.`);
      w.u16(port);
    },
  },
  addresses((r) => ipv4Text(r.u32()), parseIpv4),
  base64,
  addresses((r) => ipv6.read(r, {}), parseIpv6),
  octets,
  nothing,
  list16(String, decimal),
  octets,
];

/**
 * Reads service parameters to the end (RFC 9460 §2.2): keys strictly ascending, each value with its key's form. `each`
 * takes the key, the offset of its four octets of key and length in the reader's bytes, and the value.
 */
export function readSvcParams(r: RdataReader, each: (key: number, from: number, value: string) => void): void {
  const end = r.end;
  let last = -1;
  while (r.at < end && r.sound) {
    const from = r.at;
    const key = r.u16();
    const length = r.u16();
    if (key <= last || r.at + length > end) {
      r.fail();
      break;
    }
    last = key;
    // The value is read within its own bounds: what a key's form leaves over, or lacks, is malformed.
    r.end = r.at + length;
    const value = (FORMS[key] ?? octets).read(r);
    if (r.left > 0) r.fail();
    r.end = end;
    each(key, from, value);
  }
  if (!r.sound) r.at = end;
}

/** Service parameters to the end. */
export const svcParams: Field<readonly SvcParam[]> = new Field('params', {
  read: (r) => {
    const list: SvcParam[] = [];
    readSvcParams(r, (key, _from, value) => list.push({ key: SVC_PARAMS.name(key), value }));
    return list;
  },
  write: (w, value) => {
    const sorted = value
      .map((param) => ({ key: keyNumber(param.key), value: param.value }))
      .sort((a, b) => a.key - b.key);
    sorted.forEach((param, i) => {
      if (i > 0 && sorted[i - 1].key === param.key)
        throw new UserError(`Key ${SVC_PARAMS.name(param.key)} is given twice.`);
      w.u16(param.key);
      const from = w.openLength();
      (FORMS[param.key] ?? octets).write(w, param.value);
      w.patchLength(from);
    });
  },
  show: (value) => value.map(showParam).join(' '),
  parse: (words) => {
    const list: SvcParam[] = [];
    while (words.more) {
      const word = words.next('a parameter');
      const equals = word.indexOf('=');
      const key = SVC_PARAMS.name(keyNumber(equals < 0 ? word : word.slice(0, equals)));
      list.push({ key, value: equals < 0 ? '' : octetText(unquoted(word.slice(equals + 1))) });
    }
    return list;
  },
});

function showParam({ key, value }: SvcParam): string {
  if (value === '') return key;
  return /^[0-9A-Za-z.:+/=-]+(?:,[0-9A-Za-z.:+/=-]+)*$/.test(value) && key !== 'alpn'
    ? `${key}=${value}`
    : `${key}=${quoted(value)}`;
}

function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

function keyNumber(text: string): number {
  const key = SVC_PARAMS.number(text);
  if (key < 0) throw new UserError(`'${text}' is not a service parameter. Unknown ones are written key667.`);
  return key;
}
