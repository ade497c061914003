import { RdataReader } from '../../wire/rdata.ts';
import type { Subject, Values } from '../value.ts';
import { field, type FieldType, type FilterField } from './field.ts';
import { isDns } from './message.ts';
import { FAMILY_NAMES, PARAM_NAMES } from './names.ts';

type Declared = readonly [name: string, type: FieldType, title: string];
export type Read = (reader: RdataReader, out: Values) => void;

const rdata = { group: 'rdata' } as const;
const reader = new RdataReader();
const utf8 = new TextDecoder();

/** Reads every record of some types with a function of its own. */
export function inRecords(
  declared: Declared,
  types: readonly number[],
  read: Read,
  options: Partial<FilterField> = {},
): FilterField {
  return field(declared, { ...rdata, ...options, name: options.folds === true }, (s: Subject, out: Values) => {
    if (!isDns(s)) return;
    const { view } = s;
    for (let i = 0; i < view.records; i++) {
      if (types.includes(view.type[i]) && view.rdlength[i] > 0) read(reader.open(view, i), out);
    }
  });
}

/** Adds a number, or the text or octets, that was there. */
export function addSound(r: RdataReader, out: Values, value: number | string | Uint8Array): void {
  if (r.sound) out.add(value);
}
/** Adds the low bit of an octet or word already read, as a boolean. */
export const bitOf =
  (octets: 1 | 2 | 4, skip: number, mask: number): Read =>
  (r, out) => {
    r.take(skip);
    const value = octets === 1 ? r.u8() : octets === 2 ? r.u16() : r.u32();
    addSound(r, out, (value & mask) === 0 ? 0 : 1);
  };

const TXT = [16];
const SPF = [99];
const WKS = [11];
const GATEWAY = [45];
const APL = [42];
const CAA = [257];
const CSYNC = [62];
const DNSKEY = [48, 60];
const KEY = [25];
const NSEC3 = [50];
const NSEC3PARAM = [50, 51];
const SVCB = [64, 65];
const TSIG = [250];
const TKEY = [249];

/** Lengths of character-strings to the end. */
const stringLengths: Read = (r, out) => {
  while (r.left > 0) {
    const length = r.u8();
    out.add(length);
    r.take(length);
    if (!r.sound) return;
  }
};

/** The gateway of IPSECKEY when its kind (third octet behind the precedence) is `kind`. */
const gateway =
  (kind: number, read: Read): Read =>
  (r, out) => {
    r.u8();
    const is = r.u8();
    r.u8();
    if (r.sound && is === kind) read(r, out);
  };

interface Prefix {
  family: number;
  length: number;
  negated: boolean;
  octets: Uint8Array;
}
const prefixes =
  (add: (prefix: Prefix, out: Values) => void): Read =>
  (r, out) => {
    while (r.left > 0) {
      const family = r.u16();
      const length = r.u8();
      const octet = r.u8();
      const octets = r.take(octet & 0x7f);
      if (!r.sound) return;
      add({ family, length, negated: octet > 0x7f, octets }, out);
    }
  };
/** An address with the octets that were left out. */
function padded(octets: Uint8Array, size: number): Uint8Array {
  const whole = new Uint8Array(size);
  whole.set(octets.subarray(0, size));
  return whole;
}

/** CAA's value under one tag. */
const tagged =
  (tag: string): Read =>
  (r, out) => {
    r.u8();
    const name = r.text(r.u8());
    if (r.sound && name.toLowerCase() === tag) out.add(utf8.decode(r.take()));
  };

/** Every service parameter: key, and a reader that ends with its value. */
export const params =
  (add: (key: number, r: RdataReader, out: Values) => void): Read =>
  (r, out) => {
    r.u16();
    r.name(true);
    const { end } = r;
    while (r.sound && r.at < end) {
      const key = r.u16();
      const length = r.u16();
      if (!r.sound || r.at + length > end) return;
      const next = r.at + length;
      r.range(r.at, next);
      add(key, r, out);
      r.range(next, end);
    }
  };
/** The values of one parameter, read until its end. */
const param = (wanted: number, read: (r: RdataReader) => number | string | Uint8Array): Read =>
  params((key, r, out) => {
    while (key === wanted && r.left > 0 && r.sound) addSound(r, out, read(r));
  });

/** Behind an algorithm name: skips `skip` octets, then gives the length of counted octets. */
const countedLength =
  (skip: number, counted: number): Read =>
  (r, out) => {
    r.name(true);
    r.take(skip);
    for (let i = 0; i < counted; i++) r.take(r.u16());
    const length = r.u16();
    addSound(r, out, length);
  };

/** Behind the signature or key: octets of which there are often none, and then no field. */
const otherData =
  (skip: number): Read =>
  (r, out) => {
    r.name(true);
    r.take(skip);
    r.take(r.u16());
    if (skip === 8) r.take(4);
    const octets = r.take(r.u16());
    if (octets.length > 0) addSound(r, out, octets);
  };

const DECLARED: readonly FilterField[] = [
  inRecords(['dns.txt.length', 'FT_UINT8', 'Octets of a character-string'], TXT, stringLengths),
  inRecords(['dns.spf.length', 'FT_UINT8', 'Octets of a character-string'], SPF, stringLengths),
  inRecords(
    ['dns.wks.bits', 'FT_UINT8', 'Octets of the bit map that are not zero'],
    WKS,
    (r, out) => {
      r.take(5);
      while (r.left > 0) {
        const octet = r.u8();
        if (octet !== 0) out.add(octet);
      }
    },
    { hex: true },
  ),
  inRecords(
    ['dns.ipseckey.gateway_ipv4', 'FT_IPv4', 'Gateway'],
    GATEWAY,
    gateway(1, (r, out) => addSound(r, out, r.take(4))),
  ),
  inRecords(
    ['dns.ipseckey.gateway_ipv6', 'FT_IPv6', 'Gateway'],
    GATEWAY,
    gateway(2, (r, out) => addSound(r, out, r.take(16))),
  ),
  inRecords(
    ['dns.ipseckey.gateway_dns', 'FT_STRING', 'Gateway'],
    GATEWAY,
    gateway(3, (r, out) => addSound(r, out, r.name(true))),
    { folds: true },
  ),
  inRecords(
    ['dns.apl.address_family', 'FT_UINT16', 'Address family'],
    APL,
    prefixes(({ family }, out) => out.add(family)),
    { names: FAMILY_NAMES },
  ),
  inRecords(
    ['dns.apl.coded_prefix', 'FT_UINT8', 'Prefix length'],
    APL,
    prefixes(({ length }, out) => out.add(length)),
  ),
  inRecords(
    ['dns.apl.negation', 'FT_BOOLEAN', 'The prefix is excluded'],
    APL,
    prefixes(({ negated }, out) => out.add(negated ? 1 : 0)),
  ),
  inRecords(
    ['dns.apl.afdlength', 'FT_UINT8', 'Octets of the address'],
    APL,
    prefixes(({ octets }, out) => out.add(octets.length)),
  ),
  inRecords(
    ['dns.apl.afdpart.ipv4', 'FT_IPv4', 'Address'],
    APL,
    prefixes(({ family, octets }, out) => {
      if (family === 1) out.add(padded(octets, 4));
    }),
  ),
  inRecords(
    ['dns.apl.afdpart.ipv6', 'FT_IPv6', 'Address'],
    APL,
    prefixes(({ family, octets }, out) => {
      if (family === 2) out.add(padded(octets, 16));
    }),
  ),
  inRecords(
    ['dns.apl.afdpart.data', 'FT_BYTES', 'Address of another family'],
    APL,
    prefixes(({ family, octets }, out) => {
      if (family !== 1 && family !== 2) out.add(octets);
    }),
  ),
  inRecords(['dns.caa.flags.issuer_critical', 'FT_BOOLEAN', 'Issuer critical'], CAA, bitOf(1, 0, 0x80)),
  inRecords(['dns.caa.issue', 'FT_STRING', 'Authority that may issue'], CAA, tagged('issue')),
  inRecords(['dns.caa.issuewild', 'FT_STRING', 'Authority that may issue wildcards'], CAA, tagged('issuewild')),
  inRecords(['dns.caa.iodef', 'FT_STRING', 'Where to report'], CAA, tagged('iodef')),
  inRecords(['dns.csync.flags.immediate', 'FT_BOOLEAN', 'Act at once'], CSYNC, bitOf(2, 4, 1)),
  inRecords(['dns.csync.flags.soaminimum', 'FT_BOOLEAN', 'Only if the serial is not lower'], CSYNC, bitOf(2, 4, 2)),
  inRecords(['dns.csync.type_bitmap', 'FT_BYTES', 'Bit map of types'], CSYNC, (r, out) => {
    r.take(6);
    addSound(r, out, r.take());
  }),
  inRecords(['dns.dnskey.flags.zone_key', 'FT_BOOLEAN', 'Zone key'], DNSKEY, bitOf(2, 0, 0x0100)),
  inRecords(['dns.dnskey.flags.key_revoked', 'FT_BOOLEAN', 'Key revoked'], DNSKEY, bitOf(2, 0, 0x0080)),
  inRecords(['dns.dnskey.flags.secure_entry_point', 'FT_BOOLEAN', 'Secure entry point'], DNSKEY, bitOf(2, 0, 0x0001)),
  inRecords(['dns.key.key_id', 'FT_UINT16', 'Tag of the key'], KEY, keyTag),
  inRecords(['dns.dnskey.key_id', 'FT_UINT16', 'Tag of the key'], DNSKEY, keyTag),
  inRecords(['dns.nsec3.flags.opt_out', 'FT_BOOLEAN', 'Opt-out'], NSEC3, bitOf(1, 1, 1)),
  inRecords(['dns.nsec3.salt_length', 'FT_UINT8', 'Octets of the salt'], NSEC3PARAM, (r, out) => {
    r.take(4);
    addSound(r, out, r.u8());
  }),
  inRecords(['dns.nsec3.hash_length', 'FT_UINT8', 'Octets of the hash'], [50], (r, out) => {
    r.take(4);
    r.take(r.u8());
    addSound(r, out, r.u8());
  }),
  inRecords(
    ['dns.svcb.svcparam', 'FT_NONE', 'Service parameter'],
    SVCB,
    params((_, r, out) => out.add(r.take())),
  ),
  inRecords(
    ['dns.svcb.svcparam.key', 'FT_UINT16', 'Key of a parameter'],
    SVCB,
    params((key, _, out) => out.add(key)),
    { names: PARAM_NAMES },
  ),
  inRecords(
    ['dns.svcb.svcparam.value.length', 'FT_UINT16', 'Octets of a value'],
    SVCB,
    params((_, r, out) => out.add(r.left)),
  ),
  inRecords(
    ['dns.svcb.svcparam.value', 'FT_BYTES', 'Value of another key'],
    SVCB,
    params((key, r, out) => {
      if (key > 8) out.add(r.take());
    }),
  ),
  inRecords(
    ['dns.svcb.svcparam.mandatory.key', 'FT_UINT16', 'Key a client must know'],
    SVCB,
    param(0, (r) => r.u16()),
    { names: PARAM_NAMES },
  ),
  inRecords(
    ['dns.svcb.svcparam.alpn', 'FT_STRING', 'Protocol id'],
    SVCB,
    param(1, (r) => utf8.decode(r.take(r.u8()))),
  ),
  inRecords(
    ['dns.svcb.svcparam.alpn.length', 'FT_UINT8', 'Octets of a protocol id'],
    SVCB,
    param(1, (r) => {
      const length = r.u8();
      r.take(length);
      return length;
    }),
  ),
  inRecords(
    ['dns.svcb.svcparam.port', 'FT_UINT16', 'Port'],
    SVCB,
    param(3, (r) => r.u16()),
  ),
  inRecords(
    ['dns.svcb.svcparam.ipv4hint.ip', 'FT_IPv4', 'IPv4 address'],
    SVCB,
    param(4, (r) => r.take(4)),
  ),
  inRecords(
    ['dns.svcb.svcparam.ipv6hint.ip', 'FT_IPv6', 'IPv6 address'],
    SVCB,
    param(6, (r) => r.take(16)),
  ),
  inRecords(
    ['dns.svcb.svcparam.ech', 'FT_BYTES', 'Encrypted client hello'],
    SVCB,
    param(5, (r) => r.take()),
  ),
  inRecords(
    ['dns.svcb.svcparam.dohpath', 'FT_STRING', 'Path of DNS over HTTPS'],
    SVCB,
    param(7, (r) => utf8.decode(r.take())),
  ),
  inRecords(['dns.wins.local_flag', 'FT_BOOLEAN', 'Not replicated'], [65281], bitOf(4, 0, 0x10000)),
  inRecords(['dns.winsr.local_flag', 'FT_BOOLEAN', 'Not replicated'], [65282], bitOf(4, 0, 0x10000)),
  inRecords(['dns.tsig.mac', 'FT_NONE', 'Signature'], TSIG, (r, out) => {
    r.name(true);
    r.take(8);
    const octets = r.take(r.u16());
    if (octets.length > 0) addSound(r, out, octets);
  }),
  inRecords(['dns.tsig.mac_size', 'FT_UINT16', 'Octets of the signature'], TSIG, countedLength(8, 0)),
  inRecords(['dns.tsig.other_len', 'FT_UINT16', 'Octets of the other data'], TSIG, (r, out) => {
    r.name(true);
    r.take(8);
    r.take(r.u16());
    r.take(4);
    addSound(r, out, r.u16());
  }),
  inRecords(['dns.tsig.other_data', 'FT_BYTES', 'Server time with BADTIME'], TSIG, otherData(8)),
  inRecords(['dns.tkey.other_data', 'FT_BYTES', 'Other data'], TKEY, otherData(12)),
  inRecords(['dns.tkey.key_size', 'FT_UINT16', 'Octets of the key data'], TKEY, countedLength(12, 0)),
  inRecords(['dns.tkey.other_size', 'FT_UINT16', 'Octets of the other data'], TKEY, countedLength(12, 1)),
  inRecords(['dns.hip.hit.length', 'FT_UINT8', 'Octets of the tag'], [55], (r, out) => addSound(r, out, r.u8())),
  inRecords(['dns.hip.pk.length', 'FT_UINT16', 'Octets of the key'], [55], (r, out) => {
    r.take(2);
    addSound(r, out, r.u16());
  }),
  inRecords(['dns.caa.tag_length', 'FT_UINT8', 'Octets of the tag'], CAA, (r, out) => {
    r.u8();
    addSound(r, out, r.u8());
  }),
];

/** Tag of a key: flags, protocol, algorithm and key summed up (RFC 4034 appendix B). */
function keyTag(r: RdataReader, out: Values): void {
  const octets = r.take();
  if (octets.length < 4) return;
  // RSA/MD5 takes it from the modulus (appendix B.1).
  if (octets[3] === 1) {
    const n = octets.length;
    out.add((octets[n - 3] << 8) | octets[n - 2]);
    return;
  }
  let sum = 0;
  octets.forEach((octet, i) => (sum += (i & 1) === 0 ? octet << 8 : octet));
  out.add((sum + (sum >>> 16)) & 0xffff);
}

/** Fields that no declaration of a type gives: parts of flags, lengths, lists within rdata, TLVs. */
export const SPECIAL_FIELDS: readonly FilterField[] = DECLARED;
