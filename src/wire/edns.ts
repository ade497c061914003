import { UserError } from '../core/errors.ts';
import { opaque, parseHex, restHex, restHexSome, showHex, showOpaque } from './bytes-field.ts';
import { clientSubnet } from './client-subnet.ts';
import {
  Field,
  listOf,
  octetText,
  parseOctets,
  plainName,
  quoted,
  type RdataValue,
  restText,
  u16,
  u32,
  u8,
  Words,
} from './field.ts';
import { OPTIONS } from './iana.ts';
import type { MessageView } from './message.ts';
import { RdataReader } from './rdata.ts';
import { type Own, type Structure, structure } from './structure.ts';
import { algorithm, typeCode } from './type-field.ts';
import { Writer } from './writer.ts';

/** The flags of OPT's TTL (RFC 6891 §6.1.4, RFC 9824 §5.1, draft-ietf-deleg). */
export const EDNS_DO = 0x8000;
export const EDNS_CO = 0x4000;
export const EDNS_DE = 0x2000;

/** An EDNS option: its octets' form under a code. */
export interface OptionType<V = Record<string, RdataValue>> extends Structure<V> {
  readonly code: number;
  readonly name: string;
  readonly reference: string;
  readonly summary: string;
}

function option<V extends object>(
  code: number,
  reference: string,
  summary: string,
  fields: { readonly [K in keyof V]: Field<V[K]> },
  own: Own<V> = {},
): OptionType<V> {
  const name = OPTIONS.name(code);
  return { ...structure(name, fields, own), code, name, reference, summary };
}

/** A field that is there or not: an array of none or one. */
function maybe<T extends RdataValue>(field: Field<T>): Field<readonly T[]> {
  return new Field(field.kind, {
    bits: field.bits,
    names: field.names,
    read: (r, siblings) => (r.left > 0 ? [field.read(r, siblings)] : []),
    write: (w, value, siblings) => {
      for (const one of value.slice(0, 1)) field.write(w, one, siblings);
    },
    show: (value, dots, siblings) => value.map((one) => field.show(one, dots, siblings)).join(' '),
    parse: (words, siblings) => (words.more ? [field.parse(words, siblings)] : []),
  });
}

const algorithms = listOf('uint', algorithm);
const types = listOf('uint', typeCode);

/** Octets of which there are exactly `from`, or between `from` and `to`, or none where `optional`; hexadecimal. */
function hexOf(from: number, to: number, optional: boolean): Field<Uint8Array> {
  return new Field('bytes', {
    read: (r) => {
      const count = Math.min(r.left, to);
      if (count < from && !(optional && count === 0)) r.fail();
      return r.take(Math.min(count, r.left));
    },
    write: (w, value) => w.put(value),
    show: showHex,
    parse: (words) => {
      // One word: other fields follow.
      const word = words.next('octets in hexadecimal');
      const octets = parseHex(word);
      if (octets === undefined || octets.length < from || octets.length > to) {
        throw words.wrong(`${from === to ? from : `${from} to ${to}`} octets in hexadecimal`, word);
      }
      return octets;
    },
  });
}

/** Padding: `0*468` when all octets are zero, else hexadecimal (RFC 7830 §3). */
const padding = new Field<Uint8Array>('bytes', {
  read: (r) => r.take(),
  write: (w, value) => w.put(value),
  show: (value) => (value.every((octet) => octet === 0) ? `0*${value.length}` : showHex(value)),
  parse: (words) => {
    const text = words.rest('');
    const zeros = /^0\*([0-9]{1,5})$/.exec(text);
    return zeros === null ? (parseHex(text) ?? new Uint8Array(0)) : new Uint8Array(Number(zeros[1]));
  },
});

/** Text to the end, shown in quotes unless empty. */
const extraText = new Field<string>('text', {
  read: restText.read,
  write: restText.write,
  show: (value) => (value === '' ? '' : quoted(value)),
  parse: (words) => (words.more ? octetText(words.next('a text')) : ''),
});

/** Extended DNS errors (RFC 8914). */
export const EDE = option(15, 'RFC 8914', 'Why the answer is what it is.', {
  infoCode: u16.as('dns.opt.ext_error.info_code', 'Code of the error'),
  extraText: extraText.as('dns.opt.ext_error.extra_text', 'Text for humans'),
});

/** Client subnet (RFC 7871). */
export const ECS: OptionType<{ family: number; source: number; scope: number; address: string }> = {
  ...clientSubnet,
  code: 8,
  name: OPTIONS.name(8),
  reference: 'RFC 7871',
  summary: 'Network of the client the question is asked for.',
};

/** Every option nametap knows, by code. */
export const OPTION_TYPES: readonly OptionType[] = [
  option(1, 'RFC 8764', 'Long-lived query.', {
    version: u16.as('', 'Version, 1'),
    opcode: u16.as('', '1 set up, 2 refresh, 3 event'),
    error: u16.as('', 'Error code'),
    id: hexOf(8, 8, false).as('', 'Query id'),
    lease: u32.as('', 'Seconds'),
  }),
  option(2, 'RFC 9664', 'Lease of an update.', {
    lease: u32.as('', 'Seconds'),
    keyLease: maybe(u32).as('', 'Seconds for KEY records'),
  }),
  option(3, 'RFC 5001', 'Identity of the name server.', { nsid: restHex.as('dns.opt.data', 'Identity') }),
  option(5, 'RFC 6975', 'DNSSEC algorithms understood.', { algorithms: algorithms.as('dns.opt.dau', 'Algorithms') }),
  option(6, 'RFC 6975', 'DS digest types understood.', { digests: algorithms.as('dns.opt.dhu', 'Digest types') }),
  option(7, 'RFC 6975', 'NSEC3 hashes understood.', { hashes: algorithms.as('dns.opt.n3u', 'Hash algorithms') }),
  ECS,
  option(9, 'RFC 7314', 'Seconds until a zone expires.', { expire: maybe(u32).as('', 'Seconds') }),
  option(
    10,
    'RFC 7873',
    'Cookies against spoofing.',
    {
      client: hexOf(8, 8, false).as('dns.opt.cookie.client', 'Client cookie, 8 octets'),
      server: hexOf(8, 32, true).as('dns.opt.cookie.server', 'Server cookie, none or 8 to 32 octets'),
    },
    {
      show: (value) => showHex(value.client) + showHex(value.server),
      parse: (words) => {
        const both = restHex.parse(words, {});
        if (both.length < 8) throw new UserError('A client cookie is 8 octets, 16 hexadecimal digits.');
        return { client: both.subarray(0, 8), server: both.subarray(8) };
      },
    },
  ),
  option(11, 'RFC 7828', 'How long an idle TCP connection stays.', {
    timeout: maybe(u16).as('dns.opt.edns_tcp_keepalive.timeout', 'Tenths of a second'),
  }),
  option(12, 'RFC 7830', 'Padding that hides the message size.', { padding: padding.as('dns.opt.padding', 'Octets') }),
  option(13, 'RFC 7901', 'Closest trust point for a chain of answers.', {
    trustPoint: plainName.as('dns.opt.chain.fqdn', 'Name'),
  }),
  option(14, 'RFC 8145', 'Trust anchor keys the resolver has.', { keyTags: listOf('uint', u16).as('', 'Key tags') }),
  EDE,
  option(16, 'draft-bellis-dnsop-edns-tags', 'Tag of the client.', { tag: u16.as('', 'Tag') }),
  option(17, 'draft-bellis-dnsop-edns-tags', 'Tag of the server.', { tag: u16.as('', 'Tag') }),
  option(18, 'RFC 9567', 'Where resolvers report errors.', { agent: plainName.as('dns.opt.agent_domain', 'Agent') }),
  option(19, 'RFC 9660', 'Version of the zone.', {
    labels: maybe(u8).as('dns.opt.zoneversion.labelcount', 'Labels of the zone name; none in a query'),
    versionType: maybe(u8).as('dns.opt.zoneversion.type', '0 SOA serial'),
    version: restHex.as('dns.opt.zoneversion.version', 'Version'),
  }),
  option(20, 'draft-ietf-dnssd-multi-qtypes', 'Further types asked for.', { types: types.as('', 'RR types') }),
  option(21, 'draft-ietf-dnssd-multi-qtypes', 'Further types answered.', { types: types.as('', 'RR types') }),
  option(22, 'draft-ietf-dnsop-structured-dns-error', 'Language of the error text.', {
    language: extraText.as('', 'Tag'),
  }),
  option(23, 'draft-ietf-dnsop-structured-dns-error', 'Whom to ask about filtering.', {
    contact: extraText.as('', 'URI'),
  }),
  option(24, 'draft-ietf-dnsop-structured-dns-error', 'Who filters.', { organization: extraText.as('', 'Name') }),
  option(25, 'draft-ietf-dnsop-structured-dns-error', 'By which data base.', { database: extraText.as('', 'Name') }),
  option(20292, 'Cisco Umbrella', 'Who asks, as its forwarder knows.', {
    magic: hexOf(4, 4, false).as('', 'The letters ODNS'),
    version: u8.as('', 'Version'),
    flags: u8.as('', 'Flags'),
    identities: restHex.as('', 'Organization, address, device, each behind its kind'),
  }),
  option(26946, 'dnsmasq, CPE', 'Device behind the router.', { device: restHexSome.as('', 'Mostly a MAC address') }),
];

const byCode = new Map(OPTION_TYPES.map((type) => [type.code, type]));

/** The option type of a code; undefined when its octets are opaque. */
export function optionTypeOf(code: number): OptionType | undefined {
  return byCode.get(code);
}

/** Walks the options of an OPT record without allocating. One instance is used again and again. */
export class OptionCursor {
  code = 0;
  /** Offset of the option's octets in `view.bytes`, and how many they are. */
  at = 0;
  length = 0;
  /** Offset in `view.bytes` of an option that passes the end of OPT; −1 while all is sound. */
  malformedAt = -1;
  #next = 0;
  #end = 0;
  #bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);

  /** Goes before the first option of the message's OPT record (`view.opt`), if it has one. */
  open(view: MessageView): this {
    this.#bytes = view.bytes;
    this.malformedAt = -1;
    if (view.opt < 0) this.#next = this.#end = 0;
    else {
      this.#next = view.rdata[view.opt];
      this.#end = this.#next + view.rdlength[view.opt];
    }
    return this;
  }

  next(): boolean {
    const at = this.#next;
    if (at >= this.#end) return false;
    if (at + 4 > this.#end) return this.#malformed(at);
    const bytes = this.#bytes;
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    if (at + 4 + length > this.#end) return this.#malformed(at);
    this.code = (bytes[at] << 8) | bytes[at + 1];
    this.at = at + 4;
    this.length = length;
    this.#next = at + 4 + length;
    return true;
  }

  #malformed(at: number): false {
    this.malformedAt = at;
    this.#next = this.#end;
    return false;
  }
}

const reader = new RdataReader();

/** The value of an option's octets; undefined when they have not its form, or the code is unknown. */
export function optionValue(
  code: number,
  bytes: Uint8Array,
  at = 0,
  length: number = bytes.length,
): Record<string, RdataValue> | undefined {
  const type = byCode.get(code);
  if (type === undefined) return undefined;
  const value = type.decode(reader.bare(bytes, at, at + length));
  return reader.sound && reader.left === 0 ? value : undefined;
}

/** Text of an option's octets: its type's presentation, `\# n hex` where that fails or the code is unknown. */
export function optionText(code: number, bytes: Uint8Array, at = 0, length: number = bytes.length): string {
  const type = byCode.get(code);
  if (type !== undefined) {
    const value = type.decode(reader.bare(bytes, at, at + length));
    if (reader.sound && reader.left === 0) return type.show(value);
  }
  return showOpaque(bytes.subarray(at, at + length));
}

/** Octets of an option given as text, the reverse of `optionText`. Throws `UserError`. */
export function parseOption(code: number, text: string): Uint8Array {
  const writer = new Writer();
  const type = byCode.get(code);
  if (type === undefined || text.startsWith('\\#')) opaque.write(writer, opaque.parse(new Words(text), {}), {});
  else type.write(type.parse(text), writer);
  return writer.result();
}

/** One option as people meet it: code, name and text of the data. */
export interface OptionData {
  readonly [part: string]: number | string;
  readonly code: number;
  readonly name: string;
  readonly data: string;
}

/** All options of an OPT record (RFC 6891 §6.1.2). */
export const optionList: Field<readonly OptionData[]> = new Field('params', {
  read: (r) => {
    const list: OptionData[] = [];
    while (r.left > 0) {
      const code = r.u16();
      const length = r.u16();
      if (length > r.left) r.fail();
      if (!r.sound) break;
      list.push({ code, name: OPTIONS.name(code), data: optionText(code, r.bytes, r.at, length) });
      r.at += length;
    }
    return list;
  },
  write: (w, value) => {
    for (const { code, data } of value) {
      w.u16(code);
      const from = w.openLength();
      w.put(parseOption(code, data));
      w.patchLength(from);
    }
  },
  show: (value) => value.map(({ name, data }) => `${name}=${quoted(data.replaceAll('\\', '\\\\'))}`).join(' '),
  parse: (words) => {
    const list: OptionData[] = [];
    while (words.more) {
      const word = words.next('an option');
      const parts = /^([^=]+)="(.*)"$/s.exec(word);
      const code = parts === null ? -1 : OPTIONS.number(parts[1]);
      if (parts === null || code < 0) throw words.wrong('an option such as NSID="6865"', word);
      list.push({ code, name: OPTIONS.name(code), data: new TextDecoder().decode(parseOctets(parts[2])) });
    }
    return list;
  },
});
