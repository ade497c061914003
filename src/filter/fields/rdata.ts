import { RR_TYPES } from '../../rr/index.ts';
import { skipName } from '../../wire/name.ts';
import { RdataReader } from '../../wire/rdata.ts';
import type { FieldSpec } from '../../wire/structure.ts';
import type { Subject } from '../value.ts';
import { derivedType, type Place, readPlace, snake } from './derived.ts';
import { type Column, columnField, field, type FieldType, type FilterField } from './field.ts';
import { isDns } from './message.ts';
import { namesOf, RDATA_NAMES } from './names.ts';
import { DSO_FIELDS } from './dso.ts';
import { PART_FIELDS } from './parts.ts';
import { RARE_FIELDS } from './rare.ts';
import { SPECIAL_FIELDS } from './special.ts';

const TYPE_A = 1;
const TYPE_OPT = 41;
const CLASS_CHAOS = 3;
const rdata = { group: 'rdata' } as const;
const reader = new RdataReader();

/** Where Wireshark's type is another than the declaration gives. */
const OTHER_TYPE: Readonly<Record<string, FieldType>> = {
  'dns.nsec3.hash_value': 'FT_STRING',
  'dns.ipn.node': 'FT_UINT64',
  'dns.eui48': 'FT_ETHER',
  'dns.eui64': 'FT_EUI64',
  'dns.ilnp.nid': 'FT_BYTES',
  'dns.ilnp.l64': 'FT_BYTES',
  'dns.loc.version': 'FT_UINT8',
  'dns.loc.size': 'FT_UINT8',
  'dns.loc.horizontal_precision': 'FT_UINT8',
  'dns.loc.vertical_precision': 'FT_UINT8',
};
const HEX = new Set([
  'dns.csync.flags',
  'dns.dnskey.flags',
  'dns.key.flags',
  'dns.cert.key_tag',
  'dns.ds.key_id',
  'dns.caa.flags',
]);
/** Declared under a name whose values are read another way. */
const special = new Set([...SPECIAL_FIELDS, ...PART_FIELDS].map(({ name }) => name));

/** The declarations of all types by filter name: a name may be shared (DS, CDS, DLV …). */
function declarations(): Map<string, { spec: FieldSpec; places: Map<number, Place> }> {
  const found = new Map<string, { spec: FieldSpec; places: Map<number, Place> }>();
  for (const type of RR_TYPES) {
    if (type.type === TYPE_OPT) continue;
    type.fields.forEach((spec, index) => {
      const name = spec.wireshark ?? `dns.${type.name.toLowerCase().replaceAll('-', '_')}.${snake(spec.name)}`;
      if (special.has(name)) return;
      let entry = found.get(name);
      if (entry === undefined) found.set(name, (entry = { spec, places: new Map() }));
      entry.places.set(type.type, { structure: type, index });
    });
  }
  return found;
}

function derived(name: string, spec: FieldSpec, places: ReadonlyMap<number, Place>): FilterField {
  const type = OTHER_TYPE[name] ?? derivedType(spec);
  const names = RDATA_NAMES[name] ?? namesOf(spec.codec.names);
  const options = {
    ...rdata,
    ...(HEX.has(name) && { hex: true }),
    ...(names !== undefined && { names }),
    name: spec.kind === 'name',
  };
  const only = [...places][0];
  const { fields } = only[1].structure;
  if (spec.kind === 'name' && places.size === 1 && fields.length === 1) {
    return columnField([name, type, spec.summary], options, wholeNames(only[0]));
  }
  return field([name, type, spec.summary], options, (s, out) => {
    if (!isDns(s)) return;
    const { view } = s;
    for (let i = 0; i < view.records; i++) {
      const place = places.get(view.type[i]);
      if (place !== undefined && view.rdlength[i] > 0) readPlace(reader.open(view, i), place, type, out);
    }
  });
}

/** Names that are all of a record's rdata (CNAME, NS, PTR …). */
function wholeNames(type: number): Column {
  return {
    next: (s, from) => {
      const { view } = s;
      if (!isDns(s)) return -1;
      for (let i = from; i < view.records; i++) {
        if (view.type[i] !== type || view.rdlength[i] === 0) continue;
        if (skipName(view.bytes, view.rdata[i], view.start, view.rdata[i] + view.rdlength[i]) > 0) return i;
      }
      return -1;
    },
    at: (s, i) => s.view.rdata[i],
  };
}

/** Addresses of A records: class CHAOS has names there. */
const ADDRESS: Column = {
  next: (s: Subject, from: number) => {
    const { view } = s;
    if (!isDns(s)) return -1;
    for (let i = from; i < view.records; i++) {
      if (view.type[i] === TYPE_A && view.rdlength[i] === 4 && view.class[i] !== CLASS_CHAOS) return i;
    }
    return -1;
  },
  at: ({ view: { bytes, rdata } }, i) => {
    const at = rdata[i];
    return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
  },
};

/** What records hold: derived from the RR types' declarations, save the few of another form. */
export const RDATA_FIELDS: readonly FilterField[] = [...declarations()]
  .map(([name, { spec, places }]) =>
    name === 'dns.a' ? columnField(['dns.a', 'FT_IPv4', spec.summary], rdata, ADDRESS) : derived(name, spec, places),
  )
  .concat(SPECIAL_FIELDS, PART_FIELDS, RARE_FIELDS, DSO_FIELDS);
