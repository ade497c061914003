import { EDNS_CO, EDNS_DE, EDNS_DO, OPTION_TYPES, OptionCursor } from '../../wire/edns.ts';
import { RdataReader } from '../../wire/rdata.ts';
import type { FieldSpec } from '../../wire/structure.ts';
import type { Subject, Values } from '../value.ts';
import { derivedType, type Place, readPlace, snake } from './derived.ts';
import { columnField, field, type FieldType, type FilterField, once } from './field.ts';
import { isDns } from './message.ts';
import { EDE_NAMES, FAMILY_NAMES, namesOf, OPTION_NAMES, RDATA_NAMES } from './names.ts';

const edns = { group: 'edns' } as const;
const CLIENT_SUBNET = 8;
const hasOpt = (s: Subject): boolean => s.view.opt >= 0 && isDns(s);
const ttlOf = (s: Subject): number => s.view.ttl[s.view.opt];

function bit(name: string, title: string, mask: number): FilterField {
  return columnField(
    [name, 'FT_BOOLEAN', title],
    edns,
    once(hasOpt, (s) => ((ttlOf(s) & mask) === 0 ? 0 : 1)),
    (s) => s.view.rdata[s.view.opt] - 4,
  );
}

/** The pseudo-record's own fields (RFC 6891 §6.1.3). */
const RECORD: readonly FilterField[] = [
  columnField(
    ['dns.rr.udp_payload_size', 'FT_UINT16', 'UDP payload size'],
    edns,
    once(hasOpt, (s) => s.view.class[s.view.opt]),
    (s) => s.view.rdata[s.view.opt] - 8,
  ),
  columnField(
    ['dns.resp.ext_rcode', 'FT_UINT8', 'Higher bits in extended RCODE'],
    { ...edns, hex: true },
    once(hasOpt, (s) => ttlOf(s) >>> 24),
    (s) => s.view.rdata[s.view.opt] - 6,
  ),
  columnField(
    ['dns.resp.edns0_version', 'FT_UINT8', 'EDNS0 version'],
    edns,
    once(hasOpt, (s) => (ttlOf(s) >>> 16) & 255),
    (s) => s.view.rdata[s.view.opt] - 5,
  ),
  columnField(
    ['dns.resp.z', 'FT_UINT16', 'Z'],
    { ...edns, hex: true },
    once(hasOpt, (s) => ttlOf(s) & 0xffff),
    (s) => s.view.rdata[s.view.opt] - 4,
  ),
  bit('dns.resp.z.do', 'DO bit', EDNS_DO),
  bit('dns.resp.z.co', 'CO bit: compact answers of denial are understood (RFC 9824)', EDNS_CO),
  bit('dns.resp.z.de', 'DE bit: delegation extensions are understood', EDNS_DE),
  columnField(
    ['dns.resp.z.reserved', 'FT_UINT16', 'Reserved'],
    { ...edns, hex: true },
    once(hasOpt, (s) => ttlOf(s) & 0x7fff),
  ),
];

const cursor = new OptionCursor();
const reader = new RdataReader();
type Declared = readonly [name: string, type: FieldType, title: string];

/** Looks at every option. */
function eachOption(
  declared: Declared,
  read: (s: Subject, out: Values) => void,
  names?: FilterField['names'],
): FilterField {
  return field(declared, { ...edns, ...(names !== undefined && { names }) }, (s, out) => {
    if (!hasOpt(s)) return;
    cursor.open(s.view);
    while (cursor.next()) read(s, out);
  });
}

/** The octets of a client subnet's address, filled up to `size`, where its family is `family`. */
const subnet = (family: number, size: number) => (s: Subject, out: Values) => {
  const { at, length } = cursor;
  const { bytes } = s.view;
  if (cursor.code !== CLIENT_SUBNET || length < 4) return;
  const is = (bytes[at] << 8) | bytes[at + 1];
  if (family === 0 ? is === 1 || is === 2 : is !== family) return;
  const given = bytes.subarray(at + 4, at + length);
  const whole = new Uint8Array(family === 0 ? given.length : size);
  whole.set(given.subarray(0, whole.length));
  out.add(whole);
};

const OPTION: readonly FilterField[] = [
  eachOption(['dns.opt', 'FT_NONE', 'Option'], (s, out) =>
    out.addFrom(EMPTY, s.view.bytes, cursor.at - 4, cursor.length + 4),
  ),
  eachOption(
    ['dns.opt.code', 'FT_UINT16', 'Option Code'],
    (s, out) => out.addFrom(cursor.code, s.view.bytes, cursor.at - 4, 2),
    OPTION_NAMES,
  ),
  eachOption(['dns.opt.len', 'FT_UINT16', 'Option Length'], (s, out) =>
    out.addFrom(cursor.length, s.view.bytes, cursor.at - 2, 2),
  ),
  eachOption(['dns.opt.data', 'FT_BYTES', 'Option Data'], (s, out) =>
    out.add(s.view.bytes.subarray(cursor.at, cursor.at + cursor.length)),
  ),
  eachOption(['dns.opt.client.addr4', 'FT_IPv4', 'Client Subnet'], subnet(1, 4)),
  eachOption(['dns.opt.client.addr6', 'FT_IPv6', 'Client Subnet'], subnet(2, 16)),
  eachOption(['dns.opt.client.addr', 'FT_BYTES', 'Client Subnet of another family'], subnet(0, 0)),
];
const EMPTY = new Uint8Array(0);
const known = new Set(OPTION.map(({ name }) => name));

function ofOption(code: number, name: string, spec: FieldSpec, place: Place): FilterField {
  const type = derivedType(spec);
  const names =
    name === 'dns.opt.ext_error.info_code'
      ? EDE_NAMES
      : name === 'dns.opt.client.family'
        ? FAMILY_NAMES
        : (RDATA_NAMES[name] ?? namesOf(spec.codec.names));
  const options = { ...edns, ...(names !== undefined && { names }), name: spec.kind === 'name' };
  return field([name, type, spec.summary], options, (s, out) => {
    if (!hasOpt(s)) return;
    cursor.open(s.view);
    while (cursor.next()) {
      if (cursor.code !== code) continue;
      reader.enter(s.view);
      readPlace(reader.range(cursor.at, cursor.at + cursor.length), place, type, out);
    }
  });
}

/** What options hold: derived from their declarations. */
const DERIVED: readonly FilterField[] = OPTION_TYPES.flatMap((option) =>
  option.fields.flatMap((spec, index) => {
    const name = spec.wireshark ?? `dns.opt.${option.name.toLowerCase().replaceAll('-', '_')}.${snake(spec.name)}`;
    return known.has(name) ? [] : [ofOption(option.code, name, spec, { structure: option, index })];
  }),
);

export const EDNS_FIELDS: readonly FilterField[] = [...RECORD, ...OPTION, ...DERIVED];
