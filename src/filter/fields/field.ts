import { ipv4Text, ipv6Text, word } from '../../core/address.ts';
import { epochText } from '../../core/clock.ts';
import { RdataReader } from '../../wire/rdata.ts';
import type { Kind, Subject, Value, Values } from '../value.ts';
import type { ValueNames } from './names.ts';

/** Wireshark's type of a field. */
export type FieldType =
  | 'FT_PROTOCOL'
  | 'FT_NONE'
  | 'FT_BOOLEAN'
  | 'FT_UINT8'
  | 'FT_UINT16'
  | 'FT_UINT24'
  | 'FT_UINT32'
  | 'FT_UINT64'
  | 'FT_INT32'
  | 'FT_FRAMENUM'
  | 'FT_STRING'
  | 'FT_BYTES'
  | 'FT_IPv4'
  | 'FT_IPv6'
  | 'FT_ETHER'
  | 'FT_EUI64'
  | 'FT_ABSOLUTE_TIME'
  | 'FT_RELATIVE_TIME';

const KINDS: Readonly<Record<FieldType, Kind>> = {
  FT_PROTOCOL: 'protocol',
  FT_NONE: 'protocol',
  FT_BOOLEAN: 'bool',
  FT_UINT8: 'uint',
  FT_UINT16: 'uint',
  FT_UINT24: 'uint',
  FT_UINT32: 'uint',
  FT_UINT64: 'uint',
  FT_INT32: 'uint',
  FT_FRAMENUM: 'uint',
  FT_STRING: 'text',
  FT_BYTES: 'bytes',
  FT_IPv4: 'ipv4',
  FT_IPv6: 'ipv6',
  FT_ETHER: 'ether',
  FT_EUI64: 'eui64',
  FT_ABSOLUTE_TIME: 'time',
  FT_RELATIVE_TIME: 'span',
};
const OCTETS: Partial<Record<FieldType, number>> = {
  FT_UINT8: 1,
  FT_BOOLEAN: 1,
  FT_UINT16: 2,
  FT_UINT24: 3,
  FT_UINT64: 8,
};

/**
 * Values that can be looked at without making them: items are numbered; `next` gives the first one at or behind `from`
 * (−1 none), `at` its value: a number; of ipv4 fields the address as 32 bits; of names their offset in the message.
 */
export interface Column {
  next(subject: Subject, from: number): number;
  at(subject: Subject, index: number): number;
  /** Set when there is at most one: whether it is there. */
  readonly single?: (subject: Subject) => boolean;
}

/** What all fields of a group have in common. */
export interface FieldOptions {
  /** Group it is listed under. */
  readonly group: string;
  /** Shown in hexadecimal. */
  readonly hex?: boolean;
  /** Names of its values. */
  readonly names?: ValueNames;
  /** A stored transaction holds it (default true). */
  readonly stored?: boolean;
  /** Only known once the transaction is closed. */
  readonly fate?: boolean;
}

/** A field of the filter language: what it is called, and how its values are read from a message. */
export interface FilterField extends FieldOptions {
  readonly name: string;
  readonly title: string;
  readonly type: FieldType;
  readonly kind: Kind;
  /** Domain name: letter case does not count (RFC 4343). */
  readonly folds: boolean;
  readonly stored: boolean;
  readonly fate: boolean;
  /** Octets of a number on the wire. */
  readonly octets: number;
  readonly column?: Column;
  /** Adds its values in order of the message. */
  read(subject: Subject, out: Values): void;
}

type Reader = (subject: Subject, out: Values) => void;

/** A field whose values are made one by one. */
export function field(
  [name, type, title]: readonly [name: string, type: FieldType, title: string],
  options: FieldOptions & { readonly name?: boolean },
  read: Reader,
): FilterField {
  const { name: isName = false, ...rest } = options;
  return {
    ...rest,
    name,
    title,
    type,
    kind: isName ? 'name' : KINDS[type],
    folds: isName,
    stored: options.stored ?? true,
    fate: options.fate ?? false,
    octets: OCTETS[type] ?? 4,
    read,
  };
}

/** A field of numbers, ipv4 addresses or names that are read through a column. `where`: offset in the message's memory. */
export function columnField(
  declared: readonly [name: string, type: FieldType, title: string],
  options: FieldOptions & { readonly name?: boolean },
  column: Column,
  where?: (subject: Subject, index: number) => number,
): FilterField {
  const plain = field(declared, options, () => {});
  const { kind, octets } = plain;
  const read: Reader = (subject, out) => {
    if (kind === 'name') names.begin(subject.view);
    for (let i = column.next(subject, 0); i >= 0; i = column.next(subject, i + 1)) {
      const n = column.at(subject, i);
      if (kind === 'name') addName(subject, out, n);
      else if (kind === 'ipv4') out.add(numberOctets(n, 4));
      else if (!out.raw) out.add(n);
      else if (where === undefined) out.add(numberOctets(n, octets));
      else out.addFrom(n, subject.view.bytes, where(subject, i), octets);
    }
  };
  return { ...plain, read, column };
}

/** One value or none. */
export function once(when: (subject: Subject) => boolean, at: (subject: Subject) => number): Column {
  return { next: (subject, from) => (from === 0 && when(subject) ? 0 : -1), at, single: when };
}

const names = new RdataReader();

/** Adds the name at an offset of the message; a message whose names expand too far has none from there on. */
function addName(subject: Subject, out: Values, at: number): void {
  const text = names.nameAt(at);
  if (text === undefined) return;
  if (out.raw) {
    const { bytes } = subject.view;
    let end = at;
    while (bytes[end] !== 0 && bytes[end] < 0xc0) end += bytes[end] + 1;
    out.add(bytes.subarray(at, end + (bytes[end] === 0 ? 1 : 2)));
  } else out.add(text);
}

/** Octets of a number in network order. */
export function numberOctets(n: number, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, i) => Math.floor(n / 256 ** (width - 1 - i)) % 256);
}

/** Text of a value as `-T fields` prints it. */
export function showValue(of: FilterField, value: Value): string {
  const { kind } = of;
  if (kind === 'uint')
    return of.hex === true
      ? `0x${Number(value)
          .toString(16)
          .padStart(2 * of.octets, '0')}`
      : String(value);
  if (kind === 'name') return value === '.' ? '<Root>' : String(value);
  if (kind === 'span') return spanText(Number(value));
  if (kind === 'time') return of.name === 'frame.time_epoch' ? epochOf(value as bigint) : timeText(value as bigint);
  if (kind === 'protocol') return '1';
  return typeof value === 'object' ? octetsText(kind, value) : String(value);
}

function octetsText(kind: Kind, bytes: Uint8Array): string {
  if (kind === 'ipv4') return ipv4Text(word(bytes, 0));
  if (kind === 'ipv6') return ipv6Text(word(bytes, 0), word(bytes, 4), word(bytes, 8), word(bytes, 12));
  if (kind === 'ether' || kind === 'eui64') return hexText(bytes, ':');
  return bytes.length === 0 ? '<MISSING>' : hexText(bytes, '');
}

export function hexText(bytes: Uint8Array, glue: string): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join(glue);
}

/** Seconds with nine decimals. */
function spanText(nanos: number): string {
  const n = Math.abs(nanos);
  return (nanos < 0 ? '-' : '') + epochText(Math.floor(n / 1e9), n % 1e9);
}

function epochOf(nanos: bigint): string {
  return epochText(Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n));
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Nov 14, 2023 22:13:30.000000000 UTC`. */
function timeText(nanos: bigint): string {
  const seconds = Number(nanos / 1_000_000_000n);
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return epochOf(nanos);
  const day = String(date.getUTCDate()).padStart(2, ' ');
  const clock = date.toISOString().slice(-13, -5);
  const fraction = String(nanos % 1_000_000_000n).padStart(9, '0');
  return `${MONTHS[date.getUTCMonth()]} ${day}, ${date.getUTCFullYear()} ${clock}.${fraction} UTC`;
}
