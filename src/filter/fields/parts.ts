import { rrTypeOf } from '../../rr/registry.ts';
import { RdataReader } from '../../wire/rdata.ts';
import type { Subject, Values } from '../value.ts';
import { field, type FilterField } from './field.ts';
import { isDns } from './message.ts';
import { addSound, bitOf, inRecords, type Read } from './special.ts';

const TYPE_SRV = 33;
const TYPE_OPT = 41;
const KEY = [25];
const DNSKEY = [48, 60];
const CLASS_CHAOS = 3;
const rdata = { group: 'rdata' } as const;
const owners = new RdataReader();

/** Octets of the character-string behind `skip` octets and `before` others. */
const stringLength =
  (skip: number, before: number): Read =>
  (r, out) => {
    r.take(skip);
    for (let i = 0; i < before; i++) r.take(r.u8());
    if (r.left > 0) addSound(r, out, r.u8());
  };

function lengthField(name: string, type: number, skip: number, before: number): FilterField {
  return inRecords([`dns.${name}`, 'FT_UINT8', 'Octets of the text'], [type], stringLength(skip, before));
}

/** Part of an SRV record's owner: `_service._proto.name`, with an instance before them in DNS-SD (RFC 6763 §4.1). */
const OWNER = /^(?:(.+)\.)?(_[^.]+)\.(_[^.]+)\.([^_].*)$/s;
function ownerPart(name: string, title: string, part: number, folds: boolean): FilterField {
  return field([`dns.srv.${name}`, 'FT_STRING', title], { ...rdata, name: folds }, (s: Subject, out: Values) => {
    if (!isDns(s)) return;
    owners.begin(s.view);
    for (let i = 0; i < s.view.records; i++) {
      if (s.view.type[i] !== TYPE_SRV) continue;
      const value = OWNER.exec(owners.nameAt(s.view.owner[i]) ?? '')?.[part];
      if (value !== undefined) out.add(value);
    }
  });
}

const chaos =
  (read: Read): Read =>
  (r, out) => {
    if (r.class === CLASS_CHAOS) read(r, out);
  };

/** Rdata of a type that nametap does not know. */
const unknownData = field(['dns.data', 'FT_BYTES', 'Data of a type that is not known'], rdata, (s, out) => {
  if (!isDns(s)) return;
  const { view } = s;
  for (let i = 0; i < view.records; i++) {
    if (view.rdlength[i] === 0 || view.type[i] === TYPE_OPT || rrTypeOf(view.type[i]) !== undefined) continue;
    out.add(view.bytes.subarray(view.rdata[i], view.rdata[i] + view.rdlength[i]));
  }
});

/** What Wireshark has for parts of rdata and of owners: lengths of texts, bits of flags. */
export const PART_FIELDS: readonly FilterField[] = [
  unknownData,
  ownerPart('instance', 'Instance of the service', 1, false),
  ownerPart('service', 'Service', 2, true),
  ownerPart('proto', 'Protocol', 3, true),
  ownerPart('name', 'Domain of the service', 4, true),
  inRecords(
    ['dns.a.ch.domain', 'FT_STRING', 'Domain of a Chaos address'],
    [1],
    chaos((r, out) => addSound(r, out, r.name(true))),
    { folds: true },
  ),
  inRecords(
    ['dns.a.ch.addr', 'FT_UINT16', 'Chaos address'],
    [1],
    chaos((r, out) => {
      r.name(true);
      addSound(r, out, r.u16());
    }),
  ),
  lengthField('hinfo.cpu_length', 13, 0, 0),
  lengthField('hinfo.os_length', 13, 0, 1),
  lengthField('x25.length', 19, 0, 0),
  lengthField('idsn.length', 20, 0, 0),
  lengthField('idsn.sa.length', 20, 0, 1),
  lengthField('gpos.longitude_length', 27, 0, 0),
  lengthField('gpos.latitude_length', 27, 0, 1),
  lengthField('gpos.altitude_length', 27, 0, 2),
  lengthField('naptr.flags_length', 35, 4, 0),
  lengthField('naptr.service_length', 35, 4, 1),
  lengthField('naptr.regex_length', 35, 4, 2),
  inRecords(['dns.key.flags.authentication', 'FT_BOOLEAN', 'Not for authentication'], KEY, bitOf(2, 0, 0x8000)),
  inRecords(['dns.key.flags.confidentiality', 'FT_BOOLEAN', 'Not for confidentiality'], KEY, bitOf(2, 0, 0x4000)),
  inRecords(['dns.key.flags.required', 'FT_BOOLEAN', 'Key required'], KEY, bitOf(2, 0, 0x2000)),
  inRecords(['dns.key.flags.associated_user', 'FT_BOOLEAN', 'Key of a user'], KEY, bitOf(2, 0, 0x0400)),
  inRecords(
    ['dns.key.flags.associated_named_entity', 'FT_BOOLEAN', 'Key of a host or service'],
    KEY,
    bitOf(2, 0, 0x0200),
  ),
  inRecords(['dns.key.flags.ipsec', 'FT_BOOLEAN', 'Key for IPsec'], KEY, bitOf(2, 0, 0x0080)),
  inRecords(['dns.key.flags.mime', 'FT_BOOLEAN', 'Key for MIME'], KEY, bitOf(2, 0, 0x0040)),
  inRecords(['dns.key.flags.signatory', 'FT_UINT16', 'Signatory'], KEY, (r, out) => addSound(r, out, r.u16() & 15)),
  inRecords(
    ['dns.dnskey.flags.reserved', 'FT_UINT16', 'Bits without a meaning'],
    DNSKEY,
    (r, out) => addSound(r, out, (r.u16() & 0xfe7e) >> 1),
    { hex: true },
  ),
  inRecords(['dns.wins.nb_wins_servers', 'FT_UINT32', 'Number of WINS servers'], [65281], (r, out) => {
    r.take(12);
    addSound(r, out, r.u32());
  }),
];
