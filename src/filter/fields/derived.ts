import { parseIpv4, parseIpv6, parseOctets } from '../../wire/field.ts';
import type { FieldKind, RdataValue } from '../../wire/field.ts';
import type { RdataReader } from '../../wire/rdata.ts';
import type { AnyStructure, FieldSpec } from '../../wire/structure.ts';
import type { Value, Values } from '../value.ts';
import type { FieldType } from './field.ts';

/** A declared field of one structure: which of its fields, and the names of those before it. */
export interface Place {
  readonly structure: AnyStructure;
  readonly index: number;
}

const TYPES: Readonly<Record<FieldKind, FieldType>> = {
  uint: 'FT_UINT16',
  name: 'FT_STRING',
  ipv4: 'FT_IPv4',
  ipv6: 'FT_IPv6',
  string: 'FT_STRING',
  strings: 'FT_STRING',
  bytes: 'FT_BYTES',
  time: 'FT_ABSOLUTE_TIME',
  types: 'FT_STRING',
  params: 'FT_STRING',
  text: 'FT_STRING',
};
const WIDTHS: Readonly<Record<number, FieldType>> = {
  8: 'FT_UINT8',
  16: 'FT_UINT16',
  32: 'FT_UINT32',
  48: 'FT_ABSOLUTE_TIME',
};

/** The type a declared field has in filters. */
export function derivedType({ kind, codec }: FieldSpec): FieldType {
  return kind === 'uint' ? (WIDTHS[codec.bits ?? 0] ?? 'FT_UINT32') : TYPES[kind];
}

/**
 * Reads one field of a structure from a reader that stands at its first octet. What lies before a malformed place is
 * there; what comes behind it is not.
 */
export function readPlace(reader: RdataReader, { structure, index }: Place, type: FieldType, out: Values): void {
  const { fields } = structure;
  const target = fields[index];
  if (!structure.inOrder) {
    const value = structure.decode(reader);
    if (reader.sound) addValues(value[target.name], target.kind, type, out);
    return;
  }
  const siblings: Record<string, RdataValue> = {};
  for (let i = 0; i < index; i++) siblings[fields[i].name] = fields[i].codec.read(reader, siblings);
  if (!reader.sound) return;
  const from = reader.at;
  const { bytes } = reader;
  const value = target.codec.read(reader, siblings);
  if (!reader.sound) return;
  if (out.raw) out.addFrom(0, bytes, from, reader.at - from);
  else addValues(value, target.kind, type, out);
}

function addValues(value: RdataValue, kind: FieldKind, type: FieldType, out: Values): void {
  if (Array.isArray(value)) for (const one of value as readonly RdataValue[]) addValues(one, kind, type, out);
  else if (!(value === '' && (kind === 'name' || kind === 'ipv4' || kind === 'ipv6'))) {
    const made = filterValue(value, kind, type);
    if (made !== undefined) out.add(made);
  }
}

const utf8 = new TextDecoder();

/** A declared value as filters compare it. */
function filterValue(value: RdataValue, kind: FieldKind, type: FieldType): Value | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return type === 'FT_ABSOLUTE_TIME' ? BigInt(value) * 1_000_000_000n : value;
  }
  if (value instanceof Uint8Array) return type === 'FT_STRING' ? base32(value) : value;
  if (typeof value !== 'string') return undefined;
  if (type === 'FT_IPv4') return parseIpv4(value);
  if (type === 'FT_IPv6') return parseIpv6(value);
  if (type === 'FT_ETHER' || type === 'FT_EUI64' || type === 'FT_BYTES') return hexOctets(value);
  return kind === 'name' || kind === 'types' ? value : utf8.decode(parseOctets(value));
}

/** Octets of groups of hexadecimal digits joined by a sign. */
function hexOctets(text: string): Uint8Array {
  const digits = text.replace(/[^0-9a-f]/gi, '');
  return Uint8Array.from({ length: digits.length >> 1 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

const BASE32HEX = '0123456789abcdefghijklmnopqrstuv';
/** Hashed owners are text in filters: base 32 with the extended hex alphabet, as in the owner's label (RFC 5155 §1.3). */
function base32(bytes: Uint8Array): string {
  let text = '';
  for (let bit = 0; bit < bytes.length * 8; bit += 5) {
    const pair = (bytes[bit >> 3] << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    text += BASE32HEX[(pair >> (11 - (bit & 7))) & 31];
  }
  return text;
}

/** `gatewayType` → `gateway_type`. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (upper) => `_${upper.toLowerCase()}`);
}
