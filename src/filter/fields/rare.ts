import type { RdataReader } from '../../wire/rdata.ts';
import type { Values } from '../value.ts';
import { OptionCursor } from '../../wire/edns.ts';
import { field, type FilterField } from './field.ts';
import { isDns } from './message.ts';
import { PROTOCOL_NUMBERS } from './names.ts';
import { addSound, inRecords, params, type Read } from './special.ts';

const TXT = [16];
const LOC = [29];
const NAPTR = [35];
const SVCB = [64, 65];
const CAA = [257];
const XPF = [65422];

const utf8 = new TextDecoder();

/** A certificate of DNSCrypt in a TXT record (`DNSC`): reads at an offset behind the length octet. */
const certificate =
  (skip: number, read: (r: RdataReader) => number | bigint | string | Uint8Array): Read =>
  (r, out) => {
    const magic = r.take(5);
    if (!r.sound || magic[0] < 124 || utf8.decode(magic.subarray(1)) !== 'DNSC') return;
    r.take(skip);
    const value = read(r);
    if (r.sound) out.add(value);
  };
const when = (r: RdataReader): bigint => BigInt(r.u32()) * 1_000_000_000n;

/** The certificates that DNSCrypt resolvers hand out. */
const DNSCRYPT: readonly FilterField[] = [
  inRecords(
    ['dns.dnscrypt', 'FT_NONE', 'DNSCrypt certificate'],
    TXT,
    certificate(0, () => ''),
  ),
  inRecords(
    ['dns.dnscrypt.magic', 'FT_STRING', 'Magic'],
    TXT,
    certificate(0, () => 'DNSC'),
  ),
  inRecords(
    ['dns.dnscrypt.esversion', 'FT_UINT16', 'Version of the construction'],
    TXT,
    certificate(0, (r) => r.u16()),
  ),
  inRecords(
    ['dns.dnscrypt.protocol_version', 'FT_UINT16', 'Minor version'],
    TXT,
    certificate(2, (r) => r.u16()),
  ),
  inRecords(
    ['dns.dnscrypt.signature', 'FT_BYTES', 'Signature'],
    TXT,
    certificate(4, (r) => r.take(64)),
  ),
  inRecords(
    ['dns.dnscrypt.resolver_public_key', 'FT_BYTES', 'Public key of the resolver'],
    TXT,
    certificate(68, (r) => r.take(32)),
  ),
  inRecords(
    ['dns.dnscrypt.client_magic', 'FT_BYTES', 'Octets that begin a query'],
    TXT,
    certificate(100, (r) => r.take(8)),
  ),
  inRecords(
    ['dns.dnscrypt.serial_number', 'FT_BYTES', 'Serial number'],
    TXT,
    certificate(108, (r) => r.take(4)),
  ),
  inRecords(['dns.dnscrypt.valid_from', 'FT_ABSOLUTE_TIME', 'Valid from'], TXT, certificate(112, when)),
  inRecords(['dns.dnscrypt.valid_to', 'FT_ABSOLUTE_TIME', 'Valid to'], TXT, certificate(116, when)),
];

/** Behind the version and the protocol: an address, or what follows both. */
const forwarded =
  (version: number, skip: number, read: (r: RdataReader) => number | Uint8Array): Read =>
  (r, out) => {
    const is = r.u8() & 15;
    if (version !== 0 && is !== version) return;
    r.take(version === 0 ? (is === 6 ? 33 : 9) + skip : 1 + skip);
    addSound(r, out, read(r));
  };

/** Who asked a proxy (draft-bellis-dnsop-xpf). */
const PROXIED: readonly FilterField[] = [
  inRecords(['dns.xpf.ip_version', 'FT_UINT16', 'IP version'], XPF, (r, out) => addSound(r, out, r.u8() & 15)),
  inRecords(
    ['dns.xpf.protocol', 'FT_UINT8', 'Protocol'],
    XPF,
    (r, out) => {
      r.u8();
      addSound(r, out, r.u8());
    },
    { names: PROTOCOL_NUMBERS },
  ),
  inRecords(
    ['dns.xpf.source_ipv4', 'FT_IPv4', 'Client'],
    XPF,
    forwarded(4, 0, (r) => r.take(4)),
  ),
  inRecords(
    ['dns.xpf.destination_ipv4', 'FT_IPv4', 'Server'],
    XPF,
    forwarded(4, 4, (r) => r.take(4)),
  ),
  inRecords(
    ['dns.xpf.source_ipv6', 'FT_IPv6', 'Client'],
    XPF,
    forwarded(6, 0, (r) => r.take(16)),
  ),
  inRecords(
    ['dns.xpf.destination_ipv6', 'FT_IPv6', 'Server'],
    XPF,
    forwarded(6, 16, (r) => r.take(16)),
  ),
  inRecords(
    ['dns.xpf.sport', 'FT_UINT16', "Client's port"],
    XPF,
    forwarded(0, 0, (r) => r.u16()),
  ),
  inRecords(
    ['dns.xpf.dport', 'FT_UINT16', "Server's port"],
    XPF,
    forwarded(0, 2, (r) => r.u16()),
  ),
];

const KNOWN_TAGS = new Set(['issue', 'issuewild', 'iodef']);
const KEY_ECH = 5;
const KEY_ODOH = 32769;
const ofKey = (wanted: number): Read =>
  params((key, r, out) => {
    if (key === wanted) addSound(r, out, r.take());
  });

const cursor = new OptionCursor();
const ZONEVERSION = 19;

/** Fields that hardly a message has. */
export const RARE_FIELDS: readonly FilterField[] = [
  ...DNSCRYPT,
  ...PROXIED,
  inRecords(['dns.caa.unknown', 'FT_STRING', 'Value under another tag'], CAA, (r: RdataReader, out: Values) => {
    r.u8();
    const tag = r.text(r.u8());
    if (r.sound && !KNOWN_TAGS.has(tag.toLowerCase())) out.add(utf8.decode(r.take()));
  }),
  inRecords(['dns.naptr.replacement_length', 'FT_UINT8', 'Characters of the replacement'], NAPTR, (r, out) => {
    r.take(4);
    for (let i = 0; i < 3; i++) r.take(r.u8());
    const name = r.name(true);
    addSound(r, out, name === '.' ? '<Root>'.length : name.length);
  }),
  inRecords(['dns.loc.unknown_data', 'FT_BYTES', 'Data of another version'], LOC, (r, out) => {
    const octets = r.take();
    if (octets[0] !== 0) addSound(r, out, octets);
  }),
  inRecords(
    ['dns.svcb.svcparam.echconfig', 'FT_BYTES', 'As dns.svcb.svcparam.ech, by its older name'],
    SVCB,
    ofKey(KEY_ECH),
  ),
  inRecords(['dns.svcb.svcparam.odohconfig', 'FT_BYTES', 'Oblivious DoH configuration'], SVCB, ofKey(KEY_ODOH)),
  field(['dns.opt.zoneversion.soa', 'FT_UINT32', 'Serial of the zone'], { group: 'edns' }, (s, out) => {
    if (s.view.opt < 0 || !isDns(s)) return;
    const { bytes } = s.view;
    cursor.open(s.view);
    while (cursor.next()) {
      const { at, length } = cursor;
      if (cursor.code !== ZONEVERSION || length !== 6 || bytes[at + 1] !== 0) continue;
      out.addFrom(
        ((bytes[at + 2] << 24) | (bytes[at + 3] << 16) | (bytes[at + 4] << 8) | bytes[at + 5]) >>> 0,
        bytes,
        at + 2,
        4,
      );
    }
  }),
];
